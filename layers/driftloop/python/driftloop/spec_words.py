"""The small languages inside a spec: durations, names, comparisons, budgets, schedules.

Each is an annotated type for pydantic; a value that is none of them is refused in words that show
what to write.
"""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from driftloop.when import iso, parse

Kind = Literal["number", "text", "time"]
"""What a column holds."""

LONGEST = timedelta(days=3653)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: object) -> object:
    """``"10m"`` → ten minutes. Units: s, m, h, d, w. Anything else is left to the type check."""
    if isinstance(value, str):
        match = re.fullmatch(r"([0-9]+)\s*([smhdw])", value.strip())
        if not match:
            raise ValueError("is no duration; write a whole number and s, m, h, d or w, like 10m")
        try:
            span = timedelta(**{_UNITS[match[2]]: int(match[1])})
        except OverflowError:
            span = timedelta.max
        if span > LONGEST:
            raise ValueError("is over ten years")
        return span
    if isinstance(value, (int, float)):
        raise ValueError("has no unit; write s, m, h, d or w behind the number, like 10m")
    return value


def format_duration(value: timedelta) -> str:
    """The shortest exact form: 600 seconds → ``10m``."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def whole_minutes(value: timedelta) -> timedelta:
    """What a schedule can keep: at least a minute, no seconds over."""
    if value < timedelta(minutes=1) or value % timedelta(minutes=1):
        raise ValueError("should be whole minutes, one at least, since a schedule keeps it")
    return value


def parse_moment(value: object) -> object:
    """ISO 8601, or what YAML made of it, → a moment in UTC. Anything else is left to the type
    check."""
    if isinstance(value, str):
        try:
            return parse(value.strip())
        except (ValueError, OverflowError):
            raise ValueError("is no time; write it as 2013-01-31 or 2013-01-31T08:00:00Z") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, datetime):
        try:
            return parse(value.isoformat())
        except OverflowError:
            raise ValueError("is no time; its zone takes it out of the years 1 to 9999") from None
    return value


def _words(pattern: str, right: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(right)
        return value

    return check


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, when_used="json")
]
Minutes = Annotated[Duration, AfterValidator(whole_minutes)]
Moment = Annotated[datetime, BeforeValidator(parse_moment), PlainSerializer(iso, when_used="json")]

Name = Annotated[
    str,
    AfterValidator(
        _words(
            r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?",
            "is no name; write a small letter, then small letters, digits or hyphens, 31 at most",
        )
    ),
]

Column = Annotated[
    str,
    Field(min_length=1, max_length=128),
    AfterValidator(
        _words(
            r"[^\s\x00-\x1f]([^\x00-\x1f]*[^\s\x00-\x1f])?",
            "is no column; no space around it and no line end in it",
        )
    ),
]

RuleName = Annotated[
    str,
    AfterValidator(
        _words(r"[\w-]{1,64}", "is no name; letters, digits, _ and - alone, 64 at most"),
    ),
]

Share = Annotated[float, Field(gt=0, lt=1)]

GateRule = Annotated[
    str,
    AfterValidator(
        _words(
            r"\s*(>=|<=|>|<)\s*-?\d+(\.\d+)?([eE]-?\d+)?\s*",
            "is no rule; write a comparison and a number, like '>= 0.6'",
        )
    ),
]

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def comparison(rule: str) -> tuple[Callable[[float, float], bool], float]:
    """A GateRule as a function and the number it compares with: ``compare(found, number)``."""
    found = re.fullmatch(r"\s*([<>]=?)\s*(\S+)\s*", rule)
    assert found is not None  # the type has checked it
    return _COMPARE[found[1]], float(found[2])


def _meet(rules: list[str]) -> list[str]:
    for one, other in itertools.permutations(rules, 2):
        (fits, number), (_, end) = comparison(one), comparison(other)
        if one.strip()[0] != other.strip()[0] and not fits(end, number):
            raise ValueError("is met by no number")
    return rules


def _listed(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("is no rule; write a comparison and a number, like '>= 1000'")
    return [value] if isinstance(value, str) else value


Bounds = Annotated[
    list[GateRule],
    Field(min_length=1, max_length=2),
    AfterValidator(_meet),
    BeforeValidator(_listed),
]
"""One comparison, or two that hold both."""

Budget = Annotated[
    str,
    AfterValidator(
        _words(
            r"[1-9]\d{0,5}/(day|week|month|year)",
            "is no budget; write how many a day, week, month or year, like 4/year",
        )
    ),
]

MOST_WINDOWS = 30


def _alarm(value: str) -> str:
    found = re.fullmatch(r"\s*(\d{1,2})\s+of\s+(\d{1,2})\s*", value)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= MOST_WINDOWS:
        raise ValueError(
            f"is no alarm; write how many of how many windows, like 2 of 3 ({MOST_WINDOWS} at most)"
        )
    return f"{int(found[1])} of {int(found[2])}"


Alarm = Annotated[str, AfterValidator(_alarm)]


def of(alarm: str) -> tuple[int, int]:
    """An Alarm as numbers: ``"2 of 3"`` → (2, 3)."""
    enough, _, windows = alarm.partition(" of ")
    return int(enough), int(windows)


_RATE = r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)"
_CRON = r"cron\([^\s]+ [^\s]+ (\? [^\s]+ [^\s?]+|[^\s?]+ [^\s]+ \?) [^\s]+\)"

Schedule = Annotated[
    str,
    AfterValidator(
        _words(
            f"{_RATE}|{_CRON}",
            "is no schedule; write rate(1 day), or cron(minute hour day month weekday year) with "
            "a ? for day or weekday, like cron(0 3 ? * MON *)",
        )
    ),
]


def doubles(path: str, names: list[str]) -> Iterator[str]:
    """A sentence for each name that ``names`` holds more than once."""
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"{path}: {name!r} stands there twice"
