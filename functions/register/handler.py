"""State Register: a candidate that passed the gates → a version."""

from __future__ import annotations

import json
import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.card import card, markdown
from driftloop.register import audit, card_key, version
from driftloop.run import Guard
from driftloop.spec import Spec

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store", "table", "code")
    store, registry, spec = Store(settings.store), Registry(settings.table), Spec.read(spec_path())
    state = event["state"]
    number = registry.run(spec.name, state["run"]).version
    if number is None:
        number = _register(event, settings.code, store, registry, spec)
    logger.info("registered", extra={"run": state["run"], "version": number})
    return {"version": number, "candidate": state["candidate"]["candidate"]}


def _register(
    event: dict[str, Any], code: str, store: Store, registry: Registry, spec: Spec
) -> int:
    """The record is written last, in one go: before it there is no version."""
    state, model = event["state"], spec.name
    latest = next(registry.versions(model, limit=1), None)
    environment = json.loads(store.get(state["candidate"]["environment_key"]))
    number = latest.version + 1 if latest else 1
    made = version(state, number, spec, code, environment, event["now"])
    report = json.loads(store.get(state["verdict"]["key"]))
    described = card(made, state, spec, report)
    store.put(made.card_key, json.dumps(described, sort_keys=True, allow_nan=False).encode())
    store.put(card_key(model, made.candidate, number, "md"), markdown(described).encode())
    guard = Guard(state["run"], state["fence"])
    registry.register(model, made, guard, audit(made, state))
    return number
