"""The baseline: what train asks of it, and how often it cries wolf."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from driftloop.baseline import Baseline, baseline, predictions_sketch, target_sketch
from driftloop.errors import IntegrityError
from driftloop.frame import Frame
from driftloop.sketches.bins import NumberBins, TextBins
from driftloop.sketches.sketch import Sketch
from driftloop.spec import Spec
from driftloop.thresholds.statistics import STATISTICS

DAY = 86_400_000


def spec(task: str = "classification", **monitor: Any) -> Spec:
    return Spec.parse(
        {
            "name": "toy",
            "task": task,
            "target": "late",
            "time": "at",
            "features": {
                "x": {"type": "number", "nullable": True},
                "c": {"type": "category"},
                "prediction": {"type": "number"},
            },
            "monitor": {"min_rows": 100, **monitor},
        }
    )


def frame(days: int = 40, per_day: int = 300, seed: int = 0) -> Frame:
    rng = np.random.default_rng(seed)
    n = days * per_day
    x = rng.normal(size=n)
    x[rng.random(n) < 0.05] = np.nan
    return Frame(
        columns={
            "x": x,
            "c": rng.integers(-1, 4, n).astype(np.int32),
            "prediction": np.full(n, 5.0),
        },
        vocabulary={"c": ["a", "b", "d", "e"]},
        target=(rng.random(n) < 0.3).astype(np.int32),
        classes=["0", "1"],
        train=np.arange(n) < 0.8 * n,
        time=np.repeat(np.arange(days) * DAY, per_day),
    )


def scores(n: int, seed: int = 1) -> np.ndarray[Any, Any]:
    return np.clip(np.random.default_rng(seed).beta(3, 7, n), 0, 1)


def window(rows: int, seed: int, shift: float = 0.0) -> dict[str, Sketch]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=rows) + shift
    values[rng.random(rows) < 0.05] = np.nan
    return {
        "x": Sketch.numbers(values),
        "c": Sketch.codes(rng.integers(-1, 4, rows), ["e", "a", "d", "b"]),
        "prediction": Sketch.numbers(np.full(rows, 5.0)),
    }


def predicted(rows: int, seed: int) -> Sketch:
    return predictions_sketch(scores(rows, seed), ["0", "1"])


@pytest.fixture(scope="module")
def base() -> Baseline:
    f = frame()
    return baseline(f, scores(int(f.holdout.sum())), "log_loss", 0.62, spec())


def test_is_plain_finite_json_and_comes_back_the_same_law_10(base: Baseline) -> None:
    text = json.dumps(base.to_json(), allow_nan=False)
    loaded = Baseline.from_json(json.loads(text))
    assert loaded.to_json() == base.to_json()
    seen, answers = window(300, 1, 0.5), predicted(300, 1)
    assert loaded.score(spec().monitor, seen, answers) == base.score(spec().monitor, seen, answers)
    x = loaded.features["x"]
    assert x.sketch.rows == sum(x.counts) + x.sketch.missing == 12_000
    assert (loaded.metric, loaded.value) == ("log_loss", 0.62)
    assert loaded.performance_limit(spec(), 300) > 0.62 * 1.1
    assert len(text) < 100_000


def test_a_baseline_of_another_form_is_refused(base: Baseline) -> None:
    with pytest.raises(IntegrityError, match="train the model anew"):
        Baseline.from_json({**base.to_json(), "format": "driftloop.baseline/1"})


def test_blocks_are_counted_as_windows_are(base: Baseline) -> None:
    """Thresholds come from rows assigned to bins, windows' counts from sketches."""
    f, some = frame(), slice(3000, 3300)
    x, c = base.features["x"].bins, base.features["c"].bins
    assert isinstance(x, NumberBins) and isinstance(c, TextBins) and c.categories
    codes, names, values = f.columns["c"][some], f.vocabulary["c"], f.columns["x"][some]
    for assigned, counts in (
        (x.assign(values), x.counts(Sketch.numbers(values))),
        (c.assign(codes, names), c.counts(Sketch.codes(codes, names))),
    ):
        assert np.bincount(assigned[assigned >= 0], minlength=len(counts)).tolist() == counts


def test_answers_to_the_holdout_are_what_windows_are_compared_with() -> None:
    f = frame()
    everything = scores(f.rows)
    whole = baseline(f, everything, "log_loss", 0.62, spec())
    part = baseline(f, everything[f.holdout], "log_loss", 0.62, spec())
    assert whole.prediction.counts == part.prediction.counts
    assert sum(whole.prediction.counts) == f.holdout.sum()


def test_a_missing_or_infinite_score_is_refused_law_10() -> None:
    f = frame()
    with pytest.raises(ValueError, match="finite prediction"):
        baseline(f, np.full(int(f.holdout.sum()), np.nan), "log_loss", 0.6, spec())
    with pytest.raises(ValueError, match="finite prediction"):
        baseline(f, scores(3), "log_loss", 0.6, spec())


def test_quiet_windows_stay_quiet_and_loud_ones_do_not(base: Baseline) -> None:
    alarms = 0
    for seed in range(200):
        features, prediction, _ = base.score(
            spec().monitor, window(300, seed + 10), predicted(300, seed + 10)
        )
        alarms += max(s["ratio"] for s in [*features.values(), prediction]) > 1
    assert alarms <= 6  # the budget of 4 a year is 2.2 in 200 days
    features, *_ = base.score(spec().monitor, window(300, 5, shift=1.0), predicted(300, 5))
    assert features["x"]["ratio"] > 1 > features["c"]["ratio"]


@pytest.mark.parametrize("wrong", [500.0, 5.01, -5.0])
def test_a_unit_bug_in_a_constant_shows(base: Baseline, wrong: float) -> None:
    seen = {**window(300, 3), "prediction": Sketch.numbers(np.full(300, wrong))}
    features, *_ = base.score(spec().monitor, seen, predicted(300, 3))
    assert features["prediction"]["ratio"] > 1


def test_a_source_that_fell_silent_shows(base: Baseline) -> None:
    seen = {**window(300, 3), "x": Sketch.numbers(np.full(300, np.nan))}
    features, *_ = base.score(spec().monitor, seen, predicted(300, 3))
    assert features["x"]["statistics"]["missing"]["ratio"] > 1
    assert features["x"]["statistics"]["psi"]["value"] == 0.0


def test_smaller_windows_get_wider_thresholds(base: Baseline) -> None:
    (small, *_) = base.score(spec().monitor, window(100, 1), predicted(100, 1))
    (large, *_) = base.score(spec().monitor, window(900, 1), predicted(900, 1))
    assert (
        small["x"]["statistics"]["psi"]["threshold"]
        > (large["x"]["statistics"]["psi"]["threshold"])
    )
    assert base.performance_limit(spec(), 100) > base.performance_limit(spec(), 900)


def test_every_statistic_may_be_asked_for_law_10() -> None:
    made = spec(statistics=[*STATISTICS], alarm="2 of 3")
    f = frame()
    base = baseline(f, scores(f.rows), "log_loss", 0.62, made)
    labels = target_sketch([1] * 300, ["0", "1"])
    for seen in (window(300, 1), window(7, 1), {n: s.merge(s) for n, s in window(90, 2).items()}):
        found = base.score(made.monitor, seen, predicted(300, 1), labels)
        assert found.target is not None and found.target["ratio"] > 1 > found.prediction["ratio"]
        assert len(found.features["x"]["statistics"]) == len(STATISTICS) - 1
        json.dumps(found, allow_nan=False)
    gone = base.score(made.monitor, {"x": Sketch.numbers(np.full(9, np.nan))}, predicted(9, 1))
    assert list(gone.features) == ["x"] and gone.target is None
    json.dumps(gone, allow_nan=False)


def test_rows_without_times_are_drawn_and_too_few_tell_only_what_is_wholly_apart() -> None:
    f = frame()
    still = Frame(f.columns, f.vocabulary, f.target, f.classes, f.train)
    base = baseline(still, scores(f.rows), "log_loss", 0.62, spec())
    found = base.score(spec().monitor, window(300, 3), predicted(300, 3))
    assert base.null.how == "rows drawn by chance"
    assert max(score["ratio"] for score in found.features.values()) < 1
    few = still.take(np.arange(9600 - 4, 9600 + 4))
    base = baseline(few, scores(8), "log_loss", 0.62, spec())
    assert base.null.rows == ()
    found = base.score(spec().monitor, window(300, 3), predicted(300, 3))
    assert found.features["x"]["ratio"] < 1
    far = base.score(spec().monitor, {"x": Sketch.numbers(np.full(300, 1e6))}, predicted(300, 3))
    assert far.features["x"]["ratio"] > 1


def test_many_classes_and_regression() -> None:
    f = frame()
    three = Frame(f.columns, f.vocabulary, (np.arange(f.rows) % 3).astype(np.int32),
                  ["a", "b", "c"], f.train, f.time)  # fmt: skip
    held = int(f.holdout.sum())
    even = np.random.default_rng(0).dirichlet([1, 1, 1], held)
    base = baseline(three, even, "log_loss", 1.1, spec())
    assert isinstance(base.prediction.bins, TextBins)
    assert set(base.prediction.bins.categories) == {"a", "b", "c"}
    assert sum(base.prediction.counts) == held
    numbers = Frame(f.columns, f.vocabulary, np.random.default_rng(0).normal(size=f.rows), None,
                    f.train, f.time)  # fmt: skip
    base = baseline(numbers, np.zeros(held), "rmse", 1.0, spec("regression"))
    assert base.performance_limit(spec("regression"), 100) > 1.1
