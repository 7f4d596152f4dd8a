"""Subscribed to the endpoint's log: capture lines → capture objects."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.capture import capture, unpack
from driftloop.spec import Spec

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store")
    events = unpack(event["awslogs"]["data"])
    answer = capture(Store(settings.store), Spec.read(spec_path()), events)
    report = logger.warning if answer["malformed"] else logger.info
    report("captured", extra=answer)
    return answer
