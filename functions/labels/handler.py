"""Ground truth, by file (EventBridge: Object Created) or by POST /models/{model}/labels."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.claims import from_request
from driftloop.errors import DriftloopError
from driftloop.labels import join, take_in
from driftloop.payload import document
from driftloop.problem import answer, problem
from driftloop.spec import Spec
from driftloop.when import from_ms, iso

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "model", "store", "table")
    spec, store = Spec.read(spec_path()), Store(settings.store)
    versions = [v.version for v in Registry(settings.table).versions(settings.model)]
    if "requestContext" in event:
        return posted(event, spec, store, versions)
    bucket, entry = event["detail"]["bucket"]["name"], event["detail"]["object"]
    origin = {"bucket": bucket, "key": entry["key"], "version_id": entry.get("version-id")}
    data = Store(bucket).get(origin["key"], origin["version_id"])
    report = take_in(store, spec, origin, data, versions, event["time"])
    (logger.error if report["error"] else logger.info)("labels", extra=report)
    return report


def posted(event: dict[str, Any], spec: Spec, store: Store, versions: list[int]) -> dict[str, Any]:
    now = iso(from_ms(event["requestContext"]["timeEpoch"]))
    try:
        claims = from_request(spec, document(event), now)
        return answer(200, join(store, spec, claims, versions, now, retry=False))
    except DriftloopError as error:
        return problem(error)
