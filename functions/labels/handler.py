"""Ground truth, by file (EventBridge: Object Created) or by POST /models/{model}/labels."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from aws_lambda_powertools import Logger
from driftloop import keys
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.claims import from_csv, from_request
from driftloop.dataset import dump
from driftloop.errors import BadRequest, DataError, DriftloopError
from driftloop.labels import join
from driftloop.problem import answer, problem
from driftloop.quarantine import upload_name
from driftloop.spec import Spec
from driftloop.when import from_ms, iso

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "model", "store", "table")
    spec, store = Spec.read(spec_path()), Store(settings.store)
    versions = [v.version for v in Registry(settings.table).versions(settings.model)]
    if "requestContext" not in event:
        return by_file(event, spec, store, versions)
    try:
        now = iso(from_ms(event["requestContext"]["timeEpoch"]))
        claims = from_request(spec, body(event), now)
        return answer(200, join(store, spec, claims, versions, now, retry=False))
    except DriftloopError as error:
        return problem(error)


def by_file(event: dict[str, Any], spec: Spec, store: Store, versions: list[int]) -> dict[str, Any]:
    """A file that is refused leaves a report; trying it again would not mend it."""
    bucket, entry, now = event["detail"]["bucket"]["name"], event["detail"]["object"], event["time"]
    key, version_id = entry["key"], entry.get("version-id")
    name = upload_name(bucket, key, version_id)
    report: dict[str, Any] = {"labels": {"bucket": bucket, "key": key, "version_id": version_id}}
    try:
        claims = from_csv(spec, Store(bucket).get(key, version_id), name, now)
        report |= {"error": None, **join(store, spec, claims, versions, now)}
    except DataError as error:
        report["error"] = {"name": type(error).__name__, "message": str(error)}
    store.put(keys.ingest_report(spec.name, name), dump({**report, "now": now}))
    (logger.error if report["error"] else logger.info)("labels", extra=report)
    return report


def body(event: dict[str, Any]) -> Any:
    """The request's document. Raises BadRequest."""
    text = event.get("body") or ""
    try:
        return json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}", "body") from None
