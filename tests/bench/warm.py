"""The clockwork both handlers run under: answer once, say so, then be timed warm."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Handler = Callable[[dict[str, Any]], dict[str, Any]]
SIZES = (1, 100)
LONGEST = 4.0  # seconds of measuring for each size


def event(instances: list[dict[str, Any]]) -> dict[str, Any]:
    """An API Gateway event (payload 2.0) as Lambda gets it, parsed."""
    return {
        "version": "2.0",
        "rawPath": "/models/flights/predict",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": "bench",
            "timeEpoch": int(time.time() * 1000),
            "http": {"method": "POST", "path": "/models/flights/predict"},
        },
        "body": json.dumps({"instances": instances}),
        "isBase64Encoded": False,
    }


def answered(response: dict[str, Any], rows: int) -> None:
    body = json.loads(response["body"])
    assert response["statusCode"] == 200, body
    assert len(body["predictions"]) == rows


def run(handler: Handler, folder: Path) -> None:
    """Print ``first`` at the first answer, then a JSON line of medians in microseconds by size."""
    instances = json.loads((folder / "instances.json").read_text())
    out = sys.stdout
    sys.stdout = (folder / "stdout").open("w")  # the endpoint's own lines are part of its work
    answered(handler(event(instances[:1])), 1)
    print("first", file=out, flush=True)
    print(json.dumps({str(n): _median(handler, instances, n) for n in SIZES}), file=out, flush=True)


def _median(handler: Handler, instances: list[dict[str, Any]], rows: int) -> float:
    taken: list[float] = []
    end = time.monotonic() + LONGEST
    for number in range(2000):
        start = number * rows % (len(instances) - rows)
        asked = event(instances[start : start + rows])
        began = time.perf_counter()
        response = handler(asked)
        taken.append(time.perf_counter() - began)
        answered(response, rows)
        if time.monotonic() > end:
            break
    return statistics.median(taken[len(taken) // 10 :]) * 1e6
