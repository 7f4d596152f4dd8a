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
from driftloop.route import Route, Served, promoted
from driftloop.spec import Spec
from driftloop.watch import Watch
from driftloop.when import parse

Mode = Literal["train", "recalibrate"]
MODES: dict[str, Mode] = {"retrain": "train", "recalibrate": "recalibrate"}


@dataclass(frozen=True)
class Response:
    """``mode``: of the run to start, None for no run, and ``why`` not. ``about``: the diagnosis, a
    clause. ``breaker``: what is remembered of it."""

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


def respond(cause: str, time: str, state: State, spec: Spec) -> Response:
    """To an alarm of ``cause``, at ``time``, with no run under way that could be in its way."""
    watch = current(state)
    if state.watch and not watch and state.route:
        champion = state.route.champion.version
        why = (
            f"it was about version {state.watch.version}; version {champion} answers now, and no "
            "window of it is judged yet"
        )
        return Response(why, state.breaker)
    action = wanted(state)
    about = _about(watch)
    if cause not in spec.retrain.on:
        held = Response(f"the spec's retrain.on does not list {cause}", state.breaker, about=about)
        return _telling(held, cause, watch, spec)
    if action == "ignore":
        return Response(f"the spec's policy ignores it: {about}", state.breaker, about=about)
    if action == "roll_back":
        return _telling(_going_back(time, about, state), cause, watch, spec)
    if action not in MODES:
        does = "keeps its rows aside and tells people" if action == "quarantine" else "tells people"
        held = Response(f"the spec's policy {does}: {about}", state.breaker, about=about)
        return _telling(held, cause, watch, spec)
    if why := brakes.given_up(state.breaker, spec.retrain):
        return _giving_up(Response(why, state.breaker, about=about), cause, time, watch, spec)
    now = parse(time)
    why = (
        brakes.nothing_new(state.arrived, state.breaker)
        or brakes.cooling(state.breaker, now, spec.retrain)
        or brakes.over_budget([cause], state.starts, now, spec.retrain.max_per_day)
    )
    if why:
        return _telling(Response(why, state.breaker, about=about), cause, watch, spec)
    run = Response("", state.breaker, MODES[action], about)
    return _telling(run, cause, watch, spec)


def current(state: State) -> Watch | None:
    """The watch, if it is about the version that answers."""
    watch, route = state.watch, state.route
    return watch if watch and route and watch.version == route.champion.version else None


def wanted(state: State) -> str:
    """The action that the spec's policy has for what is wrong."""
    watch = current(state)
    return watch.action if watch and watch.kind and watch.action else "retrain"


def unmet(cause: str, state: State) -> bool:
    """Whether an alarm that stands is about what answers now: it stands on after a release until
    a window of the new champion is judged."""
    if state.watch is None:
        return True
    watch = current(state)
    if watch is None:
        return False
    ratio = watch.drift_ratio if cause == "drift" else watch.performance_ratio
    return ratio is not None and ratio > 1


def _about(watch: Watch | None) -> str:
    if watch is None or not watch.kind:
        return ""
    said = watch.text.strip().rstrip(".")
    return said[:1].lower() + said[1:] if said else watch.kind.replace("_", " ")


def _going_back(time: str, about: str, state: State) -> Response:
    """The champion before answers again, and is followed by the one that was before it: so going
    back ends at the first version, and never comes round."""
    route, before = state.route, state.before
    assert route is not None  # a watch is current only beside a route
    number = route.champion.version
    if route.challenger is not None:
        why = f"version {number} cannot be taken back while version {route.challenger.version} "
        return Response(f"{why}is being released: {about}", state.breaker, about=about)
    if before is None:
        why = f"version {number} cannot be taken back, there is no champion before it: {about}"
        return Response(why, state.breaker, about=about)
    served = Served(before.version, before.plan_key, before.plan_sha256)
    new = replace(promoted(route, served, time), previous=before.champion_at_birth)
    why = f"version {before.version} answers again instead of version {number}: {about}"
    audit = Audit(time, "rollback", "trigger", why, number, before.version)
    return Response(why, state.breaker, about=about, move=Move(route, new, audit))


def _telling(found: Response, cause: str, watch: Watch | None, spec: Spec) -> Response:
    """The same, with people told if they do not know yet."""
    if watch is None or not watch.kind:
        return found
    trouble = f"{watch.kind} of version {watch.version} since {watch.since or watch.window}"
    if trouble in found.breaker.told and found.move is None:
        return found
    said = notice.trouble(spec.name, cause, watch, found.why, found.mode, _back(found.move))
    return replace(found, notice=said, breaker=found.breaker.knowing(trouble))


def _back(move: Move | None) -> int | None:
    return move.new.champion.version if move else None


def _giving_up(found: Response, cause: str, time: str, watch: Watch | None, spec: Spec) -> Response:
    """Escalated once; silence after that."""
    if found.breaker.gave_up:
        return found
    said = notice.given_up(spec.name, cause, found.breaker, watch, time)
    return replace(found, notice=said, escalated=True, breaker=replace(found.breaker, gave_up=time))


def going_back_now(state: State) -> bool:
    """Whether the champion is to be taken back though a run is under way: it may be, unless that
    run is releasing a version."""
    route: Route | None = state.route
    return wanted(state) == "roll_back" and route is not None and route.challenger is None
