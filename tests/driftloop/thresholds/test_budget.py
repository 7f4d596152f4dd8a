"""Budgets, and what data can tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import NotEnoughData
from driftloop.thresholds import budget

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def test_a_budget_is_so_many_of_the_windows() -> None:
    assert budget.rate("4/year", DAY) == pytest.approx(4 / 365.25)
    assert budget.rate("1/week", HOUR) == pytest.approx(1 / 168)
    assert budget.rate("9/day", timedelta(days=30)) == budget.OFTEN


def test_a_budget_beyond_the_data_is_refused_with_the_one_they_support() -> None:
    budget.check("4/year", DAY, 10, "10 windows of training data")
    with pytest.raises(NotEnoughData, match=r"monitor.false_alarms: 4/year .* 10 windows") as told:
        budget.check("4/year", HOUR, 10, "10 windows of training data")
    assert "write 88/year or more, train on 220 windows, or leave it out" in str(told.value)
    budget.check("88/year", HOUR, 10, "")


def test_what_is_not_asked_for_is_as_few_as_the_data_tell() -> None:
    budget.check(None, DAY, 2, "")
    assert budget.granted(None, DAY, 2) == 0.05
    assert budget.granted(None, DAY, 200) == budget.rate("4/year", DAY)
    assert budget.granted("1/year", DAY, 10) == 0.01  # of a spec that was changed since


@given(st.integers(1, 5000), st.sampled_from([HOUR, DAY, 7 * DAY]))
def test_the_budget_that_is_told_is_one_that_is_granted(windows: int, window: timedelta) -> None:
    told = budget.written(budget.least(windows), window)
    budget.check(told, window, windows, "")
