"""A person's word on the release under way: one audited write of the route, which the run finds
at its next look."""

from __future__ import annotations

from driftloop import when
from driftloop.ledger import Audit
from driftloop.route import Route, Served, held, promoted, resumed, withdrawn
from infra.cli import console
from infra.cli.fault import Fault
from infra.cli.rollback import actor
from infra.cli.stacks import Deployment
from infra.cli.target import now


def pause(deployment: Deployment, model: str, reason: str, *, json: bool) -> None:
    route, challenger = under_way(deployment, model)
    if route.paused is not None:
        raise Fault(f"{route.paused.by} holds it already ({route.paused.reason})")
    moment = when.iso(now())
    new = held(route, actor(), reason, moment)
    said = f"version {challenger.version} stays at {route.share:.0%}"
    _move(deployment, model, route, new, "pause", reason, moment, said, json)


def resume(deployment: Deployment, model: str, reason: str, *, json: bool) -> None:
    route, _ = under_way(deployment, model)
    if route.paused is None:
        raise Fault("nobody holds it; it goes on by itself")
    moment = when.iso(now())
    said = f"step {route.step} begins again"
    _move(deployment, model, route, resumed(route, moment), "resume", reason, moment, said, json)


def abort(deployment: Deployment, model: str, reason: str, *, json: bool) -> None:
    route, challenger = under_way(deployment, model)
    moment = when.iso(now())
    said = (
        f"version {route.champion.version} answers everything, version {challenger.version} is out"
    )
    _move(deployment, model, route, withdrawn(route, moment), "abort", reason, moment, said, json)


def promote(deployment: Deployment, model: str, reason: str, *, json: bool) -> None:
    route, challenger = under_way(deployment, model)
    moment = when.iso(now())
    new = promoted(route, challenger, moment)
    said = f"version {challenger.version} answers everything, instead of {route.champion.version}"
    _move(deployment, model, route, new, "promote", reason, moment, said, json)


def under_way(deployment: Deployment, model: str) -> tuple[Route, Served]:
    """The route and its challenger. Raises Fault when nothing is being released."""
    deployment.model(model)
    route = deployment.registry.route(model)
    if route is None:
        raise Fault(f"{model} has no released version yet")
    if route.challenger is None:
        raise Fault(
            f"nothing is being released; version {route.champion.version} answers for {model} "
            f"since {console.moment(route.since)}"
        )
    return route, route.challenger


def _move(
    deployment: Deployment,
    model: str,
    old: Route,
    new: Route,
    action: str,
    reason: str,
    moment: str,
    said: str,
    json: bool,
) -> None:
    challenger = old.challenger.version if old.challenger else None
    before, after = old.champion.version, challenger
    if action == "abort":
        before, after = challenger or before, old.champion.version
    audit = Audit(moment, action, actor(), reason, before, after)
    deployment.registry.move_route(model, old, new, audit)
    if json:
        console.as_json({"model": model, "action": action, "champion": new.champion.version,
                         "challenger": new.challenger and new.challenger.version,
                         "share": new.share, "reason": reason})  # fmt: skip
    else:
        console.out.print(f"{model}: {said}")
