"""What waited while a run was under way: one run for all of it that may start. Pure."""

from __future__ import annotations

from dataclasses import replace

from driftloop.brakes import over_budget
from driftloop.decision import Decision, State
from driftloop.entries import resolved, sentence
from driftloop.event import ALARMS, Event
from driftloop.ids import event_digest
from driftloop.ledger import Pending
from driftloop.response import Response, respond
from driftloop.run import Run, new_run
from driftloop.run_end import RELEASED
from driftloop.spec import Spec
from driftloop.when import parse

MOST_AT_ONCE = 40  # causes that one run takes on; a transaction holds 100 writes
PRECEDENCE = ("upload", "manual", "performance", "drift", "schedule")


def hand_over(
    base: Decision, event: Event, state: State, spec: Spec, ended: Run | None = None
) -> Decision:
    """Add to ``base`` one run for the causes that wait and may start, and what becomes of alarms
    that may not. ``state`` is as it is once ``ended``, which they waited for, has ended."""
    base, state, ready = _alarms_answered(base, event, state, spec, ended)
    ready += [(p, Response("", state.breaker, "train")) for p in state.pending if _patient(p)]
    causes = sorted({p.cause for p, _ in ready}, key=PRECEDENCE.index)
    most = spec.retrain.max_per_day
    if ready and (budget := over_budget(causes, state.starts, parse(event.time), most)):
        said = f"{base.entry.reason} {sentence(f'{budget}: causes wait')}"
        return replace(base, entry=replace(base.entry, reason=said))
    return _start(base, event, state, spec, ready[:MOST_AT_ONCE]) if ready else base


def _patient(p: Pending) -> bool:
    return p.cause not in ALARMS


def _alarms_answered(
    base: Decision, event: Event, state: State, spec: Spec, ended: Run | None
) -> tuple[Decision, State, list[tuple[Pending, Response]]]:
    """The alarms that may start a run; the others are settled in ``base``."""
    ready = []
    for p in state.pending:
        if _patient(p):
            continue
        if ended is not None and ended.outcome == RELEASED:
            why = f"run {ended.run}, under way then, has released a version"
            found = Response(why, state.breaker)
        else:
            found = respond(p.cause, event.time, state, spec)
        if found.move and base.move:  # the route moves once in a transaction
            found = Response("the route moves just now; a sweep looks again", state.breaker)
        state = replace(state, breaker=found.breaker)
        base = replace(base, breaker=found.breaker)
        if found.mode:
            ready.append((p, found))
            continue
        told = resolved(event, p, "rolled_back" if found.move else "suppressed", found.said)
        told = replace(told, escalated=found.escalated or None, notice=found.notice)
        base = replace(base, settled=(*base.settled, p), resolved=(*base.resolved, told))
        if found.move:
            base, state = replace(base, move=found.move), replace(state, route=found.move.new)
    return base, state, ready


def _start(
    base: Decision,
    event: Event,
    state: State,
    spec: Spec,
    ready: list[tuple[Pending, Response]],
) -> Decision:
    """``base`` with one run for all of ``ready``."""
    waited = [p for p, _ in ready]
    cause = min((p.cause for p in waited), key=PRECEDENCE.index)
    reason = " and ".join(found.because(p.reason) for p, found in ready[:3])
    if len(ready) > 3:
        reason += f" and {len(ready) - 3} more causes"
    identity = "|".join(sorted(p.event for p in waited))
    run = new_run(
        spec.name,
        cause,
        waited[0].event if len(waited) == 1 else event_digest(spec.name, identity),
        event.time,
        reason,
        [u for p in waited for u in p.uploads],
        state.lock.fence + 1,
        mode="train" if any(found.mode == "train" for _, found in ready) else "recalibrate",
    )
    rows = [
        replace(resolved(event, p, "started", "it waited, and now runs", run.run),
                notice=found.notice)
        for p, found in ready
    ]  # fmt: skip
    entry = replace(
        base.entry,
        decision="started",
        cause=run.cause,
        run=run.run,
        reason=f"{base.entry.reason} Now starts what waited: {reason}.",
    )
    return replace(
        base,
        entry=entry,
        start=run,
        settled=(*base.settled, *waited),
        resolved=(*base.resolved, *rows),
        breaker=state.breaker.begun(run),
    )
