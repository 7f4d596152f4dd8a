"""State Release: a version → the champion, step by step."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.metrics import traffic
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.release import Step, observe, start
from driftloop.route import Route, Served
from driftloop.run import Guard
from driftloop.spec import Spec
from driftloop.traffic import Traffic
from driftloop.when import iso, parse

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "env", "table")
    registry = Registry(settings.table)
    spec, state, now = Spec.read(spec_path()), event["state"], iso(parse(event["now"]))
    model, run = spec.name, state["run"]
    made = registry.version(model, state["version"]["version"])
    version = Served(made.version, made.plan_key, made.plan_sha256)
    route = registry.route(model)
    match event["op"]:
        case "start":
            step = start(version, route, spec.release, now, run)
        case "observe":
            seen = _traffic(settings.env, model, route, now)
            last = next(registry.audit(model, limit=1), None)
            step = observe(version, route, *seen, spec.release, now, run, last)
        case op:
            raise ValueError(f"release has no operation {op!r}")
    if step.route and step.audit:
        registry.move_route(model, route, step.route, step.audit, Guard(run, state["fence"]))
    logger.info(step.reason, extra={"run": run, "status": step.status})
    return _answer(step, step.route or route)


def _traffic(env: str, model: str, route: Route | None, now: str) -> tuple[Traffic, Traffic]:
    """The champion's and the challenger's, since they share the requests."""
    if route is None or route.challenger is None:
        return Traffic(), Traffic()
    since, until = parse(route.since), parse(now)
    served = (route.champion, route.challenger)
    champion, challenger = (traffic(env, model, s.version, since, until) for s in served)
    return champion, challenger


def _answer(step: Step, route: Route | None) -> dict[str, Any]:
    revision = route.revision if route else 0
    return {"status": step.status, "wait_seconds": step.wait_seconds, "revision": revision,
            "reason": step.reason}  # fmt: skip
