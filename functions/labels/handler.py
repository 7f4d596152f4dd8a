"""Ground truth, by file (EventBridge: Object Created) or by POST /models/{model}/labels; and, as a
window closes (EventBridge: a schedule), what could not be joined so far."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop import withheld
from driftloop.arrived import Arrived
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.claims import from_request
from driftloop.errors import DriftloopError
from driftloop.labels import join, look_again, take_in
from driftloop.payload import document
from driftloop.problem import answer, problem
from driftloop.spec import Spec
from driftloop.when import from_ms, iso, parse

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "model", "store", "table")
    spec, store, registry = Spec.read(spec_path()), Store(settings.store), Registry(settings.table)
    versions = [v.version for v in registry.versions(settings.model)]
    if "requestContext" in event:
        return posted(event, spec, store, versions)
    if (detail := event.get("detail")) and "object" in detail:
        bucket, entry = detail["bucket"]["name"], detail["object"]
        origin = {"bucket": bucket, "key": entry["key"], "version_id": entry.get("version-id")}
        data = Store(bucket).get(origin["key"], origin["version_id"])
        report = take_in(store, spec, origin, data, versions, event["time"])
    else:
        window = round(spec.monitor.window.total_seconds() * 1000)
        report = look_again(store, spec, versions, event["time"], window)
    waiting = withheld.to_be_judged(store, spec, event["time"])
    days = report.get("gathered", ())  # what has to be judged first, the monitor says when it is
    if new := sum(day["new"] for day in days if not withheld.touching(waiting, day["day"])):
        registry.arrive(settings.model, Arrived(iso(parse(event["time"])), new))
    (logger.error if report.get("error") else logger.info)("labels", extra=report)
    return report


def posted(event: dict[str, Any], spec: Spec, store: Store, versions: list[int]) -> dict[str, Any]:
    now = iso(from_ms(event["requestContext"]["timeEpoch"]))
    try:
        joined, _ = join(store, spec, from_request(spec, document(event), now), versions, now)
        return answer(200, joined)
    except DriftloopError as error:
        return problem(error)
