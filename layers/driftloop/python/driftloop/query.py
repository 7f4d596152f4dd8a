"""What there is to know of models, over HTTP: a request in, an answer out.

::

    GET /health                                is anybody there
    GET /models                                the models that answer
    GET /models/{model}                        its route, what a row holds, an example
    GET /models/{model}/versions               newest first
    GET /models/{model}/versions/{n}           one version and where it came from
    GET /models/{model}/versions/{n}/card      its model card: JSON, or HTML or Markdown if accepted
    GET /openapi.json, /docs                   all of this and every model's endpoint, described
    GET /models/{model}/openapi.json           one model's
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import unquote

from driftloop.errors import NotFound, WrongMethod
from driftloop.interface import Interface
from driftloop.openapi import Service, document, requests
from driftloop.openapi.examples import examples
from driftloop.pages import docs, markdown
from driftloop.problem import Response, answer, text
from driftloop.route import Route
from driftloop.version import Version

MOST_VERSIONS = 100
HTML, MARKDOWN = "text/html", "text/markdown"


class Source(Protocol):
    """What the registry and the store tell; ``version`` and what is of one raise NotFound."""

    def routes(self) -> Mapping[str, Route]: ...

    def route(self, model: str) -> Route | None: ...

    def version(self, model: str, number: int) -> Version: ...

    def versions(self, model: str, limit: int | None = None) -> Iterator[Version]: ...

    def interface(self, version: Version) -> Interface: ...

    def card(self, version: Version) -> dict[str, Any]: ...

    def card_text(self, version: Version) -> str:
        """The card as Markdown."""


@dataclass(frozen=True)
class Request:
    """``accept``: the header, '' if there was none."""

    method: str
    path: str
    accept: str = ""


def respond(request: Request, source: Source, service: Service) -> Response:
    """Raises NotFound, naming what there is, for a path that leads nowhere; WrongMethod for one
    that is there for others."""
    steps = [unquote(step) for step in request.path.split("/") if step]
    allowed = _methods(steps)
    if request.method == "OPTIONS":  # anybody may ask, and learns no model's name
        return text(204, "text/plain", "", allow=", ".join([*allowed, "OPTIONS"]))
    if steps[:1] == ["models"] and len(steps) > 1:
        _route(steps[1], source)
    if not allowed:
        raise NotFound(f"{request.method} {request.path} leads nowhere. {_hint(steps)}")
    if request.method not in allowed:
        said = ", ".join(allowed)
        raise WrongMethod(f"{request.path} is there for {said}, not for {request.method}", said)
    found = _found(steps, request.accept, source, service)
    return found if request.method == "GET" else found | {"body": ""}


def _methods(steps: list[str]) -> tuple[str, ...]:
    match steps:
        case ["models", _, "predict" | "labels"]:
            return ("POST",)
        case ["models", _, "versions", number, *_] if not number.isdecimal():
            return ()
        case (
            ["health" | "models" | "openapi.json" | "docs"]
            | ["models", _]
            | ["models", _, "versions" | "openapi.json"]
            | ["models", _, "versions", _]
            | ["models", _, "versions", _, "card"]
        ):
            return ("GET", "HEAD")
    return ()


def _found(steps: list[str], accept: str, source: Source, service: Service) -> Response:
    match steps:
        case ["health"]:
            return answer(200, {"status": "ok"})
        case ["models"]:
            return answer(200, {"models": [_listed(*m) for m in source.routes().items()]})
        case ["openapi.json"]:
            return answer(200, document(service, _interfaces(source)))
        case ["docs"]:
            return text(200, f"{HTML}; charset=utf-8", docs.html(service, _interfaces(source)))
        case ["models", model]:
            return answer(200, _model(model, source))
        case ["models", model, "openapi.json"]:
            champion = source.version(model, _route(model, source).champion.version)
            return answer(200, document(service, [source.interface(champion)]))
        case ["models", model, "versions"]:
            route, found = _route(model, source), source.versions(model, MOST_VERSIONS)
            return answer(200, {"model": model, "versions": [_short(v, route) for v in found]})
    _, model, _, number, *card = steps
    version = source.version(model, int(number[:9]))
    if not card:
        return answer(200, _detail(model, version, _route(model, source)))
    return _card(version, accept, source)


def _route(model: str, source: Source) -> Route:
    route = source.route(model)
    if route is None:
        names = ", ".join(source.routes()) or "none yet"
        raise NotFound(f"no model {model[:60]!r} with a released version; there are: {names}")
    return route


def _hint(steps: list[str]) -> str:
    if steps[:1] != ["models"]:
        return "Start at GET /models or GET /docs"
    model = f"/models/{steps[1]}"
    return (
        f"There are: GET {model}, GET {model}/versions, POST {model}/predict, POST {model}/labels"
    )


def _interfaces(source: Source) -> list[Interface]:
    found = source.routes().items()
    return [source.interface(source.version(m, route.champion.version)) for m, route in found]


def _links(model: str) -> dict[str, str]:
    base = f"/models/{model}"
    return {
        "self": base,
        "predict": f"{base}/predict",
        "labels": f"{base}/labels",
        "versions": f"{base}/versions",
        "openapi": f"{base}/openapi.json",
        "docs": f"/docs#{model}",
    }


def _listed(model: str, route: Route) -> dict[str, Any]:
    return {"model": model, "route": _shares(route), "links": _links(model)}


def _model(model: str, source: Source) -> dict[str, Any]:
    route = _route(model, source)
    champion = source.version(model, route.champion.version)
    face = source.interface(champion)
    return {
        "model": model,
        "description": face.description,
        "task": face.task,
        "target": face.target,
        "route": _shares(route),
        "version": _short(champion, route),
        "schema": requests.instance(face),
        "example": examples(face)["instances"],
        "links": _links(model),
    }


def _shares(route: Route) -> dict[str, Any]:
    """The route, versions by their numbers."""
    return {
        "champion": route.champion.version,
        "challenger": route.challenger.version if route.challenger else None,
        "share": route.share,
        "strategy": route.strategy,
        "step": route.step,
        "since": route.since,
        "began": route.began,
        "paused": vars(route.paused) if route.paused else None,
        "previous": route.previous,
        "revision": route.revision,
    }


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


def _detail(model: str, version: Version, route: Route) -> dict[str, Any]:
    path = f"/models/{model}/versions/{version.version}"
    links = {"self": path, "card": f"{path}/card", "model": f"/models/{model}"}
    role = _role(version.version, route)
    return {**version.to_item(), "model": model, "role": role, "links": links}


def _card(version: Version, accept: str, source: Source) -> Response:
    if HTML in accept:
        page = markdown.page(source.card_text(version))
        return text(200, f"{HTML}; charset=utf-8", page, vary="accept")
    if MARKDOWN in accept:
        written = source.card_text(version)
        return text(200, f"{MARKDOWN}; charset=utf-8", written, vary="accept")
    return answer(200, source.card(version), vary="accept")


def _role(number: int, route: Route) -> str | None:
    if number == route.champion.version:
        return "champion"
    if route.challenger is not None and number == route.challenger.version:
        return "challenger"
    return None
