"""The clockwork every contestant runs under, in whatever environment: the standard library alone.

The same rows in the same order, many rounds of it: answers are timed one by one, and afterwards
compared with the pipeline's own over all rows at once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

Ask = Callable[[Any], Any]
DIFFERENT = 500  # requests at most, before they come round again


class Questions:
    """``instances.json`` and ``expected.json`` of a folder, as requests of some rows each."""

    def __init__(self, folder: Path) -> None:
        self.instances = json.loads((folder / "instances.json").read_text())
        self.expected = json.loads((folder / "expected.json").read_text())

    def of(self, rows: int) -> list[slice]:
        whole = len(self.instances) // rows * rows
        return [slice(start, start + rows) for start in range(0, whole, rows)][:DIFFERENT]

    def time(
        self, rows: int, seconds: float, prepare: Ask, ask: Ask, chances: Ask
    ) -> dict[str, Any]:
        """``us``: microseconds of each answer, for as long as ``seconds``; ``off``: the largest
        difference of a probability from the pipeline's.

        ``prepare`` makes the request of some instances, beforehand; ``chances`` reads the
        probabilities out of an answer, afterwards.
        """
        places = self.of(rows)
        requests = [prepare(self.instances[place]) for place in places]
        answers: list[Any] = []
        taken: list[float] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked = requests[len(taken) % len(requests)]
            began = time.perf_counter()
            answer = ask(asked)
            taken.append((time.perf_counter() - began) * 1e6)
            if len(answers) < len(requests):
                answers.append(answer)
        off = 0.0
        for place, answer in zip(places, answers, strict=False):
            pairs = zip(chances(answer), self.expected[place], strict=True)
            off = max(off, *(abs(a - b) for a, b in pairs))
        return {"us": taken, "off": off}


def event(instances: list[dict[str, Any]]) -> dict[str, Any]:
    """An API Gateway event (payload 2.0) as Lambda gets it, parsed."""
    path = "/models/flights/predict"
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": "bench",
            "timeEpoch": int(time.time() * 1000),
            "stage": "$default",
            "http": {"method": "POST", "path": path, "sourceIp": "127.0.0.1"},
        },
        "body": json.dumps({"instances": instances}),
        "isBase64Encoded": False,
    }


def chances(response: dict[str, Any]) -> list[float]:
    body = json.loads(response["body"])
    assert response["statusCode"] == 200, body
    return [p["probability"] for p in body["predictions"]]


def run(handler: Ask, folder: Path) -> None:
    """A Lambda handler in this process: print ``first`` at the first answer, then obey lines like
    ``{"rows": 100, "seconds": 2}``, each answered by a line of figures."""
    questions = Questions(folder)
    out = sys.stdout
    sys.stdout = lines = (folder / "stdout").open("w")  # what it prints is part of its work
    chances(handler(event(questions.instances[:1])))
    print("first", file=out, flush=True)
    for command in sys.stdin:
        found = questions.time(**json.loads(command), prepare=event, ask=handler, chances=chances)
        print(json.dumps(found), file=out, flush=True)
        _forget(lines)


def _forget(lines: TextIO) -> None:
    lines.seek(0)
    lines.truncate()
