"""What there is to know of models, over HTTP: a path in, an answer out.

::

    GET /health                              is anybody there
    GET /models                              the models that answer
    GET /models/{model}                      its route and the version that answers
    GET /models/{model}/versions             newest first
    GET /models/{model}/versions/{n}         one version, with its card
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import unquote

from driftloop.errors import NotFound
from driftloop.problem import Response, answer
from driftloop.route import Route, Served
from driftloop.version import Version

MOST_VERSIONS = 100


class Source(Protocol):
    """What the registry and the store tell; ``version`` and ``card`` raise NotFound."""

    def routes(self) -> dict[str, Route]: ...

    def route(self, model: str) -> Route | None: ...

    def version(self, model: str, number: int) -> Version: ...

    def versions(self, model: str, limit: int | None = None) -> Iterator[Version]: ...

    def card(self, version: Version) -> dict[str, Any]: ...


def respond(method: str, path: str, source: Source) -> Response:
    """Raises NotFound, naming what there is, for a path that leads nowhere."""
    steps = [unquote(step) for step in path.split("/") if step]
    match [method, *steps]:
        case ["GET", "health"]:
            return answer(200, {"status": "ok"})
        case ["GET", "models"]:
            names = source.routes()
            return answer(200, {"models": [{"model": m, "url": f"/models/{m}"} for m in names]})
        case ["GET", "models", model]:
            return answer(200, _model(model, _route(model, source), source))
        case ["GET", "models", model, "versions"]:
            route = _route(model, source)
            found = source.versions(model, MOST_VERSIONS)
            return answer(200, {"model": model, "versions": [_short(v, route) for v in found]})
        case ["GET", "models", model, "versions", number] if number.isdecimal():
            route = _route(model, source)
            version = source.version(model, int(number[:9]))
            body = {**version.to_item(), "model": model, "role": _role(version.version, route)}
            return answer(200, {**body, "card": source.card(version)})
        case [_, "models", model, *_]:
            _route(model, source)
            raise NotFound(
                f"{method} {path} leads nowhere. There are: GET /models/{model}, GET "
                f"/models/{model}/versions, POST /models/{model}/predict, POST "
                f"/models/{model}/labels"
            )
    raise NotFound(f"{method} {path} leads nowhere. Start at GET /models")


def _route(model: str, source: Source) -> Route:
    route = source.route(model)
    if route is None:
        names = ", ".join(source.routes()) or "none yet"
        raise NotFound(f"no model {model[:60]!r} with a released version; there are: {names}")
    return route


def _model(model: str, route: Route, source: Source) -> dict[str, Any]:
    served = source.version(model, route.champion.version)
    return {
        "model": model,
        "champion": _short(served, route),
        "challenger": _served(route.challenger),
        "share": route.share,
        "step": route.step,
        "since": route.since,
        "previous": route.previous,
        "revision": route.revision,
        "links": {
            "predict": f"/models/{model}/predict",
            "labels": f"/models/{model}/labels",
            "versions": f"/models/{model}/versions",
        },
    }


def _served(served: Served | None) -> dict[str, Any] | None:
    return {"version": served.version, "sha256": served.sha256} if served else None


def _short(version: Version, route: Route) -> dict[str, Any]:
    return {
        "version": version.version,
        "role": _role(version.version, route),
        "created": version.created,
        "estimator": version.estimator,
        "metrics": version.metrics,
        "cause": version.cause,
        "run": version.run,
        "plan_sha256": version.plan_sha256,
    }


def _role(number: int, route: Route) -> str | None:
    if number == route.champion.version:
        return "champion"
    if route.challenger is not None and number == route.challenger.version:
        return "challenger"
    return None
