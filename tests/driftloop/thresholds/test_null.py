"""The family's thresholds keep the budget, and find what moved."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import NotEnoughData
from driftloop.sketches.sketch import Sketch
from driftloop.thresholds.null import around
from driftloop.thresholds.statistics import STATISTICS

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import power

STILL, DAYS, _ = power.WORLDS


def test_false_alarms_keep_the_budget_where_fixed_rules_do_not() -> None:
    """``tests/bench/power.py`` shows as much of 1,000 windows, and of windows of an hour."""
    asked = [("1/month", "1 of 1"), ("1/month", "2 of 3")]
    for row in power.false_alarms(DAYS, asked, 150, seed=7):
        assert row["alarms"] <= row["driftloop"] <= row["most"]
        assert row["PSI > 0.2"] > 75 and row["p < 0.05"] == 150


@pytest.fixture(scope="module")
def still() -> tuple[power.Baseline, np.ndarray]:
    drawn = STILL.draw(np.random.default_rng(5), 50)
    base = power.trained(STILL, drawn[: 40 * power.ROWS], power.spec(STILL, "4/year"))
    return base, drawn[40 * power.ROWS :]


def test_shifts_are_found(still: tuple[power.Baseline, np.ndarray]) -> None:
    base, after = still
    made = power.spec(STILL, "4/year")
    for kind, size in zip(power.SHIFTS, (1.0, 2.0, 0.2), strict=True):
        windows = after.reshape(-1, power.ROWS, after.shape[1])
        moved = np.concatenate([power.shifted(window, kind, size) for window in windows])
        assert power.alarms(base, made, moved)["driftloop"].mean() > 0.8


def test_budget_and_alarm_may_change_without_training_anew(
    still: tuple[power.Baseline, np.ndarray],
) -> None:
    null = still[0].null

    def levels(budget: str | None, alarm: str = "1 of 1") -> np.ndarray:
        return null.levels(power.spec(STILL, budget, alarm).monitor)

    assert (levels("1/month") < levels("1/year")).all()
    assert (levels("1/month", "2 of 3") < levels("1/month")).all()
    assert (levels(None) == levels("4/year")).all()


def test_a_budget_the_data_cannot_tell_is_refused_by_training() -> None:
    drawn = STILL.draw(np.random.default_rng(5), 9)
    with pytest.raises(NotEnoughData, match=r"monitor.false_alarms: 4/year .* 9 windows"):
        power.trained(STILL, drawn, power.spec(STILL, "4/year"))


def test_a_window_from_another_world_is_always_drift(
    still: tuple[power.Baseline, np.ndarray],
) -> None:
    """No threshold lies beyond what a window wholly out of range has."""
    base, made = still[0], power.spec(STILL, "4/year")
    levels = base.null.levels(made.monitor) * 100
    column = base.features["n0"]
    found = column.score(Sketch.numbers(np.full(300, 1e6)), base.null, levels)["statistics"]
    assert found["kolmogorov_smirnov"]["ratio"] > 1 and found["psi"]["ratio"] > 1


@given(st.sampled_from(sorted(STATISTICS)), st.floats(0, 50), st.floats(0.1, 60))
def test_a_scale_keeps_the_order_and_comes_back(name: str, value: float, most: float) -> None:
    statistic = STATISTICS[name]
    value = min(value, 0.99 * most)
    scaled = statistic.scaled(value, most)
    assert statistic.unscaled(scaled, most) == pytest.approx(value, rel=1e-6, abs=1e-9)
    assert statistic.scaled(0.9 * value, most) <= scaled
    assert statistic.unscaled(1e9, most) <= most * (1 + 1e-9)


@settings(max_examples=30)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=20), st.integers(0, 5))
def test_sums_around_are_sums_around(values: list[int], near: int) -> None:
    found = around(np.array(values, np.float64), near)
    wanted = [sum(values[max(i - near, 0) : i + near + 1]) for i in range(len(values))]
    assert found.tolist() == pytest.approx(wanted)
