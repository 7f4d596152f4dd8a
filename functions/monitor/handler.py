"""Scheduled once a window: judge what closed since, and what reads differently now."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.arrived import Arrived
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.baseline import Baseline
from driftloop.judgement import Report, Sketches
from driftloop.monitor import Monitor
from driftloop.pages.window_report import html
from driftloop.spec import Spec
from driftloop.timeline import REACH, timeline
from driftloop.when import iso, parse

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "env", "model", "store", "table")
    registry, model = Registry(settings.table), settings.model
    route = registry.route(model)
    served = (route.champion, route.challenger) if route else ()

    def page(report: Report, baseline: Baseline, seen: Sketches) -> str:
        end = report["window"]["end"]
        ledger = registry.ledger(model, since=iso(parse(end) - REACH), until=end)
        return html(report, baseline, seen, timeline(registry.audit(model), ledger, end))

    monitor = Monitor(
        env=settings.env,
        store=Store(settings.store),
        spec=Spec.read(spec_path()),
        versions={version.version: version for version in registry.versions(model)},
        champion=route.champion.version if route else None,
        serving={each.version for each in served if each} | {route.previous if route else None},
        emit=lambda line: print(line, flush=True),
        tell=lambda watch: registry.put_watch(model, watch),
        page=page,
    )
    answer = monitor.run(event["time"])
    if freed := sum(each["freed"] for each in answer["judged"]):
        registry.arrive(model, Arrived(iso(parse(event["time"])), freed))
    logger.info("judged", extra={"windows": len(answer["judged"]), "left": answer["left"]})
    return answer
