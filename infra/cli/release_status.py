"""`driftloop release status`: the step, the evidence so far, and what it waits for."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from driftloop import when
from driftloop.aws.evidence import evidence
from driftloop.release import baked, findings
from driftloop.releasing.terms import Terms
from driftloop.releasing.verdict import bakes, judge
from driftloop.route import Route
from driftloop.spec import Release
from infra.cli import console
from infra.cli.console import moment
from infra.cli.stacks import Deployment
from infra.cli.target import now

STATES = {"good": "good", "bad": "bad", "few": "too few yet", "unknown": "not judged"}


def status(deployment: Deployment, model: str, *, json: bool) -> None:
    deployment.model(model)
    route = deployment.registry.route(model)
    if route is None or route.challenger is None:
        return _nothing(deployment, model, route, json)
    moment_there = when.iso(now())
    terms = Terms.from_json(route.terms) if route.terms else Terms(Release())
    policy, registry = terms.release, deployment.registry
    seen = evidence(
        deployment.env, registry, deployment.store, model, terms, route, moment_there
    )  # fmt: skip
    found = findings(route, seen, terms, moment_there)
    done = bakes(route.since, moment_there, policy)
    found_so_far = judge(found, baked(route, moment_there, policy), policy)
    ends = when.parse(route.since) + (done + 1) * policy.bake
    facts: dict[str, Any] = {
        "model": model,
        "strategy": route.strategy,
        "champion": route.champion.version,
        "challenger": route.challenger.version,
        "share": route.share,
        "step": route.step,
        "steps": len(policy.shares),
        "began": route.began,
        "since": route.since,
        "bake": done + 1,
        "bakes": policy.patience,
        "bake_ends": when.iso(ends),
        "paused": route.paused and asdict(route.paused),
        "findings": [asdict(f) for f in found],
        "verdict": found_so_far.verdict,
        "reason": found_so_far.reason,
    }
    if json:
        return console.as_json(facts)
    console.out.print(
        f"{model}: version {facts['challenger']} beside version {facts['champion']}, "
        f"{route.strategy.replace('_', '/')}, step {route.step} of {facts['steps']} at "
        f"{route.share:.0%} since {moment(route.since)}"
    )
    if route.paused:
        since = moment(route.paused.since)
        console.out.print(f"held by {route.paused.by} since {since}: {route.paused.reason}")
    else:
        of = min(done + 1, policy.patience)
        console.out.print(
            f"bake {of} of at most {policy.patience}, over at {moment(facts['bake_ends'])}"
        )
    console.listing(
        "evidence",
        [{"check": f.check, "so far": STATES[f.state], "requests": f.n, "needs": f.needs,
          "said": f.text} for f in found],
        ("check", "so far", "requests", "needs", "said"),
        "",
    )  # fmt: skip
    return None


def _nothing(deployment: Deployment, model: str, route: Route | None, json: bool) -> None:
    champion = route.champion.version if route else None
    last = next(deployment.registry.audit(model, limit=1), None)
    if json:
        return console.as_json({"model": model, "strategy": "steady", "champion": champion,
                                "challenger": None, "last": last})  # fmt: skip
    if route is None:
        return console.out.print(f"{model} has no released version yet")
    console.out.print(
        f"{model}: nothing is being released; version {champion} answers since "
        f"{moment(route.since)}"
    )
    if last:
        console.out.print(f"last: {last.action} by {last.actor}: {last.reason}", soft_wrap=True)
    return None
