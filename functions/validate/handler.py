"""State Validate: the candidate and the champion on the same holdout → a verdict."""

from __future__ import annotations

import json
import os
from time import perf_counter
from typing import Any

from aws_lambda_powertools import Logger

from driftloop import keys
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.frame import Frame
from driftloop.plan import load
from driftloop.spec import Spec
from driftloop.validate import Champion, validate

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store", "table")
    store, spec, state = Store(settings.store), Spec.read(spec_path()), event["state"]
    frame = Frame.from_bytes(store.get(state["frame"]["key"]))
    trained = state["candidate"]
    candidate = load(store.get(trained["plan_key"]), trained["plan_sha256"])
    champion = _champion(Registry(settings.table), store, spec.name)
    verdict = validate(frame, spec, candidate, champion, perf_counter)
    key = keys.run(spec.name, state["run"], "verdict.json")
    store.put(key, json.dumps(verdict.report(), sort_keys=True, allow_nan=False).encode())
    answer = {**verdict.summary(), "key": key}
    logger.info("judged", extra={"run": state["run"], **answer})
    return answer


def _champion(registry: Registry, store: Store, model: str) -> Champion | None:
    route = registry.route(model)
    if route is None:
        return None
    served = route.champion
    return Champion(served.version, load(store.get(served.key), served.sha256))
