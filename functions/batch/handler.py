"""A file lands under ``batch/<model>/`` → an execution; states Divide, ScoreChunk and Merge."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.aws.workflow import Workflow
from driftloop.batch.asked import Batch
from driftloop.batch.division import CHUNK
from driftloop.batch.steps import Work
from driftloop.ids import canonical
from driftloop.spec import Spec

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store", "landing", "table", "state_machine", "piece")
    spec = Spec.read(spec_path())
    work = Work(Store(settings.store), Store(settings.landing), spec)
    if "detail-type" in event:
        answer = _start(settings, work, event)
    else:
        state = event["state"]
        batch = Batch.from_json(state["batch"])
        with TemporaryDirectory() as name:
            match event["op"]:
                case "divide":
                    size = min(CHUNK, int(settings.piece))
                    answer = work.divide(batch, settings.code, size)
                case "score":
                    where, number = state["divided"]["folder"], event["item"]["chunk"]
                    answer = {"scored": work.score(batch, where, number, Path(name))}
                case _:
                    answer = work.merge(batch, state["divided"]["folder"], Path(name))
    logger.info(event.get("op", "start"), extra=answer)
    return answer


def _start(settings: Settings, work: Work, event: dict[str, Any]) -> dict[str, Any]:
    """The same event again starts nothing new: the object's version names the execution."""
    batch = Batch.read(event, work.spec.name)
    if batch is None:
        return {"ignored": event["detail"]["object"]["key"]}
    route = Registry(settings.table).route(work.spec.name)
    if route is None:
        return work.no_version(batch)
    given = canonical({"batch": replace(batch, champion=route.champion).to_json()})
    return {"execution": Workflow(settings.state_machine).start(batch.name, given)}
