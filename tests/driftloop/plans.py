"""Small plans written by hand, and an endpoint over them, for tests of what serves."""

import json

from driftloop.errors import NotFound, Unavailable
from driftloop.plan import schema
from driftloop.predict import Endpoint
from driftloop.route import Route, Served, first
from driftloop.serving import Live, Serving

SPEC = {
    "name": "flights",
    "key": "flight_id",
    "time": "sched_dep",
    "capture": {"sample": 1.0, "redact": []},
}
ROW = {"hour": 7, "carrier": "UA", "temp": 3.5}
NOW = 1_359_676_800_000  # 2013-02-01


def number(name, nullable=False, low=None, high=None):
    return {
        "type": "number", "name": name, "nullable": nullable, "min": low, "max": high,
        "missing": 0.0 if nullable else None, "center": None, "scale": None,
    }  # fmt: skip


def plan(
    intercept: float = -1.0, classes=("0", "1"), extra: int = 0, background=False, interval=None
) -> bytes:
    """A linear model over hour, carrier and temp (and ``extra`` more numbers). ``background``:
    whether it can be explained; ``interval``: a regression's."""
    carrier = {
        "type": "category", "name": "carrier", "nullable": False, "allowed": None,
        "pattern": None,
        "codes": {"UA": 0, "AA": 1}, "unknown": 2, "missing": 2, "size": 3,
    }  # fmt: skip
    inputs = [number("hour", low=0.0, high=23.0), carrier, number("temp", nullable=True)]
    inputs += [number(f"x{i}") for i in range(extra)]
    outputs = len(classes) if classes and len(classes) > 2 else 1
    weights = [0.1, [0.0, 0.25, 0.5], -0.05, *([0.01] * extra)]
    link = "identity" if not classes else "logistic" if len(classes) == 2 else "softmax"
    return schema.dump(
        {
            "format": schema.FORMAT,
            "task": "classification" if classes else "regression",
            "classes": list(classes) if classes else None,
            "inputs": inputs,
            "precision": "float64",
            "interval": interval,
            "model": {
                "kind": "linear",
                "link": link,
                "intercept": [intercept + k for k in range(outputs)],
                "weights": [weights] * outputs,
                "background": [[0.5] * len(weights)] * outputs if background else None,
            },
        }
    )


class Shelf:
    """A source in memory that can be broken: ``down`` refuses everything, ``slow`` lets so many
    bytes of a plan through at a time."""

    def __init__(self):
        self.current: Route | None = None
        self.plans: dict[str, bytes] = {}
        self.down = False
        self.slow: int | None = None
        self.looks = self.fetches = 0

    def put(self, version: int, data: bytes) -> Served:
        key = f"flights/versions/{version}/plan.json"
        self.plans[key] = data
        return Served(version, key, schema.digest(data))

    def route(self, budget):
        self.looks += 1
        if self.down:
            raise Unavailable("dynamodb did not answer within 0.2 s")
        return self.current

    def plan(self, key, start, budget):
        self.fetches += 1
        if self.down:
            raise Unavailable("s3 did not answer within 1 s")
        if key not in self.plans:
            raise NotFound(f"{key}: there is no such object")
        data = self.plans[key]
        end = None if self.slow is None else start + self.slow
        return data[start:end], len(data)


class Desk:
    """An endpoint over a shelf whose version 1 is champion, and what it said."""

    def __init__(self, data: bytes | None = None, **spec):
        self.shelf = Shelf()
        self.shelf.current = first(self.shelf.put(1, data or plan()), "2013-02-01T00:00:00.000Z")
        self.said: list[str] = []
        serving = Serving.of(SPEC | spec)
        self.endpoint = Endpoint("dev", Live(serving, self.shelf, self.said.append))

    def ask(self, instances, **more):
        body = json.dumps({"instances": instances})
        return self.send(body, **more)

    def send(self, body, *, now=NOW, request="r-1", base64=False, query=None, **headers):
        """(status, headers, document or text, lines parsed); ``content_type="text/csv"``."""
        event = {
            "version": "2.0",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "requestContext": {"requestId": request, "timeEpoch": now},
            "body": body,
            "isBase64Encoded": base64,
        }
        if query:
            event["queryStringParameters"] = query
        response, lines = self.endpoint.respond(event, 0.0)
        said = response["body"]
        if "json" in response["headers"]["content-type"]:
            said = json.loads(said, parse_constant=lambda c: 1 / 0)
        found = [json.loads(line, parse_constant=lambda c: 1 / 0) for line in lines]
        return response["statusCode"], response["headers"], said, found
