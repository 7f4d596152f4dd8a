"""POST /models/{model}/predict. Only the standard library: it must start in no time."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from time import monotonic
from typing import Any

from driftloop.aws.settings import Settings, spec_path
from driftloop.errors import DriftloopError
from driftloop.predict import Endpoint
from driftloop.serving import Live, Serving
from driftloop.wire.client import Client
from driftloop.wire.source import Source


def say(message: str) -> None:
    print(json.dumps({"level": "WARNING", "message": message}))


@cache
def endpoint() -> Endpoint:
    settings = Settings.from_env(os.environ, "env", "model", "table", "store")
    serving = Serving.of(json.loads(spec_path().read_bytes()))
    return Endpoint(settings.env, Live(serving, Source(settings, Client.from_env(os.environ)), say))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    response, lines = endpoint().respond(event, monotonic())
    sys.stdout.write("\n".join([*lines, ""]))
    return response


if os.environ.get("AWS_LAMBDA_RUNTIME_API"):  # the init phase has a whole CPU and is not billed
    try:
        endpoint().live.refresh(None, monotonic())
    except DriftloopError as error:  # the first request tries again, and says so if in vain
        say(f"cold start: {error}")
