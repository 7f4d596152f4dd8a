"""The governor: what every event means. One door, one decision a delivery, each with its reason.

:func:`decide` is pure. Its rules, in order:

- an event that was decided before (its twin is in the ledger) is suppressed;
- while a run holds the lock, a cause is deferred (an alarm once; uploads are gathered);
- alarms wait for the cooldown, longer after every failure, and give up after some
  (:mod:`driftloop.brakes`); all but a person's wish keep to the daily budget;
- the end of a run is recorded, frees the lock, and starts one run for all that waited;
- a sweep finds what no event told: a holder that ended unheard, causes that wait with nobody
  running, an alarm that still stands after a run that released nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from driftloop import notice
from driftloop.brakes import cooled_at, failures, spent
from driftloop.decision import Decision, Move, Standing, State
from driftloop.entries import cause_of, resolved, row, sentence
from driftloop.event import ALARMS, Event, RunEnd
from driftloop.ids import event_digest, run_id
from driftloop.ledger import Audit, Pending
from driftloop.route import withdrawn
from driftloop.run import RUNNING, Run, new_run
from driftloop.run_end import RELEASED, finished
from driftloop.spec import Spec
from driftloop.when import iso, parse

MOST_AT_ONCE = 40  # waiting causes that one run takes on; a transaction holds 100 writes
PRECEDENCE = ("upload", "manual", "performance", "drift", "schedule")


def decide(event: Event, state: State, spec: Spec) -> Decision:
    """What to do about this delivery, given what the registry held when it came."""
    twins = [t for t in state.twins if t.event == event.digest]
    for twin in twins:
        if twin.delivery == event.delivery:
            return Decision(twin, repeat=True)
    if event.ignore:
        return Decision(row(event, "recorded", f"Nothing to do: {event.ignore}."))
    if twins:
        return _suppress(event, f"the same event was {twins[0].decision} already")
    if state.known:
        return _suppress(event, f"run {state.known.run} took this very event on already")
    if event.kind == "run-ended":
        return _run_ended(event, state, spec)
    if event.kind == "sweep":
        return _sweep(event, state, spec)
    return _wants_run(event, state, spec)


# --- a cause asks for a run ---------------------------------------------------------------------


def _wants_run(event: Event, state: State, spec: Spec) -> Decision:
    cause = str(event.cause)
    if cause != "manual" and cause not in spec.retrain.on:
        return _suppress(event, f"the spec's retrain.on does not list {cause}")
    waiting = Pending(
        cause,
        event.digest,
        event.time,
        event.delivery,
        event.reason,
        list(map(dict, event.uploads)),
    )
    if state.lock.holder:
        twin = next((p for p in state.pending if p.cause == cause), None)
        if twin and cause != "upload":
            return _suppress(event, f"{cause_of(cause)} of {twin.time} waits already")
        why = f"run {state.lock.holder} is under way; it is considered when that ends"
        return _defer(event, waiting, why)
    if cause in ALARMS:
        brake, calls = _brake(cause, event.time, state, spec)
        if brake:
            return _suppress(event, brake, calls)
    elif budget := _budget([cause], event.time, state, spec):
        return _defer(event, waiting, f"{budget}; a sweep starts it when there is room")
    run = _run(cause, event.digest, event, event.reason, event.uploads, state, spec)
    return Decision(row(event, "started", f"Because {event.reason}.", run.run), start=run)


def _brake(cause: str, time: str, state: State, spec: Spec) -> tuple[str, notice.Notice | None]:
    """Why an alarm may start no run now, or ""; and what people must be told, once."""
    now, policy = parse(time), spec.retrain
    failed = failures(state.runs)
    if failed >= policy.give_up_after:
        last = next((r for r in state.runs if r.cause in ALARMS), None)
        told = state.escalated and last and state.escalated >= last.started
        calls = None if told else notice.given_up(spec.name, cause, failed, last, time)
        return f"given up after {failed} runs that released nothing", calls
    ready = cooled_at(state.starts, failed, policy)
    if ready and now < ready:
        waits = f", longer after {failed} without a release" if failed > 1 else ""
        return (
            f"the last run of an alarm is too young: cooling down until {iso(ready)}{waits}",
            None,
        )
    return _budget([cause], time, state, spec), None


def _budget(causes: Iterable[str], time: str, state: State, spec: Spec) -> str:
    """Why the day's budget is against it, or ""."""
    count = spent(state.starts, parse(time))
    if "manual" in causes or count < spec.retrain.max_per_day:
        return ""
    most = f"the spec allows {spec.retrain.max_per_day} (retrain.max_per_day)"
    return f"{count} runs started within a day, and {most}"


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
    )
    if state.lock.holder != run.run:
        return base
    runs = tuple(run if r.run == run.run else r for r in state.runs)
    after = replace(state, lock=replace(state.lock, holder=None), runs=runs)
    return _hand_over(replace(base, frees=True), event, after, spec, run)


def _told(model: str, run: Run) -> notice.Notice | None:
    match run.outcome:
        case "failed":
            return notice.failed(model, run)
        case "rolled_back":
            return notice.rolled_back(model, run)
        case "released":
            return notice.released(model, run)
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


# --- what waits ---------------------------------------------------------------------------------


def _hand_over(
    base: Decision, event: Event, state: State, spec: Spec, ended: Run | None = None
) -> Decision:
    """Add to ``base`` one run for all the causes that wait and may start."""
    dropped: list[tuple[Pending, str]] = []
    for waiting in (p for p in state.pending if p.cause in ALARMS):
        if ended is not None and ended.outcome == RELEASED:
            dropped.append((waiting, f"run {ended.run}, under way then, has released a version"))
        elif brake := _brake(waiting.cause, event.time, state, spec)[0]:
            dropped.append((waiting, brake))
    gone = tuple(p for p, _ in dropped)
    ready = [p for p in state.pending if p not in gone][:MOST_AT_ONCE]
    causes = sorted({p.cause for p in ready}, key=PRECEDENCE.index)
    if ready and (budget := _budget(causes, event.time, state, spec)):
        entry = replace(
            base.entry, reason=f"{base.entry.reason} {sentence(f'{budget}: causes wait')}"
        )
        base, ready = replace(base, entry=entry), []
    rows = [resolved(event, p, "suppressed", why) for p, why in dropped]
    if not ready:
        return replace(base, settled=gone, resolved=tuple(rows))
    identity = "|".join(sorted(p.event for p in ready))
    uploads = [u for p in ready for u in p.uploads]
    reason = " and ".join(p.reason for p in ready[:3])
    if len(ready) > 3:
        reason += f" and {len(ready) - 3} more causes"
    digest = ready[0].event if len(ready) == 1 else event_digest(spec.name, identity)
    run = _run(causes[0], digest, event, reason, uploads, state, spec)
    rows += [resolved(event, p, "started", "it waited, and now runs", run.run) for p in ready]
    entry = replace(
        base.entry,
        decision="started",
        cause=run.cause,
        run=run.run,
        reason=f"{base.entry.reason} Now starts what waited: {reason}.",
    )
    return replace(base, entry=entry, start=run, settled=(*gone, *ready), resolved=tuple(rows))


# --- the sweep ----------------------------------------------------------------------------------


def _sweep(event: Event, state: State, spec: Spec) -> Decision:
    if state.holder_end is not None and state.run is not None:
        return _close(event, state.holder_end, state, spec)
    if state.lock.holder:
        return Decision(row(event, "recorded", f"Run {state.lock.holder} is under way."))
    base = Decision(row(event, "recorded", "All is well: nothing waits, no alarm stands unmet."))
    if state.pending:
        entry = replace(base.entry, reason="Some causes waited with no run under way.")
        return _hand_over(replace(base, entry=entry), event, state, spec)
    for alarm in state.standing:
        if alarm.cause in spec.retrain.on and not _answered(alarm, state, spec):
            return _persists(event, alarm, state, spec)
    return base


def _answered(alarm: Standing, state: State, spec: Spec) -> bool:
    """Whether a release has met the alarm: it stands on until a window of the new version is
    judged, and only such a window, over the threshold, counts against that version."""
    released = next((r for r in state.runs if r.outcome == RELEASED and r.ended), None)
    if released is None or (released.ended or "") < alarm.since:
        return False
    judged = iso(parse(str(released.ended)) + spec.monitor.window)
    return alarm.last_over is None or alarm.last_over <= judged


def _persists(event: Event, alarm: Standing, state: State, spec: Spec) -> Decision:
    """An alarm still stands: try again when the brakes allow it."""
    stands = f"the {alarm.cause} alarm still stands since {alarm.since}"
    brake, calls = _brake(alarm.cause, event.time, state, spec)
    if brake:
        return _suppress(replace(event, cause=alarm.cause), f"{stands}, but {brake}", calls)
    asked = replace(event, cause=alarm.cause)
    attempt = failures(state.runs) + 1
    run = _run(alarm.cause, event.digest, asked, stands, (), state, spec, attempt)
    return Decision(row(asked, "started", f"Because {stands}.", run.run), start=run)


# --- the ways it ends ---------------------------------------------------------------------------


def _run(
    cause: str,
    digest: str,
    event: Event,
    reason: str,
    uploads: Iterable[Mapping[str, Any]],
    state: State,
    spec: Spec,
    attempt: int = 1,
) -> Run:
    name = run_id(cause, digest, attempt)
    fence = state.lock.fence + 1
    return new_run(spec.name, name, cause, event.time, reason, digest, uploads, fence)


def _suppress(event: Event, why: str, calls: notice.Notice | None = None) -> Decision:
    entry = row(event, "suppressed", sentence(why))
    return Decision(replace(entry, escalated=True, notice=calls) if calls else entry)


def _defer(event: Event, waiting: Pending, why: str) -> Decision:
    return Decision(row(event, "deferred", sentence(why)), hold=waiting)
