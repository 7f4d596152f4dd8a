"""States ProposeTrials, EvaluateTrials and ChooseTrial: which model, with which parameters."""

from __future__ import annotations

import json
import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop import keys
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.frame import Frame
from driftloop.spec import Spec
from driftloop.tune import choose, evaluate, propose

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> Any:
    settings = Settings.from_env(os.environ, "store", "code")
    store, spec, state = Store(settings.store), Spec.read(spec_path()), event["state"]
    match event["op"]:
        case "propose":
            return propose(spec)
        case "evaluate":
            frame = Frame.from_bytes(store.get(state["frame"]["key"]))
            score = evaluate(frame, spec, event["trial"])
            logger.info("scored a trial", extra={"run": state["run"], **score})
            return score
        case "choose":
            choice = choose(spec, state["scores"])
            _record(store, spec, state, choice, settings.code)
            logger.info("chose", extra={"run": state["run"], **choice})
            return choice
    raise ValueError(f"tune has no operation {event['op']!r}")


def _record(
    store: Store, spec: Spec, state: dict[str, Any], choice: dict[str, Any], code: str
) -> None:
    """The trials, for people; and what a training job needs beside the frame."""
    model, run = spec.name, state["run"]
    store.put(keys.run(model, run, "trials.json"), _json(state["scores"]))
    store.put(keys.run(model, run, "job/spec.json"), spec.to_json())
    store.put(keys.run(model, run, "job/choice.json"), _json({**choice, "code": code}))


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True).encode()
