import dataclasses
import json

import numpy as np
import pytest

from driftloop import tune
from driftloop.errors import TrainingError
from driftloop.tune import choose, evaluate, folds, propose

from .learning import frame_of, spec_of


def test_the_first_trials_are_the_defaults_and_all_are_different():
    trials = propose(spec_of(training={"trials": 10, "seed": 1}))
    assert [t["trial"] for t in trials] == list(range(10))
    assert [t["estimator"] for t in trials[:2]] == ["hist_gradient_boosting", "logistic_regression"]
    assert trials[0]["params"] == tune.DEFAULTS["hist_gradient_boosting"]
    assert len({json.dumps(t["params"]) for t in trials}) == 10


def test_law_2_the_same_seed_proposes_the_same_trials():
    spec = spec_of(training={"trials": 12, "seed": 5})
    assert propose(spec) == propose(spec)
    assert propose(spec) != propose(spec_of(training={"trials": 12, "seed": 6}))


@pytest.mark.parametrize(
    ("task", "classes", "estimator"),
    [
        ("classification", 2, "hist_gradient_boosting"),
        ("classification", 3, "random_forest"),
        ("classification", 3, "logistic_regression"),
        ("regression", 0, "hist_gradient_boosting"),
        ("regression", 0, "random_forest"),
        ("regression", 0, "linear_regression"),
    ],
)
@pytest.mark.parametrize("time", [True, False])
def test_every_drawn_trial_can_be_fitted_and_is_better_than_nothing(task, classes, estimator, time):
    spec = spec_of(task, training={"estimators": [estimator], "trials": 2, "seed": 2})
    frame = frame_of(300, classes, time=time)
    for trial in propose(spec):
        score = evaluate(frame, spec, trial)
        naive = np.log(classes) if classes else float(np.std(frame.target))
        assert score["score"] < naive and score["folds"] == 3
        assert evaluate(frame, spec, trial) == score


@pytest.mark.parametrize("rows", [400, 20_000])
def test_folds_stay_in_the_training_part_and_judge_by_later_rows(rows):
    frame = frame_of(rows)
    count = 0
    for learn, judge in folds(frame, 0):
        count += 1
        assert frame.train[learn].all() and frame.train[judge].all()
        assert frame.time[learn].max() < frame.time[judge].min()
    assert count == (3 if rows < tune.FEW_ROWS else 1)


@pytest.mark.parametrize("rows", [400, 20_000])
def test_folds_without_time_have_each_class_on_both_sides(rows):
    frame = frame_of(rows, 3, time=False)
    judged = []
    for learn, judge in folds(frame, 0):
        assert not set(learn) & set(judge)
        assert len(set(frame.target[judge])) == len(set(frame.target[learn])) == 3
        judged += judge.tolist()
    assert len(set(judged)) == len(judged)


def test_a_trial_that_cannot_be_fitted_says_so_and_is_passed_over():
    spec, frame = spec_of(), frame_of()
    bad = evaluate(frame, spec, {"trial": 0, "estimator": "logistic_regression",
                                 "params": {"C": -1.0}})  # fmt: skip
    worse = evaluate(frame, spec, {"trial": 1, "estimator": "logistic_regression",
                                   "params": {"colour": "red"}})  # fmt: skip
    assert "'C' parameter" in bad["error"] and "colour" in worse["error"]
    good = {"trial": 2, "estimator": "e", "params": {}, "metric": "log_loss", "score": 0.5}
    assert choose(spec, [bad, worse, good])["trial"] == 2
    with pytest.raises(TrainingError, match=r"none of 2 trials could be fitted.*colour"):
        choose(spec, [bad, worse])


def test_the_best_is_chosen_by_the_metrics_direction_and_the_first_of_equals():
    scores = [
        {"trial": n, "estimator": "e", "params": {}, "metric": "m", "score": s, "folds": 1}
        for n, s in enumerate([0.6, 0.7, 0.5, 0.7, 0.5])
    ]
    assert choose(spec_of(), list(reversed(scores)))["trial"] == 2
    assert choose(spec_of(training={"metric": "roc_auc"}), scores)["trial"] == 1


def test_a_feature_that_is_always_missing_is_left_out():
    frame = frame_of(300)
    blank = {**frame.columns, "size": np.full(300, np.nan), "kind": np.full(300, -1, np.int32)}
    frame = dataclasses.replace(frame, columns=blank)
    for trial in propose(spec_of())[:2]:
        assert "score" in evaluate(frame, spec_of(), trial)


@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", "random_forest"])
@pytest.mark.parametrize("time", [True, False])
def test_a_class_that_a_fold_has_not_learned_costs_its_rows_not_the_trial(estimator, time):
    """One mistyped label among the rows to learn from must not stop the loop."""
    frame = frame_of(400, 2, time=time)
    target = frame.target.copy()
    target[np.flatnonzero(frame.train)[-1]] = 2  # classes 0, 1 and this one
    spec = spec_of(training={"estimators": [estimator], "trials": 1})
    clean = evaluate(frame, spec, propose(spec)[0])
    typo = dataclasses.replace(frame, target=target, classes=["0", "1", "10"])
    score = evaluate(typo, spec, propose(spec)[0])
    assert "error" not in score
    assert clean["score"] < score["score"] < clean["score"] + 35 * 3 / 100
