"""The baseline: what train asks of it, and how often it cries wolf."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from driftloop import baseline
from driftloop import bins as sketch
from driftloop.frame import Frame
from driftloop.spec import Spec

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


def window(base: dict[str, Any], rows: int, seed: int, shift: float = 0.0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=rows) + shift
    values[rng.random(rows) < 0.05] = np.nan
    names = [[None, "a", "b", "d", "e"][i] for i in rng.integers(0, 5, rows)]
    bins = base["features"]
    return {
        "x": sketch.tally(bins["x"], sketch.assign_numbers(bins["x"], values)),
        "c": sketch.tally(bins["c"], sketch.assign_names(bins["c"], names)),
        "prediction": sketch.tally(
            bins["prediction"], sketch.assign_numbers(bins["prediction"], np.full(rows, 5.0))
        ),
    }


def predicted(base: dict[str, Any], rows: int, seed: int) -> dict[str, Any]:
    bins = base["prediction"]
    return sketch.tally(bins, baseline.assign_predictions(bins, scores(rows, seed)))


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    f = frame()
    return baseline.baseline(f, scores(int(f.holdout.sum())), "log_loss", 0.62, spec())


def test_is_plain_finite_json_law_10(base: dict[str, Any]) -> None:
    assert json.loads(json.dumps(base, allow_nan=False)) == base
    assert base["features"]["x"]["rows"] == 12_000
    assert sum(base["features"]["x"]["counts"]) + base["features"]["x"]["missing"] == 12_000
    assert base["metric"] == {"name": "log_loss", "value": 0.62}
    assert base["thresholds"]["performance"]["log_loss"] > 0.62 * 1.1


def test_scores_of_all_rows_are_cut_to_the_holdout() -> None:
    f = frame()
    everything = scores(f.rows)
    whole = baseline.baseline(f, everything, "log_loss", 0.62, spec())
    assert whole == baseline.baseline(f, everything[f.holdout], "log_loss", 0.62, spec())


def test_a_missing_or_infinite_score_is_refused_law_10() -> None:
    f = frame()
    with pytest.raises(ValueError, match="finite prediction"):
        baseline.baseline(f, np.full(int(f.holdout.sum()), np.nan), "log_loss", 0.6, spec())
    with pytest.raises(ValueError, match="finite prediction"):
        baseline.baseline(f, scores(3), "log_loss", 0.6, spec())


def test_quiet_windows_stay_quiet_and_loud_ones_do_not(base: dict[str, Any]) -> None:
    alarms = 0
    for seed in range(200):
        features, prediction = baseline.scored(
            base, window(base, 300, seed + 10), predicted(base, 300, seed + 10)
        )
        alarms += max(s["ratio"] for s in [*features.values(), prediction]) > 1
    assert alarms <= 6  # the budget of 4 a year is 2.2 in 200 days
    features, _ = baseline.scored(base, window(base, 300, 5, shift=1.0), predicted(base, 300, 5))
    assert features["x"]["ratio"] > 1 > features["c"]["ratio"]


def test_a_unit_bug_in_a_constant_shows(base: dict[str, Any]) -> None:
    seen = window(base, 300, 3)
    bins = base["features"]["prediction"]
    seen["prediction"] = sketch.tally(bins, sketch.assign_numbers(bins, np.full(300, 500.0)))
    features, _ = baseline.scored(base, seen, predicted(base, 300, 3))
    assert features["prediction"]["ratio"] > 1


def test_a_source_that_fell_silent_shows(base: dict[str, Any]) -> None:
    seen = window(base, 300, 3)
    bins = base["features"]["x"]
    seen["x"] = sketch.tally(bins, sketch.assign_numbers(bins, np.full(300, np.nan)))
    features, _ = baseline.scored(base, seen, predicted(base, 300, 3))
    assert features["x"]["missing_ratio"] > 1
    assert features["x"]["psi"] == 0.0


def test_smaller_windows_get_wider_thresholds(base: dict[str, Any]) -> None:
    small, _ = baseline.scored(base, window(base, 100, 1), predicted(base, 100, 1))
    large, _ = baseline.scored(base, window(base, 900, 1), predicted(base, 900, 1))
    assert small["x"]["psi_threshold"] > large["x"]["psi_threshold"]
    assert baseline.performance_limit(base, spec(), 100) > baseline.performance_limit(
        base, spec(), 900
    )


def test_many_classes_and_regression() -> None:
    f = frame()
    three = Frame(f.columns, f.vocabulary, (np.arange(f.rows) % 3).astype(np.int32),
                  ["a", "b", "c"], f.train, f.time)  # fmt: skip
    held = int(f.holdout.sum())
    even = np.random.default_rng(0).dirichlet([1, 1, 1], held)
    base = baseline.baseline(three, even, "log_loss", 1.1, spec())
    assert base["prediction"]["type"] == "category"
    assert sum(base["prediction"]["counts"]) == held
    numbers = Frame(f.columns, f.vocabulary, np.random.default_rng(0).normal(size=f.rows), None,
                    f.train, f.time)  # fmt: skip
    base = baseline.baseline(numbers, np.zeros(held), "rmse", 1.0, spec("regression"))
    assert base["thresholds"]["performance"]["rmse"] > 1.1
