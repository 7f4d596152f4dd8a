"""Messages of the model's queue. Only the standard library: it must start in no time."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from time import monotonic
from typing import Any

from driftloop.aws.settings import Settings, spec_path
from driftloop.predict import Endpoint
from driftloop.serving import Live, Serving
from driftloop.stream import Stream
from driftloop.wire.client import Client
from driftloop.wire.source import Source
from driftloop.wire.ways import Ways


def say(message: str) -> None:
    print(json.dumps({"level": "WARNING", "message": message}))


@cache
def stream() -> Stream:
    needed = ("env", "model", "table", "store", "dead_letters")
    settings = Settings.from_env(os.environ, *needed)
    serving = Serving.of(json.loads(spec_path().read_bytes()))
    client = Client.from_env(os.environ)
    endpoint = Endpoint(settings.env, Live(serving, Source(settings, client), say))
    return Stream(settings.env, settings.model, endpoint.respond, Ways(settings, client), say)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    answer, lines = stream().serve(event["Records"], monotonic())
    sys.stdout.write("\n".join([*lines, ""]))
    return answer


if os.environ.get("AWS_LAMBDA_RUNTIME_API"):  # the init phase has a whole CPU and is not billed
    stream()
