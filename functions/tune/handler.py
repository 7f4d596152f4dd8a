"""States ProposeTrials, EvaluateTrials and ChooseTrial: which model, with which parameters."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop import keys
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.frame import Frame
from driftloop.plan import Scorer, load, schema
from driftloop.spec import Spec
from driftloop.tune import choose, evaluate, propose, recalibration, records

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> Any:
    settings = Settings.from_env(os.environ, "store", "table", "code")
    store, spec, state = Store(settings.store), Spec.read(spec_path()), event["state"]
    match event["op"]:
        case "propose":
            if state.get("mode") == "recalibrate":
                return _recalibration(store, Registry(settings.table), spec, state)
            return propose(spec)
        case "evaluate":
            frame = Frame.from_bytes(store.get(state["frame"]["key"]))
            score = evaluate(frame, spec, event["trial"], _champion(store, event["trial"]))
            logger.info("scored a trial", extra={"run": state["run"], **score})
            return score
        case "choose":
            choice = choose(spec, state["scores"])
            kept = records(spec, state["scores"], choice, settings.code)
            for name, key in choice.get("recalibrate", {}).get("files", {}).items():
                kept[f"job/{name}"] = store.get(key)
            for name, data in kept.items():
                store.put(keys.run(spec.name, state["run"], name), data)
            logger.info("chose", extra={"run": state["run"], **choice})
            return choice
    raise ValueError(f"tune has no operation {event['op']!r}")


def _recalibration(store: Store, registry: Registry, spec: Spec, state: Any) -> list[Any]:
    route = registry.route(spec.name)
    if route is None:
        return propose(spec)
    champion = registry.version(spec.name, route.champion.version)
    plan = schema.read(store.get(champion.plan_key))
    return recalibration(spec, champion, plan, state["frame"]["classes"])


def _champion(store: Store, trial: Any) -> Scorer | None:
    whose = trial.get("recalibrate")
    return load(store.get(whose["files"]["plan.json"]), whose["plan_sha256"]) if whose else None
