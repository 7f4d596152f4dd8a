"""Where the governor meets AWS: gathers what it must see, writes what it decides, at once.

Optimistic: the writes are conditional on the lock as it was read; if somebody was faster, the
event is looked at again. Holds no decision itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from driftloop import keys
from driftloop.aws.metrics import standing
from driftloop.aws.registry import (
    Registry,
    ledger_write,
    lock_write,
    move_writes,
    unchanged,
    unlock_write,
)
from driftloop.aws.table import ABSENT, Write
from driftloop.aws.workflow import Workflow
from driftloop.brakes import DAY
from driftloop.decision import Decision, State
from driftloop.errors import NotFound, RegistryConflict, Unavailable
from driftloop.event import Event, RunEnd
from driftloop.ids import run_id
from driftloop.run import RUNNING, Guard, Run
from driftloop.version import Version
from driftloop.when import iso, parse

_ATTEMPTS = 8


@dataclass(frozen=True)
class Governor:
    env: str
    model: str
    registry: Registry
    workflow: Workflow

    def settle(self, event: Event, decide: Callable[[Event, State], Decision]) -> Decision:
        """Decide on the event and write it. Raises Unavailable if others are always faster."""
        for _ in range(_ATTEMPTS):
            event = self._completed(event)
            state = self.state(event)
            decision = decide(event, state)
            if decision.repeat:
                return decision
            try:
                self.registry.table.write(*self._writes(decision, state))
            except RegistryConflict:
                continue
            return decision
        raise Unavailable(f"{self.model}: too many events at once to decide on {event.delivery}")

    def launch(self) -> None:
        """Start the execution of the lock's holder unless that is known to have been done.

        Every event does it, so that a crash between deciding and starting loses no run.
        """
        lock = self.registry.lock(self.model)
        if lock.holder is None or lock.execution is not None:
            return
        run = self.registry.run(self.model, lock.holder)
        arn = self.workflow.start(run.run, run.input)
        pk, told = keys.model_pk(self.model), {"execution": arn}
        self.registry.table.write(
            Write("Update", pk, keys.run_sk(run.run), told, where={"run": run.run})
        )
        try:
            self.registry.table.write(Write("Update", pk, keys.LOCK, told, where=unchanged(lock)))
        except RegistryConflict:
            return  # it has ended already, and its end was heard

    # --- what it sees -------------------------------------------------------------------------

    def state(self, event: Event) -> State:
        """Everything :func:`driftloop.trigger.decide` looks at."""
        model, registry = self.model, self.registry
        lock = registry.lock(model)  # first: what is read later is at least as new
        holder_end = self._holder_end(event, lock.holder, lock.execution)
        ended = event.ended or holder_end
        route = registry.route(model)
        return State(
            lock=lock,
            breaker=registry.breaker(model),
            twins=tuple(
                registry.ledger(model, since=f"{event.time}#", until=f"{event.time}#\uffff")
            ),
            known=self._run(run_id(event.cause, event.digest)) if event.cause else None,
            starts=tuple(
                row
                for row in registry.ledger(model, since=iso(parse(event.time) - DAY))
                if row.decision == "started"
            ),
            pending=tuple(registry.pending(model)),
            run=self._run(ended.run) if ended else None,
            route=route,
            before=self._version(route.previous) if route and route.previous else None,
            watch=registry.watch(model),
            arrived=registry.arrived(model),
            holder_end=holder_end,
            standing=(
                standing(self.env, model) if event.kind == "sweep" and lock.holder is None else ()
            ),
        )

    def _version(self, number: int) -> Version | None:
        try:
            return self.registry.version(self.model, number)
        except NotFound:
            return None

    def _run(self, name: str) -> Run | None:
        try:
            return self.registry.run(self.model, name)
        except NotFound:
            return None

    def _holder_end(self, event: Event, holder: str | None, execution: str | None) -> RunEnd | None:
        """How the lock's holder ended, if a sweep finds that it has. A holder that is not known
        to be started has not ended: it is launched."""
        if event.kind != "sweep" or holder is None or execution is None:
            return None
        try:
            return self.workflow.end(holder)
        except NotFound:
            return RunEnd(holder, "ABORTED", error="NotFound", cause="its execution is gone")

    def _completed(self, event: Event) -> Event:
        """An end whose output was too large for the event, looked up."""
        if event.ended is None or event.ignore or event.ended.complete:
            return event
        try:
            return replace(event, ended=self.workflow.end(event.ended.run) or event.ended)
        except NotFound:
            return event

    # --- what it writes -----------------------------------------------------------------------

    def _writes(self, decision: Decision, state: State) -> list[Write]:
        model, pk = self.model, keys.model_pk(self.model)
        writes = [ledger_write(model, entry) for entry in (decision.entry, *decision.resolved)]
        if (decision.hold or decision.move) and not (decision.start or decision.frees):
            writes.append(Write("ConditionCheck", pk, keys.LOCK, where=unchanged(state.lock)))
        if decision.hold:
            p = decision.hold
            writes.append(Write("Put", pk, keys.pending_sk(p.time, p.delivery), p.to_item()))
        if decision.breaker:
            seen = state.breaker.revision
            item = {**decision.breaker.to_item(), "revision": seen + 1}
            as_read = {"revision": seen or ABSENT}
            writes.append(Write("Put", pk, keys.BREAKER, item, where=as_read))
        for p in decision.settled:
            sk = keys.pending_sk(p.time, p.delivery)
            writes.append(Write("Delete", pk, sk, where={"delivery": p.delivery}))
        if decision.finished:
            run = decision.finished
            writes.append(
                Write("Update", pk, keys.run_sk(run.run), run.to_item(), where={"status": RUNNING})
            )
        if decision.start:
            run, guard = decision.start, Guard(decision.start.run, state.lock.fence + 1)
            writes += [
                Write("Put", pk, keys.run_sk(run.run), run.to_item(), where={"pk": ABSENT}),
                lock_write(model, state.lock, guard, run.started),
            ]
        elif decision.frees and decision.finished:
            writes.append(unlock_write(model, Guard(decision.finished.run, state.lock.fence)))
        if decision.move:
            move = decision.move
            writes += move_writes(model, move.old, move.new, move.audit, None)
        return writes
