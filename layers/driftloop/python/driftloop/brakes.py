"""What holds a run back though something asks for one: cooldown, back-off, budget, giving up.

Pure. Only drift and performance are braked by cooldown and by giving up: an upload brings new
rows, a schedule was asked for, a person knows. The daily budget holds for all but a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from driftloop.event import ALARMS
from driftloop.ledger import Entry
from driftloop.run import RUNNING, Run
from driftloop.run_end import RELEASED
from driftloop.spec import Retrain
from driftloop.when import parse

DAY = timedelta(days=1)
LONGEST = 30 * DAY  # a pause that has come to this is not doubled again


def failures(runs: Iterable[Run]) -> int:
    """Runs of alarms that ended without a release, since the last release. ``runs``: newest
    first."""
    count = 0
    for run in runs:
        if run.outcome == RELEASED:
            break
        if run.status != RUNNING and run.cause in ALARMS:
            count += 1
    return count


def cooled_at(starts: Iterable[Entry], failed: int, policy: Retrain) -> datetime | None:
    """When an alarm may start the next run: the cooldown after the last run that one started,
    longer with every failure after the first. None if there was no such run."""
    times = [parse(s.time) for s in starts if s.cause in ALARMS]
    if not times:
        return None
    return max(times) + back_off(failed, policy)


def back_off(failed: int, policy: Retrain) -> timedelta:
    """The pause after ``failed`` runs: the cooldown, doubled with every failure after the first."""
    wait: timedelta = policy.cooldown
    for _ in range(failed - 1):
        if wait >= LONGEST or not wait:
            break
        wait *= 2
    return wait


def spent(starts: Iterable[Entry], now: datetime) -> int:
    """Runs that started within the last day without a person's wish."""
    recent = [s for s in starts if parse(s.time) > now - DAY]
    return len({s.run for s in recent} - {s.run for s in recent if s.cause == "manual"})


def horizon(policy: Retrain) -> timedelta:
    """How far back starts are remembered: beyond the longest back-off, at least 30 days."""
    return max(30 * DAY, back_off(policy.give_up_after + 1, policy) + DAY)
