"""What the governor sees when an event comes, and what it may decide. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftloop.arrived import Arrived
from driftloop.breaker import Breaker
from driftloop.event import RunEnd
from driftloop.ledger import Audit, Entry, Pending
from driftloop.notice import Notice
from driftloop.route import Route
from driftloop.run import Lock, Run
from driftloop.version import Version
from driftloop.watch import Watch


@dataclass(frozen=True)
class Standing:
    """An alarm in ALARM, and since when."""

    cause: str
    since: str


@dataclass(frozen=True)
class State:
    """One consistent enough view of a model's registry; ``lock`` and ``breaker`` guard what is
    made of it.

    twins: ledger rows of this moment so far, this event's deliveries among them; known: the run it
    has started. starts: ledger rows of a day's starts. run: the one that the event (or the sweep,
    of the lock's holder) says has ended. watch: how the champion does; arrived: the newest
    labelled rows. before: the version that the route can go back to. holder_end: how the lock's
    holder ended, when a sweep finds that it has. standing: looked up for a sweep only.
    """

    lock: Lock = field(default_factory=Lock)
    breaker: Breaker = field(default_factory=Breaker)
    twins: tuple[Entry, ...] = ()
    known: Run | None = None
    starts: tuple[Entry, ...] = ()
    pending: tuple[Pending, ...] = ()
    run: Run | None = None
    route: Route | None = None
    before: Version | None = None
    watch: Watch | None = None
    arrived: Arrived | None = None
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
    withdraw, or a champion to go back from. breaker: what is remembered from now on, None if that
    is the same. repeat: this very delivery was decided before; only what follows the writing is
    done again.
    """

    entry: Entry
    start: Run | None = None
    hold: Pending | None = None
    settled: tuple[Pending, ...] = ()
    resolved: tuple[Entry, ...] = ()
    finished: Run | None = None
    frees: bool = False
    move: Move | None = None
    breaker: Breaker | None = None
    repeat: bool = False

    @property
    def notices(self) -> list[Notice]:
        """What people are told."""
        return [row.notice for row in (self.entry, *self.resolved) if row.notice]

    @property
    def counts(self) -> dict[str, int]:
        """The metrics of it; ``ChampionVersion`` is the number that answers from now on."""
        found: dict[str, int] = {}
        if self.start:
            found["RunsStarted"] = 1
        if self.finished and (name := _ENDS.get(str(self.finished.outcome))):
            found[name] = 1
        if self.finished and self.finished.outcome == "released" and self.finished.version:
            found["ChampionVersion"] = int(self.finished.version)
        if self.move and self.move.new.champion != self.move.old.champion:
            found |= {"RolledBack": 1, "ChampionVersion": self.move.new.champion.version}
        return found


_ENDS = {
    "released": "RunsReleased",
    "rejected": "RunsRejected",
    "failed": "RunsFailed",
    "rolled_back": "RolledBack",
}
