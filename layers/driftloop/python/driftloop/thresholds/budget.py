"""Budgets of false alarms, as rates: the probability with which one window may raise one.

``4/year`` of windows of a day is 4 in 365.25. What the training data can tell ends somewhere: a
level that less than a tenth of a window in all of it would pass is a guess. So the least rate is
``SUPPORT / windows``. A spec that asks for less is refused by name when the model is trained; one
that asks for nothing gets 4 a year, or the least there is.
"""

from __future__ import annotations

import math
from datetime import timedelta

from driftloop.errors import NotEnoughData
from driftloop.spec_words import format_duration

DAYS = {"day": 1, "week": 7, "month": 30.4375, "year": 365.25}
USUAL = "4/year"
SUPPORT = 0.1
"""False alarms expected within the training data: fewer cannot be told."""
OFTEN = 0.25
"""No window may be wrong more often than that, whatever the budget."""


def rate(budget: str, window: timedelta) -> float:
    """False alarms per window."""
    count, unit = budget.split("/")
    return min(OFTEN, int(count) * (window / timedelta(days=DAYS[unit])))


def least(windows: int) -> float:
    """The lowest rate that data worth so many windows can tell."""
    return SUPPORT / max(windows, 1)


def written(rate: float, window: timedelta) -> str:
    """A rate as the next budget that allows it: ``5/year``."""
    return f"{max(1, math.ceil(rate * (timedelta(days=365.25) / window) - 1e-9))}/year"


def granted(budget: str | None, window: timedelta, windows: int) -> float:
    """The rate a budget comes to, or the least there is where that is more."""
    return max(rate(budget or USUAL, window), least(windows))


def check(budget: str | None, window: timedelta, windows: int, worth: str) -> None:
    """Raises NotEnoughData for a budget asked for that the data cannot support; ``worth``: what
    the data are, in words."""
    if budget is None or rate(budget, window) >= least(windows):
        return
    wanted = math.ceil(SUPPORT / rate(budget, window))
    raise NotEnoughData(
        f"monitor.false_alarms: {budget} is fewer than {worth} can tell, of windows of "
        f"{format_duration(window)}; write {written(least(windows), window)} or more, train on "
        f"{wanted} windows, or leave it out to have the least the data support"
    )
