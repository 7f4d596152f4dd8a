"""State Prepare: the dataset → a frame, split into train and holdout."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.prepare import prepare
from driftloop.spec import Spec

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store")
    state, spec = event["state"], Spec.read(spec_path())
    answer = prepare(Store(settings.store), spec, state["ingest"]["dataset"], state["now"])
    logger.info("prepared", extra={"run": state["run"], **answer})
    return answer
