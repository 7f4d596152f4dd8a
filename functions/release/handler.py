"""State Release: a version → the champion, step by step."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.evidence import evidence
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.release import Step, observe, start
from driftloop.releasing.terms import Terms
from driftloop.route import Route, Served
from driftloop.run import Guard
from driftloop.spec import Spec
from driftloop.when import iso, parse

logger = Logger()
PAST = 20  # audit entries that may tell who took a challenger away


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "env", "table", "store")
    registry, store = Registry(settings.table), Store(settings.store)
    spec, state, now = Spec.read(spec_path()), event["state"], iso(parse(event["now"]))
    model, run, terms = spec.name, state["run"], Terms.of(spec)
    made = registry.version(model, state["version"]["version"])
    version = Served(made.version, made.plan_key, made.plan_sha256)
    route = registry.route(model)
    match event["op"]:
        case "start":
            step = start(version, route, terms, now, run)
        case "observe":
            seen = None
            if route is not None and route.challenger is not None:
                if route.terms:  # those it began with, whatever was deployed meanwhile
                    terms = Terms.from_json(route.terms)
                seen = evidence(settings.env, registry, store, model, terms, route, now)
            past = registry.audit(model, limit=PAST)
            step = observe(version, route, seen, terms, now, run, past)
        case op:
            raise ValueError(f"release has no operation {op!r}")
    if step.route and step.audit:
        registry.move_route(model, route, step.route, step.audit, Guard(run, state["fence"]))
    logger.info(step.reason, extra={"run": run, "status": step.status})
    return _answer(step, step.route or route)


def _answer(step: Step, route: Route | None) -> dict[str, Any]:
    revision = route.revision if route else 0
    return {"status": step.status, "wait_seconds": step.wait_seconds, "revision": revision,
            "reason": step.reason}  # fmt: skip
