"""State Ingest: the run's uploads → parts, and the dataset as of now."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.ingest import Upload, ingest
from driftloop.spec import Spec

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store")
    state = event["state"]
    uploads = [
        Upload(u["bucket"], u["key"], u.get("version_id"), u.get("size") or 0)
        for u in state.get("uploads") or ()
    ]
    answer = ingest(
        Store(settings.store),
        Spec.read(spec_path()),
        uploads,
        lambda upload: Store(upload.bucket).get(upload.key, upload.version_id),
        state["now"],
    )
    logger.info("ingested", extra={"run": state["run"], **answer})
    return answer
