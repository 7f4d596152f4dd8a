"""EventBridge → the governor: uploads, alarms, schedules, requests, ended runs, sweeps."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from driftloop.aws.governor import Governor
from driftloop.aws.notify import publish
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.workflow import Workflow
from driftloop.emf import line
from driftloop.event import read
from driftloop.spec import Spec
from driftloop.trigger import decide
from driftloop.when import parse, to_ms

logger = Logger()


def handler(raw: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "model", "env", "table", "topic", "state_machine")
    spec = Spec.read(spec_path())
    governor = Governor(
        env=settings.env,
        model=settings.model,
        registry=Registry(settings.table),
        workflow=Workflow(settings.state_machine),
    )
    event = read(raw, context.aws_request_id, settings.model)
    decision = governor.settle(event, lambda event, state: decide(event, state, spec))
    if decision.counts and not decision.repeat:  # before what may fail: a retry counts no more
        counts = {name: (float(n), "Count") for name, n in decision.counts.items()}
        print(line(settings.env, to_ms(parse(event.time)), {"model": settings.model}, counts))
    governor.launch()
    for notice in decision.notices:
        publish(settings.topic, notice)
    entry = decision.entry
    logger.info(entry.reason, extra={"decision": entry.decision, "run": entry.run})
    return {"decision": entry.decision, "reason": entry.reason, "run": entry.run}
