"""What holds an alarm's run back: giving up, nothing new to learn, cooldown and back-off, budget.

Pure. Only drift and performance are braked so: an upload brings new rows, a schedule was asked
for, a person knows. The daily budget holds for all but a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from driftloop.arrived import Arrived
from driftloop.breaker import Breaker
from driftloop.ledger import Entry
from driftloop.spec import Retrain
from driftloop.when import iso, parse

DAY = timedelta(days=1)
LONGEST = 30 * DAY  # a pause that has come to this is not doubled again


def given_up(breaker: Breaker, policy: Retrain) -> str:
    """Why no alarm starts a run until somebody or something closes the breaker, or ""."""
    count = breaker.fruitless
    if count < policy.give_up_after:
        return ""
    runs = "one run" if count == 1 else f"{count} runs"
    return f"given up after {runs} of alarms that released nothing"


def nothing_new(arrived: Arrived | None, breaker: Breaker) -> str:
    """Why there is nothing to learn that the last run which did not fail had not learned, or "".
    A run that failed has learned nothing."""
    if arrived is None:
        return "no labelled rows are known to have arrived"
    if arrived.newest > breaker.learned:
        return ""
    return f"no labelled rows have arrived since the last run began: {breaker.learned}"


def cooling(breaker: Breaker, now: datetime, policy: Retrain) -> str:
    """Why an alarm has to wait after the run before, or ""."""
    ready = cooled_at(breaker, policy)
    if ready is None or now >= ready:
        return ""
    longer = f", longer after {breaker.failed} failures" if breaker.failed > 1 else ""
    return f"the last run of an alarm is too young{longer}: cooling down until {iso(ready)}"


def cooled_at(breaker: Breaker, policy: Retrain) -> datetime | None:
    """When an alarm may start the next run; None if none has started one."""
    return parse(breaker.last) + back_off(breaker.failed, policy) if breaker.last else None


def back_off(failed: int, policy: Retrain) -> timedelta:
    """The pause after ``failed`` runs that failed: the cooldown, doubled with every one after the
    first."""
    wait: timedelta = policy.cooldown
    for _ in range(failed - 1):
        if wait >= LONGEST or not wait:
            break
        wait *= 2
    return wait


def over_budget(causes: Iterable[str], starts: Iterable[Entry], now: datetime, most: int) -> str:
    """Why the day's budget of ``most`` runs is against it, or ""."""
    count = spent(starts, now)
    if "manual" in causes or count < most:
        return ""
    allowed = f"the spec allows {most} (retrain.max_per_day)"
    return f"{count} runs started within a day, and {allowed}"


def spent(starts: Iterable[Entry], now: datetime) -> int:
    """Runs that started within the last day without a person's wish."""
    recent = [s for s in starts if parse(s.time) > now - DAY]
    return len({s.run for s in recent} - {s.run for s in recent if s.cause == "manual"})
