"""The document: paths of the API itself, and those of every released model, spelled out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from driftloop.interface import Interface
from driftloop.openapi import answers, requests
from driftloop.openapi.answers import Schema, responses
from driftloop.openapi.examples import examples, labels_example
from driftloop.openapi.service import Service

ABOUT = (
    "Predictions, labels, and what there is to know of the models that are released. "
    "Errors are problem documents (RFC 9457) that name each field."
)


def document(service: Service, models: Sequence[Interface]) -> dict[str, Any]:
    """The whole API with ``models``; the same answer whatever their order."""
    models = sorted(models, key=lambda face: face.model)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"driftloop {service.env}", "version": "1", "description": ABOUT},
        "servers": [{"url": service.url}],
        "tags": [{"name": f.model, "description": f.description} for f in models],
        "paths": {
            **_own(service),
            **{path: item for face in models for path, item in _model(service, face).items()},
        },
        "components": {
            "schemas": {
                "problem": answers.PROBLEM,
                "gateway": answers.GATEWAY,
                **{name: schema for face in models for name, schema in _schemas(face).items()},
            },
            "securitySchemes": service.schemes(),
        },
    }


def _schemas(face: Interface) -> dict[str, Schema]:
    return {
        f"{face.model}.row": requests.instance(face),
        f"{face.model}.request": requests.payload(face),
        f"{face.model}.answer": answers.answer(face),
        f"{face.model}.labels": requests.labels(face),
    }


def _own(service: Service) -> dict[str, Any]:
    page = {"text/html": {"schema": {"type": "string"}}}
    return {
        "/health": _get("health", "Is anybody there", _json(answers.HEALTH), service, "health"),
        "/models": _get("models", "The models that answer", _json(answers.MODELS), service),
        "/openapi.json": _get(
            "openapi", "This document", _json({"type": "object"}), service, "openapi"
        ),
        "/docs": _get("docs", "This document, to read", page, service, "docs"),
    }


def _model(service: Service, face: Interface) -> dict[str, Any]:
    base, tags = f"/models/{face.model}", [face.model]

    def get(
        name: str, about: str, content: dict[str, Any], *parameters: Any, what: str = ""
    ) -> Any:
        found = _get(f"{face.model}.{name}", about, content, service, what, *parameters)
        return {"get": found["get"] | {"tags": tags}}

    card = {
        **_json(answers.CARD),
        "text/html": {"schema": {"type": "string"}},
        "text/markdown": {"schema": {"type": "string"}},
    }
    return {
        base: get("model", "Its route, what a row holds, an example", _json(answers.MODEL)),
        f"{base}/predict": {"post": _predict(service, face) | {"tags": tags}},
        f"{base}/labels": {"post": _labels(service, face) | {"tags": tags}},
        f"{base}/versions": get("versions", "Newest first", _json(answers.VERSIONS)),
        f"{base}/versions/{{version}}": get(
            "version", "One version and where it came from", _json(answers.DETAIL), _NUMBER
        ),
        f"{base}/versions/{{version}}/card": get(
            "card", "Its model card, as data or to read", card, _NUMBER
        ),
        f"{base}/openapi.json": get(
            "openapi", "This document for this model alone", _json({"type": "object"}),
            what="openapi",
        ),
    }  # fmt: skip


_NUMBER = {
    "name": "version", "in": "path", "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999}, "example": 1,
}  # fmt: skip


def _get(
    name: str, about: str, content: dict[str, Any], service: Service, what: str = "",
    *parameters: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    security = service.security(what)
    good = {"200": {"description": about, "content": content}}
    operation = {
        "operationId": name,
        "summary": about,
        "responses": responses(good, *([404] if parameters else []), open_=not security),
        "security": security,
    }
    return {"get": operation | ({"parameters": list(parameters)} if parameters else {})}


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _predict(service: Service, face: Interface) -> dict[str, Any]:
    ref = f"#/components/schemas/{face.model}"
    shapes = examples(face)
    csv = shapes.pop("csv")
    rows = {"schema": {"type": "string"}}
    explain = {
        "name": "explain", "in": "query", "schema": {"type": "boolean", "default": False},
        "description": "Say what each input contributed to each prediction.",
    }  # fmt: skip
    good = {
        "200": {
            "description": "One prediction a row, in order",
            "headers": {
                "x-driftloop-version": {
                    "description": "The version that answered.", "schema": {"type": "integer"},
                },
                "x-driftloop-stale": {
                    "description": "Seconds since the route could last be looked up, where that "
                    "was in vain.",
                    "schema": {"type": "integer"},
                },
            },
            "content": {**_json({"$ref": f"{ref}.answer"}), "text/csv": rows},
        }
    }  # fmt: skip
    security = service.security()
    return {
        "operationId": f"{face.model}.predict",
        "summary": "Predict",
        "description": face.description,
        **({"parameters": [explain]} if face.explains else {}),
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": f"{ref}.request"},
                    "examples": {name: {"value": value} for name, value in shapes.items()},
                },
                "text/csv": {**rows, "examples": {"csv": {"value": csv}}},
            },
        },
        "responses": responses(good, 400, 413, 415, open_=not security),
        "security": security,
    }


def _labels(service: Service, face: Interface) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{face.model}.labels"}
    security = service.security()
    good = {"200": {"description": "How they fared", "content": _json(answers.JOINED)}}
    return {
        "operationId": f"{face.model}.labels",
        "summary": "Say what became of predictions",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": labels_example(face)}},
        },
        "responses": responses(good, 400, 413, 415, open_=not security),
        "security": security,
    }
