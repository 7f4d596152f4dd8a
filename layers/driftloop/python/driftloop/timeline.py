"""Which version answered when, and what was decided meanwhile. Pure: from the audit and the ledger.

Only what lies before ``end`` is told, so a window's timeline is the same whenever it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise

from driftloop.ledger import Audit, Entry
from driftloop.when import iso, parse

REACH = timedelta(days=45)
"""How far back a timeline goes."""

CROWNED = ("promote", "rollback")
"""Actions of the audit after which ``after`` is the champion."""
SILENT = ("run-ended", "sweep")
"""Kinds of ledger rows that tell of nothing outside, unless they started something."""
STARTED = "started"
ROLLED_BACK = "rolled_back"
"""A decision that the audit tells of too."""


@dataclass(frozen=True)
class Reign:
    """``version`` was champion from ``start`` to ``end`` (ISO; cut to the timeline)."""

    version: int
    start: str
    end: str


@dataclass(frozen=True)
class Mark:
    """Something that happened, and why. ``what``: an action of the audit (``promote``,
    ``rollback``, ``canary`` …) or a decision of the ledger (``started``, ``suppressed`` …), which
    then has a ``cause``. ``last`` is later than ``time`` where the same was decided ``times``
    times in a row."""

    time: str
    what: str
    why: str
    cause: str | None = None
    version: int | None = None
    last: str = ""
    times: int = 1


@dataclass(frozen=True)
class Timeline:
    """``since``: from when on the windows up to this one have been over a threshold, if known."""

    start: str = ""
    end: str = ""
    reigns: tuple[Reign, ...] = ()
    marks: tuple[Mark, ...] = ()
    since: str | None = None


def timeline(
    audit: Iterable[Audit],
    ledger: Iterable[Entry],
    end: str,
    *,
    reach: timedelta = REACH,
    since: str | None = None,
) -> Timeline:
    """The timeline of the ``reach`` before ``end`` (ISO), or since there was a version. Both
    records come in any order; the audit whole, since who was champion at the start was decided
    before it."""
    changes = sorted((a for a in audit if a.time < end), key=lambda a: a.time)
    start = iso(parse(end) - reach)
    if changes:
        start = max(start, changes[0].time)
    rows = sorted((e for e in ledger if start <= e.time < end), key=lambda e: (e.time, e.delivery))
    marks = [*_moves(a for a in changes if a.time >= start), *_decisions(rows)]
    return Timeline(
        start, end, tuple(_reigns(changes, start, end)),
        tuple(sorted(marks, key=lambda mark: mark.time)), since,
    )  # fmt: skip


def _reigns(changes: list[Audit], start: str, end: str) -> Iterator[Reign]:
    crowned = [(a.time, a.after) for a in changes if a.action in CROWNED and a.after is not None]
    for version, same in groupby(_with_ends(crowned, end), key=lambda reign: reign.version):
        spans = list(same)  # a challenger may be rolled back: the champion stays
        if spans[-1].end > start:
            yield Reign(version, max(spans[0].start, start), spans[-1].end)


def _with_ends(crowned: list[tuple[str, int]], end: str) -> Iterator[Reign]:
    for (time, version), (until, _) in pairwise([*crowned, (end, 0)]):
        yield Reign(version, time, until)


def _moves(changes: Iterable[Audit]) -> Iterator[Mark]:
    for a in changes:
        yield Mark(a.time, a.action, a.reason, None, a.after, a.time)


def _decisions(rows: list[Entry]) -> Iterator[Mark]:
    """A mark a decision; what was decided alike, one after another, in one."""
    told = [
        e for e in rows
        if e.decision == STARTED or (e.kind not in SILENT and e.decision != ROLLED_BACK)
    ]  # fmt: skip
    for _, group in groupby(told, key=_alike):
        same = list(group)
        first = same[0]
        cause, last = first.cause or first.kind, same[-1].time
        yield Mark(first.time, first.decision, first.reason, cause, None, last, len(same))


def _alike(entry: Entry) -> tuple[str, ...]:
    if entry.decision == STARTED:
        return (entry.delivery, entry.time)
    # Reasons name their moment after a colon: "… cooling down until 2013-02-10".
    return entry.decision, entry.cause or entry.kind, entry.reason.split(":")[0]
