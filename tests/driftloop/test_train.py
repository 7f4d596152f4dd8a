import dataclasses
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import driftloop
from driftloop import container, persisted, pipeline
from driftloop import train as stage
from driftloop.errors import IntegrityError, TrainingError
from driftloop.plan import compile, load, schema
from driftloop.train import Candidate, train

from .learning import frame_of, spec_of

CASES = [
    ("classification", 2, "hist_gradient_boosting", {"max_iter": 10}),
    ("classification", 3, "hist_gradient_boosting", {"max_iter": 5}),
    ("classification", 2, "logistic_regression", {"C": 0.3}),
    ("classification", 3, "random_forest", {"n_estimators": 5}),
    ("regression", 0, "linear_regression", {"alpha": 2.0}),
    ("regression", 0, "random_forest", {"n_estimators": 5}),
    ("regression", 0, "hist_gradient_boosting", {"max_iter": 10}),
]


def choice_of(estimator: str, params: dict) -> dict:
    return {"trial": 0, "estimator": estimator, "params": params, "score": 0.5, "metric": "m"}


@pytest.mark.parametrize(("task", "classes", "estimator", "params"), CASES)
def test_a_candidate_is_complete_and_its_plan_answers_as_its_pipeline(
    task, classes, estimator, params
):
    spec, frame = spec_of(task), frame_of(400, classes)
    candidate = train(frame, spec, choice_of(estimator, params), "c0de")
    scorer = load(candidate.files["plan.json"], candidate.plan_sha256)
    assert scorer.classes == frame.classes and scorer.task == task
    kept = persisted.loads(candidate.files["pipeline.skops"])
    ours = scorer.score([scorer.row(i) for i in frame.instances()])
    np.testing.assert_allclose(ours, pipeline.predict(kept, frame), rtol=1e-12, atol=1e-12)
    environment = json.loads(candidate.files["environment.json"])
    assert environment["threads"] == 1 and environment["code"] == "c0de"
    described = json.loads(candidate.files["baseline.json"])
    assert described["features"].keys() == frame.columns.keys()
    assert described["estimate"]["method"] == ("cbpe" if classes else "dle")
    summary = candidate.summary("small", choice_of(estimator, params), 300)
    assert summary["plan_key"] == f"small/versions/{candidate.name}/plan.json"
    assert summary["form"] == "plan" and len(candidate.name) == 16


@pytest.mark.parametrize(("task", "classes", "estimator", "params"), CASES)
def test_a_null_alone_answers_as_the_training_data_would_have_it(task, classes, estimator, params):
    """A pipeline asked for one row of a null category may take it for another type of column, and
    answer differently than for the same row among others; the plan knows one answer."""
    spec, frame = spec_of(task), frame_of(400, classes)
    candidate = train(frame, spec, choice_of(estimator, params), "c0de")
    scorer = load(candidate.files["plan.json"])
    kept = persisted.loads(candidate.files["pipeline.skops"])
    among_others = pipeline.predict(kept, frame)
    nulls = np.flatnonzero((frame.columns["kind"] == -1) | np.isnan(frame.columns["size"]))[:40]
    assert (frame.columns["kind"][nulls] == -1).any() and frame.train[nulls].any()
    instances = list(frame.instances())
    rows = [scorer.row(instances[n]) for n in nulls]
    alone = [scorer.score([row])[0] for row in rows]
    np.testing.assert_allclose(alone, among_others[nulls], rtol=0, atol=1e-12)
    assert alone == scorer.score(rows)


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from learning import frame_of, spec_of
from driftloop.train import train
candidate = train(frame_of(400), spec_of(), {choice!r}, "c0de")
print(candidate.plan_sha256, candidate.name)
"""


@pytest.mark.parametrize("estimator", ["hist_gradient_boosting", "logistic_regression"])
def test_law_2_another_process_with_other_hashes_and_threads_gives_the_same_bytes(estimator):
    choice = choice_of(estimator, {})
    candidate = train(frame_of(400), spec_of(), choice, "c0de")
    paths = [str(Path(__file__).parent), str(Path(driftloop.__file__).parents[1])]
    script = textwrap.dedent(SCRIPT.format(paths=paths, choice=choice))
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.split() == [candidate.plan_sha256, candidate.name]


def test_law_2_the_plan_does_not_depend_on_the_holdout_but_the_candidate_does():
    spec, frame, choice = spec_of(), frame_of(400), choice_of("hist_gradient_boosting", {})
    moved = frame.columns["hour"].copy()
    moved[-50:] = 0.0
    other = dataclasses.replace(frame, columns={**frame.columns, "hour": moved})
    one, two = (train(f, spec, choice, "c0de") for f in (frame, other))
    assert one.plan_sha256 == two.plan_sha256 and one.name != two.name


def test_law_2_of_a_regression_only_the_interval_depends_on_the_holdout():
    spec, frame = spec_of("regression"), frame_of(400, 0)
    target = frame.target.copy()
    target[~frame.train] += 10.0
    other = dataclasses.replace(frame, target=target)
    plans = [
        json.loads(train(f, spec, choice_of("linear_regression", {}), "c0de").files["plan.json"])
        for f in (frame, other)
    ]
    one, two = (plan.pop("interval") for plan in plans)
    assert plans[0] == plans[1]
    assert two["low"] == pytest.approx(one["low"] + 10.0)


@pytest.mark.parametrize("estimator", ["linear_regression", "hist_gradient_boosting"])
def test_a_regressions_interval_holds_as_much_of_the_holdout_as_it_says(estimator):
    spec, frame = spec_of("regression"), frame_of(800, 0)
    candidate = train(frame, spec, choice_of(estimator, {}), "c0de")
    scorer = load(candidate.files["plan.json"])
    holdout = frame.take(frame.holdout)
    inside = 0
    rows = scorer.lenient_rows(holdout.instances())
    for answer, truth in zip(scorer.score(rows), holdout.target, strict=True):
        low, high = scorer.interval(answer)
        inside += low <= truth <= high
    assert 0.9 <= inside / 200 <= 0.93 and scorer.confidence == 0.9
    few = dataclasses.replace(frame, train=np.arange(800) < 782)
    candidate = train(few, spec, choice_of(estimator, {}), "c0de")
    assert load(candidate.files["plan.json"]).interval(1.0) is None


@pytest.mark.parametrize(("task", "classes", "estimator", "params"), CASES)
def test_explanations_start_from_the_mean_output_over_the_rows_learned_from(
    task, classes, estimator, params
):
    spec, frame = spec_of(task), frame_of(400, classes)
    if estimator == "random_forest":  # whole, not the rows each tree drew
        params = params | {"bootstrap": False}
    candidate = train(frame, spec, choice_of(estimator, params), "c0de")
    plan = schema.read(candidate.files["plan.json"])
    scorer = load(candidate.files["plan.json"])
    learned = scorer.lenient_rows(frame.take(frame.train).instances())
    found = scorer.explain(learned[:3])
    outputs = np.array(compile.outputs(plan)(learned)).T
    np.testing.assert_allclose(found.base, outputs.mean(axis=0), rtol=0, atol=1e-9)
    sums = np.array(found.base) + np.array(found.contributions).sum(axis=2)
    np.testing.assert_allclose(sums, outputs[:3], rtol=0, atol=1e-9)


def test_a_number_that_was_always_missing_is_left_out_of_a_linear_model():
    frame = frame_of(400)
    frame.columns["size"][frame.train] = np.nan
    candidate = train(frame, spec_of(), choice_of("logistic_regression", {}), "c0de")
    scorer = load(candidate.files["plan.json"])
    rows = [scorer.row({"size": size, "hour": 3, "kind": "red"}) for size in (None, 1e9)]
    one, two = scorer.score(rows)
    assert one == two
    assert [c[0][0] for c in scorer.explain(rows).contributions] == [0.0, 0.0]


def test_a_plan_that_answers_differently_is_no_candidate(monkeypatch):
    spec, frame = spec_of(), frame_of(400)
    honest = pipeline.predict
    monkeypatch.setattr(pipeline, "predict", lambda p, f: honest(p, f) + 1e-6)
    with pytest.raises(TrainingError, match="answers differently from its pipeline"):
        train(frame, spec, choice_of("logistic_regression", {}), "c0de")


def test_an_undefined_metric_is_said_in_words():
    frame = frame_of(400)
    target = frame.target.copy()
    target[~frame.train] = 1
    frame = dataclasses.replace(frame, target=target)
    spec = spec_of(training={"metric": "roc_auc"})
    with pytest.raises(TrainingError, match="roc_auc is undefined on the 100 rows"):
        train(frame, spec, choice_of("logistic_regression", {}), "c0de")


def test_a_candidate_with_other_files_is_refused():
    with pytest.raises(IntegrityError, match=r"plan\.json.*not evil\.py"):
        Candidate({"evil.py": b""})


def container_of(base: Path, spec, frame, choice, **hyperparameters: str) -> Path:
    for folder in ("input/config", "input/data/training", "input/data/spec"):
        (base / folder).mkdir(parents=True)
    (base / "input/data/training/abc.npz").write_bytes(frame.to_bytes())
    (base / "input/data/spec/spec.json").write_bytes(spec.to_json())
    (base / "input/data/spec/choice.json").write_text(json.dumps({**choice, "code": "c0de"}))
    (base / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters))
    return base


def test_law_2_the_container_trains_the_same_candidate(tmp_path, capsys):
    spec, frame, choice = spec_of(), frame_of(400), choice_of("hist_gradient_boosting", {})
    told = {"estimator": "hist_gradient_boosting", "seed": "3", "run": "upload-1-1"}
    assert container.run(container_of(tmp_path, spec, frame, choice, **told)) == 0
    written = {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir()}
    expected = train(frame, spec, choice, "c0de")
    assert written == dict(expected.files)
    assert expected.plan_sha256 in capsys.readouterr().out


def test_a_container_that_fails_says_why(tmp_path, capsys):
    spec, frame, choice = spec_of(), frame_of(400), choice_of("hist_gradient_boosting", {})
    base = container_of(tmp_path, spec, frame, choice, estimator="random_forest")
    assert container.run(base) == 1
    failure = (tmp_path / "output/failure").read_text()
    assert failure.startswith("TrainingError: hyperparameter estimator is 'random_forest'")
    assert failure in capsys.readouterr().err
    assert container.run(tmp_path / "nowhere") == 1


def test_every_file_of_a_candidate_is_named():
    assert stage.FILES == ("plan.json", "pipeline.skops", "baseline.json", "environment.json")
