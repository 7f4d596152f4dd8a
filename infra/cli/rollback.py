"""`driftloop rollback`: an older version answers again, by the same write as a release."""

from __future__ import annotations

import getpass

from driftloop import when
from driftloop.errors import NotFound
from driftloop.ledger import Audit
from driftloop.route import Served, promoted, withdrawn
from infra.cli import console
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.stacks import Deployment
from infra.cli.target import now


def rollback(
    deployment: Deployment, model: str, *, to: int | None, reason: str, json: bool
) -> None:
    """Make version ``to`` (by default the champion before this one) the champion at once."""
    deployment.model(model)
    registry = deployment.registry
    route = registry.route(model)
    if route is None:
        raise Fault(f"{model} has no released version yet")
    number = to if to is not None else route.previous
    if number is None:
        raise Fault(
            f"version {route.champion.version} is the first champion of {model}; there is none "
            "before it"
        )  # fmt: skip
    if number == route.champion.version and route.challenger is None:
        raise Fault(f"version {number} is the champion of {model} already")
    try:
        version = registry.version(model, number)
    except NotFound:
        known = ", ".join(str(v.version) for v in registry.versions(model))
        raise Fault(f"{model} has no version {number}; there is {known}", ASKED_WRONGLY) from None
    moment = when.iso(now())
    served = Served(version.version, version.plan_key, version.plan_sha256)
    audit = Audit(
        time=moment,
        action="rollback",
        actor=actor(),
        reason=reason,
        before=route.champion.version,
        after=number,
    )
    new = (
        withdrawn(route, moment)  # the champion stays, and the one before it is remembered
        if number == route.champion.version
        else promoted(route, served, moment)
    )
    registry.move_route(model, route, new, audit)
    if json:
        console.as_json({"model": model, "from": route.champion.version, "to": number})
    else:
        console.out.print(f"{model}: version {number} answers again, instead of "
                          f"{route.champion.version}")  # fmt: skip


def actor() -> str:
    """Who sits at the terminal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a user table
        return "operator"
