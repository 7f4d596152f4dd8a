"""What the governor sees when an event comes, and what it may decide. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftloop.event import RunEnd
from driftloop.ledger import Audit, Entry, Pending
from driftloop.route import Route
from driftloop.run import Lock, Run


@dataclass(frozen=True)
class Standing:
    """An alarm in ALARM: since when, and the newest moment its metric was over the threshold."""

    cause: str
    since: str
    last_over: str | None = None


@dataclass(frozen=True)
class State:
    """One consistent enough view of a model's registry; ``lock`` guards what is made of it.

    twins: ledger rows of this event's deliveries so far; known: the run it has started. starts:
    ledger rows of recent starts, runs: their run items, escalated: when people were last called;
    all newest first. run: the one that the event (or the sweep, of the lock's holder) says has
    ended. holder_end: how the lock's holder ended, when a sweep finds that it has. standing:
    looked up for a sweep only.
    """

    lock: Lock = field(default_factory=Lock)
    twins: tuple[Entry, ...] = ()
    known: Run | None = None
    starts: tuple[Entry, ...] = ()
    runs: tuple[Run, ...] = ()
    pending: tuple[Pending, ...] = ()
    escalated: str | None = None
    run: Run | None = None
    route: Route | None = None
    holder_end: RunEnd | None = None
    standing: tuple[Standing, ...] = ()


@dataclass(frozen=True)
class Move:
    """A change of the route, with its audit entry."""

    old: Route
    new: Route
    audit: Audit


@dataclass(frozen=True)
class Decision:
    """What to do about one delivery; all of it is written at once, or none.

    entry: the ledger row of this delivery. resolved: further rows, of causes that waited. start:
    the run to create and launch. hold: a cause that starts to wait; settled: causes that no longer
    do. finished: the record of the run that ended; frees: it held the lock. move: a challenger to
    withdraw. notice: what people are told. repeat: this very delivery was decided before; only
    what follows the writing is done again.
    """

    entry: Entry
    start: Run | None = None
    hold: Pending | None = None
    settled: tuple[Pending, ...] = ()
    resolved: tuple[Entry, ...] = ()
    finished: Run | None = None
    frees: bool = False
    move: Move | None = None
    repeat: bool = False
