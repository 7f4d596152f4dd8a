"""The governor: what every event means. One door, one decision a delivery, each with its reason.

:func:`decide` is pure. Its rules, in order:

- an event that was decided before (its twin is in the ledger) is suppressed;
- while a run holds the lock, a cause is deferred (an alarm once; uploads are gathered);
- what an alarm leads to is the policy's word on what is wrong (:mod:`driftloop.response`), and
  its runs are braked (:mod:`driftloop.brakes`); all but a person's wish keep to the daily budget;
- the end of a run is recorded, frees the lock, and starts one run for all that waited;
- a sweep finds what no event told: a holder that ended unheard, causes that wait with nobody
  running, an alarm that still stands though nothing has met it.
"""

from __future__ import annotations

from dataclasses import replace

from driftloop import notice
from driftloop.brakes import over_budget
from driftloop.decision import Decision, Move, State
from driftloop.entries import cause_of, row, sentence
from driftloop.event import ALARMS, Event, RunEnd
from driftloop.ledger import Audit, Pending
from driftloop.response import HELD, respond, unmet, wanted
from driftloop.route import withdrawn
from driftloop.run import RUNNING, Run, new_run
from driftloop.run_end import finished
from driftloop.spec import Spec
from driftloop.waiting import hand_over
from driftloop.when import parse


def decide(event: Event, state: State, spec: Spec) -> Decision:
    """What to do about this delivery, given what the registry held when it came."""
    found = _decide(event, state, spec)
    return replace(found, breaker=None) if found.breaker == state.breaker else found


def _decide(event: Event, state: State, spec: Spec) -> Decision:
    for twin in state.twins:
        if twin.event == event.digest and twin.delivery == event.delivery:
            mine = f"{event.delivery}+"
            also = tuple(t for t in state.twins if t.delivery.startswith(mine))
            return Decision(twin, resolved=also, repeat=True)
    if event.ignore:
        return Decision(row(event, "recorded", f"Nothing to do: {event.ignore}."))
    if twins := [t for t in state.twins if t.event == event.digest]:
        return _suppress(event, f"the same event was {twins[0].decision} already")
    if state.known:
        return _suppress(event, f"run {state.known.run} took this very event on already")
    if event.kind == "run-ended":
        return _run_ended(event, state, spec)
    if event.kind == "sweep":
        return _sweep(event, state, spec)
    if event.cause in ALARMS:
        return _alarm(event, state, spec)
    return _wants_run(event, state, spec)


# --- a cause asks for a run ---------------------------------------------------------------------


def _wants_run(event: Event, state: State, spec: Spec) -> Decision:
    cause = str(event.cause)
    if cause == "manual":  # a person knows: what alarms have given up begins anew
        state = replace(state, breaker=state.breaker.closed())
    elif cause not in spec.retrain.on:
        return _suppress(event, f"the spec's retrain.on does not list {cause}")
    if state.lock.holder:
        return _deferred(event, state)
    most = spec.retrain.max_per_day
    if budget := over_budget([cause], state.starts, parse(event.time), most):
        return _defer(event, state, f"{budget}; a sweep starts it when there is room")
    run = new_run(
        spec.name, cause, event.digest, event.time, event.reason, event.uploads,
        state.lock.fence + 1,
    )  # fmt: skip
    entry = row(event, "started", f"Because {event.reason}.", run.run)
    return Decision(entry, start=run, breaker=state.breaker.begun(run))


def _deferred(event: Event, state: State) -> Decision:
    """While a run is under way."""
    twin = next((p for p in state.pending if p.cause == event.cause), None)
    if twin and event.cause != "upload":
        return _suppress(event, f"{cause_of(twin.cause)} of {twin.time} waits already")
    why = f"run {state.lock.holder} is under way; it is considered when that ends"
    return _defer(event, state, why)


# --- an alarm -----------------------------------------------------------------------------------


def _alarm(event: Event, state: State, spec: Spec) -> Decision:
    action = wanted(state)
    if not state.lock.holder or event.cause not in spec.retrain.on or action in HELD:
        return _answer(event, event.reason, state, spec)
    found = _deferred(event, state)
    if action == "roll_back":  # that needs no run, only a route that stands still
        back = respond(event.cause, event.time, state, spec)
        if back.move:
            return _answer(event, event.reason, state, spec)
        told = replace(found.entry, notice=back.notice)
        found = replace(found, entry=told, breaker=back.breaker)
    return found


def _answer(event: Event, heard: str, state: State, spec: Spec, attempt: int = 1) -> Decision:
    """What the alarm of ``event.cause`` leads to. ``heard``: why it is considered, a clause."""
    cause = str(event.cause)
    found = respond(cause, event.time, state, spec)
    if found.mode is None:
        said = found.said if event.kind == "alarm" else f"{heard}, but {found.said}"
        entry = row(event, "rolled_back" if found.move else "suppressed", sentence(said))
        entry = replace(entry, escalated=found.escalated or None, notice=found.notice)
        return Decision(entry, move=found.move, breaker=found.breaker)
    reason = found.because(heard)
    run = new_run(
        spec.name, cause, event.digest, event.time, reason, (), state.lock.fence + 1,
        mode=found.mode, attempt=attempt,
    )  # fmt: skip
    entry = replace(row(event, "started", f"Because {reason}.", run.run), notice=found.notice)
    return Decision(entry, start=run, breaker=found.breaker.begun(run))


# --- a run has ended ----------------------------------------------------------------------------


def _run_ended(event: Event, state: State, spec: Spec) -> Decision:
    assert event.ended is not None
    if state.run is None:
        reason = f"run {event.ended.run} ended, which no trigger started"
        return Decision(row(event, "recorded", sentence(reason)))
    if state.run.status != RUNNING:
        return _suppress(event, f"the end of run {state.run.run} is known already")
    return _close(event, event.ended, state, spec)


def _close(event: Event, end: RunEnd, state: State, spec: Spec) -> Decision:
    """Record how the run ended; if it held the lock, hand over to what waits."""
    assert state.run is not None
    run = finished(state.run, end, event.time)
    said = f"run {run.run} ended: {run.outcome}" + (f" ({run.message})" if run.message else "")
    base = Decision(
        replace(row(event, "recorded", sentence(said), run.run), notice=_told(spec.name, run)),
        finished=run,
        move=_withdrawal(run, state, event.time),
        breaker=state.breaker.ended(run),
    )
    if state.lock.holder != run.run:
        return base
    after = replace(state, lock=replace(state.lock, holder=None), breaker=state.breaker.ended(run))
    return hand_over(replace(base, frees=True), event, after, spec, run)


def _told(model: str, run: Run) -> notice.Notice | None:
    match run.outcome:
        case "failed":
            return notice.failed(model, run)
        case "rolled_back":
            return notice.rolled_back(model, run)
        case "released":
            return notice.released(model, run)
        case "rejected" if run.cause in ALARMS:  # people wait to hear what came of it
            return notice.rejected(model, run)
    return None


def _withdrawal(run: Run, state: State, time: str) -> Move | None:
    """A run that broke off during its bake must not leave its challenger in the traffic."""
    route = state.route
    if run.outcome != "failed" or route is None or route.challenger is None:
        return None
    if route.challenger.version != run.version:
        return None
    reason = f"run {run.run} ended ({run.status}) before its challenger was judged"
    before = route.challenger.version
    audit = Audit(time, "withdraw", "trigger", reason, before, route.champion.version, run.run)
    return Move(route, withdrawn(route, time), audit)


# --- the sweep ----------------------------------------------------------------------------------


def _sweep(event: Event, state: State, spec: Spec) -> Decision:
    if state.holder_end is not None and state.run is not None:
        return _close(event, state.holder_end, state, spec)
    if state.lock.holder:
        return Decision(row(event, "recorded", f"Run {state.lock.holder} is under way."))
    base = Decision(row(event, "recorded", "All is well: nothing waits, no alarm stands unmet."))
    if state.pending:
        entry = replace(base.entry, reason="Some causes waited with no run under way.")
        base = hand_over(replace(base, entry=entry), event, state, spec)
        if base.start or base.settled:
            return base
    for alarm in state.standing:
        if alarm.cause in spec.retrain.on and unmet(alarm.cause, state):
            heard = f"the {alarm.cause} alarm still stands since {alarm.since}"
            asked = replace(event, cause=alarm.cause)
            return _answer(asked, heard, state, spec, state.breaker.fruitless + 1)
    return base


# --- the ways it ends ---------------------------------------------------------------------------


def _suppress(event: Event, why: str) -> Decision:
    return Decision(row(event, "suppressed", sentence(why)))


def _defer(event: Event, state: State, why: str) -> Decision:
    waiting = Pending(
        str(event.cause),
        event.digest,
        event.time,
        event.delivery,
        event.reason,
        list(map(dict, event.uploads)),
    )
    return Decision(row(event, "deferred", sentence(why)), hold=waiting, breaker=state.breaker)
