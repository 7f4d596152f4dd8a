"""POST /models/{model}/predict. Only the standard library: it must start in no time."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from time import monotonic
from typing import Any

from driftloop import keys
from driftloop.aws.settings import Settings, spec_path
from driftloop.errors import DriftloopError
from driftloop.predict import Endpoint
from driftloop.route import Route
from driftloop.serving import Live, Serving
from driftloop.wire.calls import get_item, get_object
from driftloop.wire.client import Client


class Aws:
    """Route and plans from the registry and the store."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self.settings, self.client = settings, client

    def route(self, budget: float) -> Route | None:
        table, pk = self.settings.table, keys.model_pk(self.settings.model)
        item = get_item(self.client, table, pk, keys.ROUTE, budget)
        return Route.from_item(item) if item else None

    def plan(self, key: str, budget: float) -> bytes:
        return get_object(self.client, self.settings.store, key, budget)


def say(message: str) -> None:
    print(json.dumps({"level": "WARNING", "message": message}))


@cache
def endpoint() -> Endpoint:
    settings = Settings.from_env(os.environ, "env", "model", "table", "store")
    serving = Serving.of(json.loads(spec_path().read_bytes()))
    return Endpoint(settings.env, Live(serving, Aws(settings, Client.from_env(os.environ)), say))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    response, lines = endpoint().respond(event, monotonic())
    sys.stdout.write("\n".join([*lines, ""]))
    return response


if os.environ.get("AWS_LAMBDA_RUNTIME_API"):  # the init phase has a whole CPU and is not billed
    try:
        endpoint().live.refresh(None, monotonic())
    except DriftloopError as error:  # the first request tries again, and says so if in vain
        say(f"cold start: {error}")
