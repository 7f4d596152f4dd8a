"""`driftloop status`: each model at a glance."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from driftloop.aws.clients import client
from driftloop.route import Route
from infra.cli import console, streams
from infra.cli.console import moment
from infra.cli.health import health
from infra.cli.stacks import Deployment
from infra.cli.target import now


def status(deployment: Deployment, endpoint: str | None, *, json: bool) -> None:
    found = [facts(deployment, model) for model in sorted(deployment.models)]
    where = endpoint or "AWS"
    moment_there = now().isoformat(timespec="seconds")
    if json:
        return console.as_json(
            {"env": deployment.env, "at": where, "now": moment_there,
             "api": deployment.platform["ApiUrl"], "models": found}
        )  # fmt: skip
    console.out.print(f"driftloop [bold]{deployment.env}[/] at {where}, {moment_there}")
    console.out.print(f"API {deployment.platform['ApiUrl']}\n", soft_wrap=True)
    rows = [{**f, "last run": _last(f["last_run"]), "alarms": _alarms(f["alarms"])} for f in found]
    columns = ("model", "champion", "since", "challenger", "running", "last run", "alarms")
    console.listing("models", rows, columns, "no model is deployed")
    for fact in found:
        console.out.print(f"{fact['model']}: {escape(fact['health'])}", soft_wrap=True)
    for fact in found:
        if fact["stream"]:
            line = f"messages to {fact['model']}: {streams.told(fact['stream'])}"
            console.out.print(line, soft_wrap=True)
    return None


def facts(deployment: Deployment, model: str) -> dict[str, Any]:
    """One model: what serves, what runs, what is alarmed."""
    registry = deployment.registry
    route, runs, lock = registry.route(model), registry.runs(model), registry.lock(model)
    return {
        "model": model,
        "champion": route.champion.version if route else None,
        "since": moment(route.since) if route else None,
        "health": health(route, registry.watch(model), registry.breaker(model)),
        "challenger": _challenger(route) if route else None,
        "running": lock.holder,
        "last_run": {"run": runs[0].run, "status": runs[0].status, "outcome": runs[0].outcome}
        if runs
        else None,
        "alarms": alarms(deployment, model),
        "url": deployment.url(model, "predict"),
        "stream": streams.stream(deployment.models[model]),
    }


def _challenger(route: Route) -> str | None:
    """``2 (canary, 10%)``; how far it is tells `driftloop release status`."""
    if route.challenger is None:
        return None
    share = "" if route.shadow else f", {route.share:.0%}"
    held = ", held" if route.paused else ""
    return f"{route.challenger.version} ({route.strategy.replace('_', '/')}{share}{held})"


def alarms(deployment: Deployment, model: str) -> dict[str, str]:
    """State by alarm: ``{"drift": "OK", …}``."""
    prefix = f"driftloop-{deployment.env}-{model}-"
    pages = client("cloudwatch").get_paginator("describe_alarms")
    found = [a for page in pages.paginate(AlarmNamePrefix=prefix) for a in page["MetricAlarms"]]
    return {
        name: a["StateValue"]
        for a in sorted(found, key=lambda a: str(a["AlarmName"]))
        if "-" not in (name := a["AlarmName"].removeprefix(prefix))
    }


def _last(run: dict[str, Any] | None) -> str | None:
    return f"{run['run']} {run['outcome'] or run['status'].lower()}" if run else None


def _alarms(states: dict[str, str]) -> str | None:
    ringing = [name for name, state in states.items() if state == "ALARM"]
    return f"ringing: {', '.join(ringing)}" if ringing else "quiet" if states else None
