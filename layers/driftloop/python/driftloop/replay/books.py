"""The governor's registry in memory: what it sees, and its decisions applied.

As :mod:`driftloop.aws.governor` does on the table; holds no decision either.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from driftloop.arrived import Arrived
from driftloop.breaker import Breaker
from driftloop.decision import Decision, Standing, State
from driftloop.event import Event
from driftloop.ids import run_id
from driftloop.ledger import Entry, Pending
from driftloop.route import Route
from driftloop.run import Lock, Run
from driftloop.spec import Spec
from driftloop.trigger import decide
from driftloop.version import Version
from driftloop.watch import Watch
from driftloop.when import iso, parse

_DAY = timedelta(days=1)


@dataclass
class Books:
    """One model's."""

    route: Route
    versions: dict[int, Version]
    lock: Lock = field(default_factory=Lock)
    breaker: Breaker = field(default_factory=Breaker)
    runs: dict[str, Run] = field(default_factory=dict)
    ledger: list[Entry] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    watch: Watch | None = None
    arrived: Arrived | None = None

    def hear(self, event: Event, spec: Spec, standing: tuple[Standing, ...]) -> Decision:
        """Decide on an event, and write down what was decided."""
        decision = decide(event, self._state(event, standing), spec)
        if not decision.repeat:
            self._apply(decision)
        return decision

    def _state(self, event: Event, standing: tuple[Standing, ...]) -> State:
        since, past = iso(parse(event.time) - _DAY), self.route.previous
        return State(
            lock=self.lock,
            breaker=self.breaker,
            twins=tuple(row for row in self.ledger[::-1] if row.time == event.time),
            known=self.runs.get(run_id(event.cause, event.digest)) if event.cause else None,
            starts=tuple(
                row for row in self.ledger[::-1] if row.decision == "started" and row.time > since
            ),
            pending=tuple(self.pending),
            run=self.runs.get(event.ended.run) if event.ended else None,
            route=self.route,
            before=None if past is None else self.versions.get(past),
            watch=self.watch,
            arrived=self.arrived,
            standing=standing if event.kind == "sweep" and self.lock.holder is None else (),
        )

    def _apply(self, made: Decision) -> None:
        self.ledger += (made.entry, *made.resolved)
        self.pending = [p for p in self.pending if p not in made.settled]
        if made.hold:
            self.pending.append(made.hold)
        if made.finished:
            self.runs[made.finished.run] = made.finished
        if made.frees:
            self.lock = replace(self.lock, holder=None)
        if made.start:
            run = made.start
            self.runs[run.run] = run
            self.lock = Lock(run.run, "replay", self.lock.fence + 1, run.started)
        if made.move:
            self.route = made.move.new
        self.breaker = made.breaker or self.breaker
