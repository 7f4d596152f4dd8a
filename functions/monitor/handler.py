"""Scheduled once a window: judge what closed since, and what reads differently now."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.monitor import Monitor
from driftloop.spec import Spec

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "env", "model", "store", "table")
    registry = Registry(settings.table)
    route = registry.route(settings.model)
    versions = {v.version: v.baseline_key for v in registry.versions(settings.model)}
    monitor = Monitor(
        env=settings.env,
        store=Store(settings.store),
        spec=Spec.read(spec_path()),
        versions=versions,
        champion=route.champion.version if route else None,
        emit=lambda line: print(line, flush=True),
    )
    answer = monitor.run(event["time"])
    logger.info("judged", extra={"windows": len(answer["judged"]), "left": answer["left"]})
    return answer
