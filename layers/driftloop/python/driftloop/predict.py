"""The endpoint: a request in, an answer and the lines to print out. Standard library only."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from driftloop import metering
from driftloop.capture_lines import Captured, lines
from driftloop.errors import BadRequest, DriftloopError, RequestTooLarge
from driftloop.ids import prediction_ids
from driftloop.payload import Asked, from_event
from driftloop.problem import JSON, Response, encode, problem, text
from driftloop.scoring import Scores, explanations, predictions, score, told
from driftloop.serving import Live, Loaded

MAX_ANSWER = 6_000_000  # bytes; Lambda's answers end at 6 MiB


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
        found = [*request.lines, *self._metrics(request, status, elapsed)]
        if status == 200 and (shadow := self.live.shadow()):
            found += self._shadow(shadow, request, elapsed)
        return response, found

    def _predict(self, event: Mapping[str, Any], request: _Request) -> Response:
        champion = self.live.champion()
        asked = from_event(event, champion.scorer.inputs, champion.known)
        version, scores = self._score(asked, request)
        ids = prediction_ids(request.id, request.now, len(asked.rows))
        response = self._answer(event, asked, version, ids, scores)
        request.asked, request.ids, request.version = asked, ids, version.served.version
        request.lines = self._captured(version, request, scores)
        return response

    def _answer(
        self,
        event: Mapping[str, Any],
        asked: Asked,
        version: Loaded,
        ids: list[str],
        scores: Scores,
    ) -> Response:
        scorer, number = version.scorer, str(version.served.version)
        headers: Mapping[str, str] = event.get("headers") or {}
        if "text/csv" in headers.get("accept", "").lower():
            from driftloop.payload.table import CONTENT_TYPE, table  # a cold start does without

            if asked.explain:
                raise BadRequest("explain: is answered as JSON; leave out accept", "explain")
            kind, said = CONTENT_TYPE, table(predictions(scorer, ids, scores))
        else:
            if asked.explain:
                documents = predictions(scorer, ids, scores)
                for document, reasons in zip(documents, explanations(version, asked), strict=True):
                    document["explanation"] = reasons
                rows = encode(documents)
            else:
                rows = told(scorer, ids, scores)
            model = encode(self.live.serving.model)
            kind, said = JSON, f'{{"model":{model},"version":{number},"predictions":{rows}}}'
        # The runtime sends it as a JSON text, in which a character takes up to six bytes.
        if len(said) * 6 > MAX_ANSWER and len(encode(said)) > MAX_ANSWER:
            raise RequestTooLarge("the answer would be over 6 MB; send fewer rows")
        return text(200, kind, said, x_driftloop_version=number)

    def _score(self, asked: Asked, request: _Request) -> tuple[Loaded, Scores]:
        """The version that answers, and its scores: one for a request, so that it is the same one
        for the same key of the first row.

        What the challenger cannot answer and the champion can is the challenger's error.
        """
        champion = self.live.champion()
        key, rows, place = self.live.serving.key, asked.rows, asked.place
        named = rows[0].get(key) if key and isinstance(rows[0], dict) else None
        sticky = request.id if named is None else str(named)
        challenger = self.live.challenger_for(sticky)
        if challenger and asked.explain and len(rows) > challenger.scorer.explainable:
            challenger = None  # no mistake of its own: the champion may be able to say why
        began = perf_counter()
        if challenger is not None:
            try:
                scores = score(challenger, rows, key, place)
            except Exception as error:  # noqa: BLE001  (whatever it is, the champion answers)
                scores = score(champion, rows, key, place)
                request.failed = challenger.served.version
                self.live.say(_failed(challenger, error))
                return champion, scores
            request.role = "challenger"
            return challenger, scores
        scores = score(champion, rows, key, place)
        request.scoring = (perf_counter() - began) * 1000
        request.failed = self.live.broken_for(sticky)
        return champion, scores

    def _shadow(self, challenger: Loaded, request: _Request, elapsed: float) -> list[str]:
        """The lines of a challenger that scores what was answered already: the same rows under
        the same ids. Its latency is what the caller would have waited had it answered.
        ``elapsed``: milliseconds that he did wait."""
        began = perf_counter()
        model, number = self.live.serving.model, challenger.served.version
        request.role = "shadow"
        assert request.asked is not None
        try:
            scores = score(challenger, request.asked.rows, self.live.serving.key)
            latency = elapsed - request.scoring + (perf_counter() - began) * 1000
            found = self._captured(challenger, request, scores)
        except Exception as error:  # noqa: BLE001  (whatever it is, the answer is given)
            self.live.say(_failed(challenger, error))
            return [metering.failed(self.env, model, request.now, version=number)]
        rows = len(request.ids)
        line = metering.shadowed(
            self.env, model, request.now, version=number, latency=latency, rows=rows
        )
        return [*found, line]

    def _captured(self, version: Loaded, request: _Request, scores: Scores) -> list[str]:
        assert request.asked is not None
        captured = Captured(
            model=self.live.serving.model,
            version=version.served.version,
            role=request.role,
            time=request.now,
            request=request.id,
            columns=version.columns,
            ids=request.ids,
            rows=[[row.get(name) for name in version.columns] for row in request.asked.rows],
            predictions=scores,
        )
        return lines(captured, self.live.serving.sample)

    def _metrics(self, request: _Request, status: int, elapsed: float) -> list[str]:
        model, route = self.live.serving.model, self.live.route
        compared = route is not None and route.challenger is not None
        found = [
            metering.answered(
                self.env,
                model,
                request.now,
                status=status,
                latency=elapsed,
                rows=len(request.ids),
                version=request.version if compared else None,
                stale=self.live.age(request.now) if self.live.stale else None,
            )
        ]
        if request.failed:
            found.append(metering.failed(self.env, model, request.now, version=request.failed))
        return found


def _failed(challenger: Loaded, error: Exception) -> str:
    number = challenger.served.version
    return f"challenger {number} failed: {type(error).__name__}: {error}"


@dataclass
class _Request:
    """What becomes known of a request while it is answered. ``scoring``: milliseconds the
    champion took for its scores."""

    id: str
    now: int
    role: str = "champion"
    version: int | None = None
    asked: Asked | None = None
    ids: list[str] = field(default_factory=list)
    scoring: float = 0.0
    failed: int | None = None
    lines: list[str] = field(default_factory=list)
