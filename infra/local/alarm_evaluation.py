"""What state a metric alarm should be in, from its data points alone.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html

Pure. A data point is one statistic over one whole period, ``None`` where nothing was reported.
CloudWatch looks back further than ``evaluation_periods``: its *evaluation range* is those and a
few more, so that late or sparse metrics still find their last real points.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]

# AWS publishes no number; its own examples show five points for an alarm of three periods
EXTRA_PERIODS = 2

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
MISSING = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True)
class Condition:
    """What an alarm watches for: ``datapoints`` of ``periods`` points beyond the threshold."""

    comparison: str
    threshold: float
    periods: int = 1
    datapoints: int = 1
    missing: str = "missing"

    @property
    def range(self) -> int:
        """How many points CloudWatch looks at."""
        return self.periods + EXTRA_PERIODS

    def breaches(self, value: float) -> bool:
        compare, _ = COMPARISONS[self.comparison]
        return compare(value, self.threshold)


@dataclass(frozen=True)
class Point:
    """The statistic over the period that begins at ``start``."""

    start: datetime
    value: float


@dataclass(frozen=True)
class Verdict:
    """The state to be in, why in CloudWatch's words, and the points that were counted."""

    state: State
    reason: str
    counted: tuple[Point, ...]


def evaluate(condition: Condition, points: Sequence[Point | None], state: State) -> Verdict:
    """Judge ``points`` (oldest first, one a period of the range) for an alarm now in ``state``."""
    real = [point for point in points if point is not None]
    counted = tuple(real[-condition.periods :])
    missing = condition.periods - len(counted)
    breaching = sum(condition.breaches(point.value) for point in counted)
    filled = missing if condition.missing == "breaching" else 0
    if missing and condition.missing in ("missing", "ignore"):
        new = _with_gaps(condition, points, counted, breaching, state)
    else:
        new = "ALARM" if breaching + filled >= condition.datapoints else "OK"
    return Verdict(new, _reason(condition, counted, new, state), counted)


def _with_gaps(
    condition: Condition,
    points: Sequence[Point | None],
    counted: tuple[Point, ...],
    breaching: int,
    state: State,
) -> State:
    """Too few real points, and none are made up."""
    if not counted:
        return "INSUFFICIENT_DATA" if condition.missing == "missing" else state
    if breaching >= condition.datapoints:
        return "ALARM"
    if breaching < len(counted):
        return "OK"
    # all that is known breaches, but it is too little: only an old enough breach is believed, so
    # that a single first point does not alarm before its neighbours had time to arrive
    age = next(n for n, point in enumerate(points) if point is not None)
    old_enough = len(points) - age >= condition.datapoints
    return "ALARM" if condition.missing == "missing" and old_enough else state


def _reason(condition: Condition, counted: tuple[Point, ...], new: State, old: State) -> str:
    _, words = COMPARISONS[condition.comparison]
    if not counted:
        number = condition.periods
        if new == "INSUFFICIENT_DATA":
            return f"Insufficient Data: {_many(number, 'datapoint')} {_was(number)} unknown."
        treated = "Breaching" if condition.missing == "breaching" else "NonBreaching"
        return (
            f"Threshold Crossed: no datapoints were received for {_many(number, 'period')} and "
            f"{_many(number, 'missing datapoint')} {_was(number)} treated as [{treated}]."
        )
    breaching = [p for p in counted if condition.breaches(p.value) is (new == "ALARM")]
    listed = ", ".join(f"{p.value!r} ({p.start:%d/%m/%y %H:%M:%S})" for p in reversed(breaching))
    return (
        f"Threshold Crossed: {len(breaching)} out of the last "
        f"{len(counted)} datapoints [{listed}] {_was(len(breaching))} "
        f"{'' if new == 'ALARM' else 'not '}{words} the threshold ({float(condition.threshold)!r}) "
        f"(minimum {_many(condition.datapoints, 'datapoint')} for "
        f"{'OK' if new == 'ALARM' else 'ALARM'} -> {new} transition)."
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def is_final(condition: Condition, statistic: str) -> bool:
    """Whether a breach seen within a running period can no longer be undone by later samples.

    A maximum only grows, a minimum only falls, a count only grows; an average may still go either
    way, and so may a sum, since samples may be negative.
    """
    rising = condition.comparison.startswith("Greater")
    return (statistic in ("Maximum", "SampleCount") and rising) or (
        statistic == "Minimum" and not rising
    )
