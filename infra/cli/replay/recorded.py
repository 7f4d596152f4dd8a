"""A deployed model's history, read and replayed. Nothing is written where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from driftloop import keys
from driftloop.replay.history import History
from driftloop.replay.policy import Policy, read
from driftloop.spec import Spec
from driftloop.timeline import CROWNED
from driftloop.when import iso, parse, to_ms
from infra.cli import console
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.replay import table
from infra.cli.replay.together import Play, together
from infra.cli.stacks import Deployment


def replay(
    deployment: Deployment,
    model: str,
    policies: Sequence[Path],
    *,
    now: datetime,
    start: str | None,
    end: str | None,
    train: bool,
    json: Path | None,
) -> None:
    """Play the model's own policy and ``policies`` from ``start`` to ``end`` (ISO; None: from the
    first release, till now) and compare them."""
    deployment.model(model)
    spec = _spec(deployment, model)
    chosen = [Policy("as it is", spec), *(read(path, spec) for path in policies)]
    history = _history(deployment, model, start, end or iso(now))
    if not history.hours:
        raise Fault(f"nobody asked {model} anything between {start or 'its release'} and "
                    f"{end or 'now'}, as far as captures tell")  # fmt: skip
    outcomes = together([Play(history, policy, train) for policy in chosen])
    if json:
        table.write(json, outcomes)
    table.show(f"{model} replayed", outcomes, trained=train)
    console.out.print(table.fine_print(outcomes, trained=train), style=console.QUIET)


def _spec(deployment: Deployment, model: str) -> Spec:
    """As the newest version's run had it."""
    version = next(deployment.registry.versions(model, limit=1), None)
    if version is None:
        raise Fault(f"{model} has no version yet, so there is nothing to replay", ASKED_WRONGLY)
    raw = deployment.store.get(keys.run(model, version.run, "job/spec.json"))
    return Spec.model_validate_json(raw)


def _history(deployment: Deployment, model: str, start: str | None, end: str) -> History:
    registry = deployment.registry
    crowned = [
        (audit.time, audit.after)
        for audit in sorted(registry.audit(model), key=lambda audit: audit.time)
        if audit.action in CROWNED and audit.after is not None
    ]
    if not crowned:
        raise Fault(f"no version of {model} was ever released, so there is nothing to replay")
    begin, stop = _moment(start or crowned[0][0]), _moment(end)
    before = [version for time, version in crowned if parse(time) <= begin]
    if not before:
        raise Fault(f"{model} has answered since {crowned[0][0]}, not before", ASKED_WRONGLY)
    if stop <= begin:
        raise Fault(f"--to ({iso(stop)}) should be after --from ({iso(begin)})", ASKED_WRONGLY)
    versions = sorted(registry.versions(model), key=lambda version: version.version)
    return History.read(
        deployment.store, model, versions, before[-1], to_ms(begin), to_ms(stop)
    )  # fmt: skip


def _moment(text: str) -> datetime:
    try:
        return parse(text)
    except ValueError:
        wanted = "write it as 2013-02-01 or 2013-02-01T08:00:00Z"
        raise Fault(f"{text!r} is no time; {wanted}", ASKED_WRONGLY) from None
