"""The endpoint: a request in, an answer and the lines to print out. Standard library only."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from driftloop import emf
from driftloop.capture_lines import Captured, lines
from driftloop.errors import DriftloopError, RequestTooLarge
from driftloop.ids import prediction_ids
from driftloop.instances import Instance, read
from driftloop.problem import Response, answer, problem
from driftloop.scoring import Scores, predictions, score
from driftloop.serving import Live, Loaded

MAX_ANSWER = 5_900_000  # characters; Lambda's answers end at 6 MB


@dataclass
class Endpoint:
    """Answers predict requests of one model in ``env``."""

    env: str
    live: Live

    def respond(self, event: Mapping[str, Any], tick: float) -> tuple[Response, list[str]]:
        """The response to an API Gateway event (payload 2.0), and the lines to print: captures,
        then metrics. ``tick``: seconds of a monotonic clock. Never raises: what goes wrong is the
        response.
        """
        began = perf_counter()
        now: int = event["requestContext"]["timeEpoch"]
        request = _Request(event["requestContext"]["requestId"], now)
        try:
            self.live.refresh(now, tick)
            response = self._predict(event, request)
        except DriftloopError as error:
            response = problem(error)
        except Exception:  # noqa: BLE001  (the caller gets a 500 document, the log the reason)
            self.live.say(traceback.format_exc())
            response = problem(DriftloopError("the endpoint failed; its log says why"))
        if self.live.stale:
            response["headers"]["x-driftloop-stale"] = str(self.live.age(now))
        status, elapsed = response["statusCode"], (perf_counter() - began) * 1000
        return response, [*request.lines, *self._metrics(request, status, elapsed)]

    def _predict(self, event: Mapping[str, Any], request: _Request) -> Response:
        asked = read(event.get("body"), is_base64=bool(event.get("isBase64Encoded")))
        version, scores = self._score(asked, request)
        ids = prediction_ids(request.id, request.now, len(asked))
        number = version.served.version
        body = {
            "model": self.live.serving.model,
            "version": number,
            "predictions": predictions(version.scorer, ids, scores),
        }
        response = answer(200, body, x_driftloop_version=str(number))
        if len(response["body"]) > MAX_ANSWER:
            raise RequestTooLarge("the answer would be over 6 MB; send fewer rows", "instances")
        request.rows, request.version = len(asked), number
        captured = Captured(
            model=self.live.serving.model,
            version=number,
            role=request.role,
            time=request.now,
            request=request.id,
            columns=version.columns,
            ids=ids,
            rows=[[instance.get(name) for name in version.columns] for instance in asked],
            predictions=scores,
        )
        request.lines = lines(captured, self.live.serving.sample)
        return response

    def _score(self, asked: list[Instance], request: _Request) -> tuple[Loaded, Scores]:
        """The version that answers, and its scores. The same key meets the same version.

        What the challenger cannot answer and the champion can is the challenger's error.
        """
        champion = self.live.champion()
        key = self.live.serving.key
        named = asked[0].get(key) if key and isinstance(asked[0], dict) else None
        sticky = request.id if named is None else str(named)
        challenger = self.live.challenger_for(sticky)
        if challenger is not None:
            try:
                scores = score(challenger, asked, key)
            except Exception as error:  # noqa: BLE001  (whatever it is, the champion answers)
                scores = score(champion, asked, key)
                request.failed = challenger.served.version
                self.live.say(
                    f"challenger {request.failed} failed: {type(error).__name__}: {error}"
                )
                return champion, scores
            request.role = "challenger"
            return challenger, scores
        return champion, score(champion, asked, key)

    def _metrics(self, request: _Request, status: int, elapsed: float) -> list[str]:
        """One line; by version too while two of them share the traffic, so that they compare."""
        model = self.live.serving.model
        dimensions, sets = {"model": model}, [["model"]]
        route = self.live.route
        compared = route is not None and route.challenger is not None
        if compared and request.version:
            dimensions["version"] = str(request.version)
            sets.append(["model", "version"])
        values = {
            "Requests": (1, "Count"),
            "Rows": (request.rows, "Count"),
            "Latency": (elapsed, "Milliseconds"),
            "Errors": (int(status >= 500), "Count"),
            "BadRequests": (int(400 <= status < 500), "Count"),
        }
        found = [emf.line(self.env, request.now, dimensions, values, sets)]
        if request.failed:
            failed = {"model": model, "version": str(request.failed)}
            failure = {"Requests": (1, "Count"), "Errors": (1, "Count")}
            found.append(emf.line(self.env, request.now, failed, failure))
        return found


@dataclass
class _Request:
    """What becomes known of a request while it is answered."""

    id: str
    now: int
    role: str = "champion"
    version: int | None = None
    rows: int = 0
    failed: int | None = None
    lines: tuple[str, ...] | list[str] = ()
