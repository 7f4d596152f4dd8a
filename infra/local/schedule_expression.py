"""When a schedule fires: ``rate(…)``, ``cron(…)`` and ``at(…)``, in UTC.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html

Pure: ``parse(expression)`` refuses what AWS refuses; ``next_after`` says when it fires next.
"""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: n for n, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)}
_LAST_YEAR = 2199


class InvalidSchedule(ValueError):
    """The expression is not one AWS takes."""


class Schedule(Protocol):
    def next_after(self, when: datetime, anchor: datetime) -> datetime | None:
        """The first time after ``when`` (both UTC); ``anchor`` is the rule's creation."""


@dataclass(frozen=True)
class Rate:
    """At regular intervals, counted from the creation of the rule."""

    every: timedelta

    def next_after(self, when: datetime, anchor: datetime) -> datetime | None:
        past = max((when - anchor) // self.every, 0)
        return anchor + (past + 1) * self.every


@dataclass(frozen=True)
class At:
    """Once (EventBridge Scheduler only)."""

    when: datetime

    def next_after(self, when: datetime, anchor: datetime) -> datetime | None:
        return self.when if self.when > when else None


@dataclass(frozen=True)
class Cron:
    """At the minutes that all fields allow."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    def next_after(self, when: datetime, anchor: datetime) -> datetime | None:
        start = when.replace(second=0, microsecond=0) + timedelta(minutes=1)
        for year in range(start.year, _LAST_YEAR + 1):
            if year not in self.years:
                continue
            for month in sorted(self.months):
                if (year, month) < (start.year, start.month):
                    continue
                for moment in self._moments(year, month):
                    if moment >= start:
                        return moment
        return None

    def _moments(self, year: int, month: int) -> Iterator[datetime]:
        if self.weekdays == "?":
            days = _days_of_month(self.days, year, month)
        else:
            days = _days_by_weekday(self.weekdays, year, month)
        for day in sorted(days):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    yield datetime(year, month, day, hour, minute, tzinfo=UTC)


def parse(expression: str) -> Schedule:
    """Read an expression; raises :class:`InvalidSchedule`."""
    found = re.fullmatch(r"(rate|cron|at)\((.*)\)", expression)
    if not found:
        raise InvalidSchedule(f"{expression!r} is neither rate(…) nor cron(…)")
    kind, body = found.groups()
    readers: dict[str, Callable[[str], Schedule]] = {"rate": _rate, "cron": _cron, "at": _at}
    try:
        return readers[kind](body)
    except InvalidSchedule as error:
        raise InvalidSchedule(f"{expression!r}: {error}") from error


def _rate(body: str) -> Rate:
    found = re.fullmatch(r"([1-9]\d*) (minute|hour|day)(s?)", body)
    if not found:
        raise InvalidSchedule("a rate is a positive whole number and minute(s), hour(s) or day(s)")
    number, unit, plural = int(found[1]), found[2], bool(found[3])
    if plural != (number != 1):
        raise InvalidSchedule("the unit is singular for 1 and plural for everything else")
    return Rate(timedelta(**{f"{unit}s": number}))


def _at(body: str) -> At:
    try:
        return At(datetime.strptime(body, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC))
    except ValueError as error:
        raise InvalidSchedule("a moment is yyyy-mm-ddThh:mm:ss") from error


def _cron(body: str) -> Cron:
    fields = body.upper().split()
    if len(fields) != 6:
        raise InvalidSchedule("six fields: minutes hours day-of-month month day-of-week year")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise InvalidSchedule("exactly one of day-of-month and day-of-week must be ?")
    cron = Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        days,
        _numbers(months, 1, 12, _MONTHS),
        weekdays,
        _numbers(years, 1970, _LAST_YEAR),
    )
    # a month is enough to find every mistake in the two fields that depend on one
    for _ in cron._moments(2024, 1):
        pass
    return cron


def _numbers(
    field: str, low: int, high: int, names: dict[str, int] | None = None
) -> frozenset[int]:
    """All numbers of one field: ``*``, ``a``, ``a-b``, ``a,b``, ``a/step``, ``*/step``."""
    numbers: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _number(first, low, high, names)
            end = _number(last, low, high, names) if dash else (high if step else begin)
        stride = _number(step, 1, high, None) if "/" in item else 1
        if end < begin:  # 20-2 runs over the end of the day
            end += high - low + 1
        numbers.update(low + (n - low) % (high - low + 1) for n in range(begin, end + 1, stride))
    return frozenset(numbers)


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    if names and text in names:
        return names[text]
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise InvalidSchedule(f"{text or 'nothing'!r} is not within {low}-{high}")
    return int(text)


def _days_of_month(field: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]
    days: set[int] = set()
    for item in field.split(","):
        if item == "L":
            days.add(last)
        elif item == "LW" or re.fullmatch(r"\d+W", item):
            day = last if item == "LW" else _number(item[:-1], 1, 31, None)
            if day <= last:
                days.add(_nearest_weekday(year, month, day, last))
        else:
            days.update(day for day in _numbers(item, 1, 31) if day <= last)
    return days


def _nearest_weekday(year: int, month: int, day: int, last: int) -> int:
    """Monday to Friday, without leaving the month."""
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _days_by_weekday(field: str, year: int, month: int) -> set[int]:
    last = calendar.monthrange(year, month)[1]
    # AWS counts Sunday as 1, Python's calendar counts Monday as 0
    weekday_of = {
        day: (calendar.weekday(year, month, day) + 1) % 7 + 1 for day in range(1, last + 1)
    }
    days: set[int] = set()
    for item in field.split(","):
        name, hash_, nth = item.partition("#")
        if hash_:
            wanted, count = _number(name, 1, 7, _WEEKDAYS), _number(nth, 1, 5, None)
            same = [day for day, weekday in weekday_of.items() if weekday == wanted]
            days.update(same[count - 1 : count])
        elif item == "L":
            days.update(day for day, weekday in weekday_of.items() if weekday == 7)
        elif item.endswith("L"):
            wanted = _number(item[:-1], 1, 7, _WEEKDAYS)
            days.add(max(day for day, weekday in weekday_of.items() if weekday == wanted))
        else:
            numbers = _numbers(item, 1, 7, _WEEKDAYS)
            days.update(day for day, weekday in weekday_of.items() if weekday in numbers)
    return days
