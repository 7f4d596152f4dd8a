"""Recalibrating: the likeliest slope and intercepts, and plans that answer by them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from driftloop import losses, recalibration
from driftloop.answers import answers
from driftloop.plan import load, schema
from driftloop.plan.recalibrated import recalibrated, refusal
from driftloop.recalibration import Recalibration
from driftloop.train import PIPELINE, PLAN, recalibrate, train
from driftloop.tune import evaluate
from driftloop.tune import recalibration as proposed
from driftloop.version import Version
from tests.driftloop.learning import frame_of, spec_of

CHOICES = [
    ("classification", 2, "hist_gradient_boosting", {"max_iter": 15}),
    ("classification", 3, "hist_gradient_boosting", {"max_iter": 8}),
    ("classification", 2, "logistic_regression", {}),
    ("classification", 3, "logistic_regression", {}),
    ("regression", 0, "hist_gradient_boosting", {"max_iter": 15}),
    ("regression", 0, "random_forest", {"n_estimators": 7}),
    ("regression", 0, "linear_regression", {}),
]


def logistic(z):
    return 1 / (1 + np.exp(-z))


def test_two_classes_are_cox_s_regression_on_the_log_odds() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(0.0, 1.5, 4_000)
    truth = (rng.random(z.size) < logistic(0.7 * z + 1.0)).astype(np.int32)
    found = recalibration.of_classes(logistic(z), truth)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(z[:, None], truth)
    assert found.slope == pytest.approx(theirs.coef_[0, 0], rel=1e-3)
    assert found.intercept[0] == pytest.approx(theirs.intercept_[0], rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(
    classes=st.integers(2, 5),
    rows=st.integers(1, 300),
    scale=st.sampled_from([0.0, 1.0, 40.0]),
    seed=st.integers(0, 1000),
)
def test_it_is_finite_repeatable_and_no_worse_where_it_was_fitted(
    classes: int, rows: int, scale: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    z = scale * rng.normal(size=(rows, classes))
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    truth = rng.integers(0, classes, rows)
    scores = p[:, 1] if classes == 2 else p
    names = [str(k) for k in range(classes)]
    found = recalibration.of(scores, truth, names)
    assert np.isfinite([found.slope, *found.intercept]).all()
    assert found == recalibration.of(scores, truth, names)
    after = found.apply(scores, names)
    assert after.shape == scores.shape and np.isfinite(after).all()
    assert ((after >= 0) & (after <= 1)).all()
    was, now = (losses.row_losses("log_loss", truth, s).mean() for s in (scores, after))
    assert now <= was + 1e-9


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(-3, 3), st.floats(-9, 9))
def test_values_are_set_right_by_a_line(values: list[float], slope: float, at: float) -> None:
    x = np.array(values)
    found = recalibration.of_values(x, at + slope * x)
    np.testing.assert_allclose(found.apply(x, None), at + slope * x, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(("task", "classes", "estimator", "params"), CHOICES)
def test_a_plan_answers_as_recalibrated_and_is_a_plan(task, classes, estimator, params) -> None:
    frame, spec = frame_of(400, classes), spec_of(task)
    made = train(frame, spec, {"estimator": estimator, "params": params}, "code")
    plan = schema.read(made.files[PLAN])
    assert refusal(plan, spec, frame.classes) is None
    shifts = (0.5, -1.0, 0.25)[: classes if classes > 2 else 1]
    found = Recalibration(0.6, shifts)
    changed = load(schema.dump(schema.check(recalibrated(plan, found))))
    before = answers(load(made.files[PLAN]), frame)
    np.testing.assert_allclose(
        answers(changed, frame), found.apply(before, frame.classes), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize(("task", "classes"), [("classification", 2), ("regression", 0)])
def test_a_candidate_of_it_is_the_champion_set_right(task: str, classes: int) -> None:
    spec, frame = spec_of(task), frame_of(1_200, classes)
    params = {"max_iter": 15}
    chosen = {"estimator": "hist_gradient_boosting", "params": params}
    champion = train(frame, spec, chosen, "code").files
    shifted = frame_of(1_200, classes, seed=5)
    shifted.target[:] = 1 if classes else shifted.target + 2.0  # the level rose
    if classes:
        shifted.target[::3] = frame.target[::3]
    choice = {**chosen, "recalibrate": {"version": 1, "plan_sha256": "x", "files": {}}}
    made = recalibrate(shifted, spec, choice, "code", champion)
    again = recalibrate(shifted, spec, choice, "code", champion)
    assert made.files == again.files  # law 2
    assert made.files[PIPELINE] == champion[PIPELINE]
    held = shifted.take(shifted.holdout)
    was, now = (
        losses.value(spec.metric, held.target, answers(load(files[PLAN]), held))
        for files in (champion, made.files)
    )
    assert now is not None and was is not None and now < was
    told = json.loads(made.files["environment.json"])["recalibrated"]
    assert told["version"] == 1 and told["rows"] == int(shifted.train.sum())


def version(**more) -> Version:
    return Version(
        **{"version": 4, "candidate": "abc", "plan_key": "small/versions/abc/plan.json",
           "plan_sha256": "f" * 64, "run": "r", "cause": "upload", "dataset": "d", "frame": "f",
           "estimator": "hist_gradient_boosting", "created": "", "spec_digest": "",
           "code_digest": "", "baseline_key": "", "params": {"max_iter": 9}, **more}
    )  # fmt: skip


def test_a_run_that_recalibrates_has_one_trial_and_scores_it() -> None:
    spec, frame = spec_of(), frame_of(600)
    made = train(frame, spec, {"estimator": "logistic_regression", "params": {}}, "code")
    plan = schema.read(made.files[PLAN])
    (trial,) = proposed(spec, version(), plan, frame.classes)
    assert trial["recalibrate"]["version"] == 4
    assert trial["recalibrate"]["files"]["plan.json"] == "small/versions/abc/plan.json"
    score = evaluate(frame, spec, trial, load(made.files[PLAN]))
    assert score["metric"] == "log_loss" and 0 < score["score"] < 0.7


def test_votes_of_a_forest_have_no_scale_so_the_run_learns_anew_and_says_so() -> None:
    spec, frame = spec_of(), frame_of(400)
    forest = {"estimator": "random_forest", "params": {"n_estimators": 5}}
    plan = schema.read(train(frame, spec, forest, "code").files[PLAN])
    trials = proposed(spec, version(), plan, frame.classes)
    assert len(trials) == spec.training.trials
    assert trials[0]["instead"] == (
        "version 4 cannot be recalibrated: its answers are shares of votes, which have no scale "
        "to shift them on"
    )
    assert not any("recalibrate" in trial for trial in trials)


def test_a_plan_for_other_classes_or_features_is_not_recalibrated() -> None:
    spec, frame = spec_of(), frame_of(400)
    plan = schema.read(
        train(frame, spec, {"estimator": "logistic_regression", "params": {}}, "code").files[PLAN]
    )
    assert "other classes" in str(refusal(plan, spec, ["0", "1", "2"]))
    narrow = spec_of(features={"size": {"type": "number"}})
    assert "no longer has" in str(refusal(plan, narrow, frame.classes))
