"""What an alarm leads to: the champion's watch says what is wrong and what the spec's policy does
about that; the brakes say whether it may be done now. Pure.

| action | what is done |
| --- | --- |
| retrain, recalibrate | a run in that mode, unless a brake holds it |
| roll_back | the route goes back to the champion before, without a run |
| quarantine, tell | no run; people are told |
| ignore | no run, and nobody is told |

An alarm without a diagnosis asks for retraining. People are told once of each trouble: what is
wrong, and since when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from driftloop import brakes, notice
from driftloop.breaker import Breaker
from driftloop.decision import Move, State
from driftloop.ledger import Audit
from driftloop.notice import Notice
from driftloop.route import Served, promoted
from driftloop.spec import Spec
from driftloop.watch import Watch
from driftloop.when import parse

Mode = Literal["train", "recalibrate"]
MODES: dict[str, Mode] = {"retrain": "train", "recalibrate": "recalibrate"}
HELD = {
    "quarantine": "keeps these rows out of training",
    "tell": "is to tell people",
    "ignore": "is to let it be",
}
_LONGEST = 300  # characters of a diagnosis; it is kept in several places


@dataclass(frozen=True)
class Response:
    """``mode``: of the run to start, None for no run, and ``why`` not. ``about``: what is wrong, a
    clause, if that is known. ``breaker``: what is remembered of it."""

    why: str
    breaker: Breaker
    mode: Mode | None = None
    about: str = ""
    notice: Notice | None = None
    move: Move | None = None
    escalated: bool = False

    def because(self, heard: str) -> str:
        """Why a run starts: that the alarm was ``heard``, and what it is about; a clause."""
        return f"{heard}: {self.about}" if self.about else heard

    @property
    def said(self) -> str:
        """Why none does, and what it is about; a clause."""
        return f"{self.why}: {self.about}" if self.about else self.why


def respond(cause: str, time: str, state: State, spec: Spec) -> Response:
    """To an alarm of ``cause``, at ``time``."""
    watch = _current(state)
    if state.watch and state.route and not watch:
        champion = state.route.champion.version
        why = f"it was about version {state.watch.version}; no window of version {champion}, "
        return Response(f"{why}which answers now, is judged yet", state.breaker)
    found = replace(_policy(cause, time, state, spec), about=_about(watch))
    if found.escalated:
        return replace(found, notice=notice.given_up(spec.name, cause, found.breaker, watch, time))
    if watch is None or wanted(state) == "ignore":
        return found
    if state.breaker.gave_up and wanted(state) in MODES and not found.mode:
        return found  # people were called, and wait for no more of the same
    since = f"of version {watch.version} since {watch.since or watch.window}"
    troubles = [f"{kind} {since}" for kind in (watch.kind or cause, watch.other) if kind]
    if set(troubles) <= set(state.breaker.told) and not found.move:
        return found
    back = found.move.new.champion.version if found.move else None
    said = notice.trouble(spec.name, cause, watch, found.why, found.mode, back)
    breaker = found.breaker
    for trouble in troubles:
        breaker = breaker.knowing(trouble)
    return replace(found, notice=said, breaker=breaker)


def wanted(state: State) -> str:
    """The action that the policy has for what is wrong."""
    watch = _current(state)
    return watch.action if watch and watch.kind and watch.action else "retrain"


def unmet(cause: str, state: State) -> bool:
    """Whether an alarm that stands is about what answers now: after a release it stands on until a
    window of the new champion is judged."""
    if state.watch is None:
        return True
    watch = _current(state)
    if watch is None:
        return False
    ratio = watch.drift_ratio if cause == "drift" else watch.performance_ratio
    return ratio is not None and ratio > 1


def _current(state: State) -> Watch | None:
    """The watch, if it is about the version that answers."""
    watch, route = state.watch, state.route
    return watch if watch and route and watch.version == route.champion.version else None


def _about(watch: Watch | None) -> str:
    if watch is None or not watch.kind:
        return ""
    clauses = [_clause(watch.text, watch.kind)]
    if watch.other:
        clauses.append(_clause(watch.besides, watch.other))
    return "; besides, ".join(clauses)


def _clause(text: str, kind: str) -> str:
    return text.split(". ")[0].rstrip(".")[:_LONGEST] or kind.replace("_", " ")


def _policy(cause: str, time: str, state: State, spec: Spec) -> Response:
    action, breaker = wanted(state), state.breaker
    if cause not in spec.retrain.on:
        return Response(f"the spec's retrain.on does not list {cause}", breaker)
    if action == "roll_back":
        return _going_back(time, state)
    if action in HELD:
        return Response(f"the spec's policy {HELD[action]}", breaker)
    if why := brakes.given_up(breaker, spec.retrain):
        if breaker.gave_up:  # people were called, and are called once
            return Response(why, breaker)
        return Response(why, replace(breaker, gave_up=time), escalated=True)
    now = parse(time)
    why = (
        brakes.nothing_new(state.arrived, breaker)
        or brakes.cooling(breaker, now, spec.retrain)
        or brakes.over_budget([cause], state.starts, now, spec.retrain.max_per_day)
    )
    return Response(why, breaker, None if why else MODES[action])


def _going_back(time: str, state: State) -> Response:
    """The champion before answers again, and is followed by the one that was before it: so going
    back ends at the first version, and never comes round. What a person put back stays."""
    route, before = state.route, state.before
    assert route is not None  # nothing is known to be wrong where nothing answers
    number = route.champion.version
    if route.challenger is not None:
        why = f"version {number} is not taken back while version {route.challenger.version} is on "
        return Response(f"{why}probation", state.breaker)
    if before is None or before.version > number:  # a person went back to this one
        why = f"version {number} cannot be taken back, no older champion came before it"
        return Response(why, state.breaker)
    taken = f"version {number} taken back"
    if taken in state.breaker.told:
        why = f"version {number} was taken back before, and somebody put it back"
        return Response(why, state.breaker)
    served = Served(before.version, before.plan_key, before.plan_sha256)
    new = replace(promoted(route, served, time), previous=before.champion_at_birth)
    why = f"version {before.version} answers again instead of version {number}"
    about = _about(_current(state))
    audit = Audit(time, "rollback", "trigger", f"{why}: {about}", number, before.version)
    return Response(why, state.breaker.knowing(taken), move=Move(route, new, audit))
