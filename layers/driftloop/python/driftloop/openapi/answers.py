"""JSON Schemas of what the API answers, and the answers an operation may give."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from driftloop.interface import Interface

Schema = dict[str, Any]

WHOLE: Schema = {"type": "integer", "minimum": 0}
TEXT: Schema = {"type": "string"}
OPTIONAL_TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "number"}
_UUID: Schema = {"type": "string", "format": "uuid"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def record(title: str, /, **properties: Schema) -> Schema:
    """An object that has all of ``properties``, and maybe more."""
    return {
        "title": title, "type": "object", "properties": properties, "required": list(properties),
    }  # fmt: skip


def listed(of: Schema) -> Schema:
    return {"type": "array", "items": of}


PROBLEM = record(
    "A problem document (RFC 9457)",
    type={"type": "string", "pattern": "^urn:driftloop:error:"},
    title=TEXT,
    status={"type": "integer", "minimum": 400, "maximum": 599},
    detail=TEXT,
)
PROBLEM["properties"]["errors"] = {
    "description": "Each mistake with its place in what was sent.",
    **listed(record("A mistake", field=TEXT, message=TEXT)),
    "minItems": 1,
}
GATEWAY = record("What API Gateway itself answers", message=OPTIONAL_TEXT)
HEALTH = record("Health", status={"const": "ok"})
VERSION = record(
    "A version", version={"type": "integer", "minimum": 1},
    role={"enum": ["champion", "challenger", None]}, created=TEXT, estimator=TEXT,
    metrics={"type": "object", "additionalProperties": {"type": "number"}}, cause=TEXT, run=TEXT,
    plan_sha256=TEXT,
)  # fmt: skip
ROUTE = record(
    "Which version answers what share of requests", champion=WHOLE,
    challenger={"type": ["integer", "null"]}, share=_SHARE, strategy=TEXT, step=WHOLE, since=TEXT,
    began=OPTIONAL_TEXT, paused={"type": ["object", "null"]},
    previous={"type": ["integer", "null"]}, revision=WHOLE,
)  # fmt: skip
LINKS: Schema = {"type": "object", "additionalProperties": TEXT}
MODELS = record("Models", models=listed(record("A model", model=TEXT, route=ROUTE, links=LINKS)))
MODEL = record(
    "A model", model=TEXT, description=TEXT, task={"enum": ["classification", "regression"]},
    target=TEXT, route=ROUTE, version=VERSION, schema={"type": "object"},
    example={"type": "object"}, links=LINKS,
)  # fmt: skip
VERSIONS = record("Versions", model=TEXT, versions=listed(VERSION))
CARD = record("A model card", model=TEXT, version=WHOLE, created=TEXT, target=TEXT)
DETAIL = {"allOf": [VERSION, record("Its lineage", model=TEXT, dataset=TEXT, links=LINKS)]}
JOINED = record(
    "What became of the labels", labels=WHOLE, matched=WHOLE, unmatched=WHOLE, duplicates=WHOLE,
    rejected=WHOLE, predictions=WHOLE,
)  # fmt: skip


def answer(face: Interface) -> Schema:
    """What a predict request is answered."""
    found = _prediction(face)
    if face.explains:
        found["properties"]["explanation"] = {
            **_explanation(face),
            "description": "Where it was asked for: what each input contributed to the answer on "
            "`scale`; with `base` they add up to it.",
        }
    return record(
        f"Predictions of {face.model}", model={"const": face.model},
        version={"type": "integer", "minimum": 1}, predictions=listed(found),
    )  # fmt: skip


def _explanation(face: Interface) -> Schema:
    scale: Schema = {"enum": ["log-odds", "logit", "probability", "value"]}
    each = record("Contributions", **{item.name: NUMBER for item in face.inputs})
    parts: dict[str, Schema] = {"base": NUMBER, "contributions": each}
    if face.classes is None or len(face.classes) == 2:
        return record("An explanation", scale=scale, **parts)
    one = record("Of one class", **parts)
    return record(
        "An explanation", scale=scale,
        classes=record("Of each class", **dict.fromkeys(face.classes, one)),
    )  # fmt: skip


def _prediction(face: Interface) -> Schema:
    if face.classes is None:
        found = record("A prediction", id=_UUID, value=NUMBER)
        if face.confidence:
            found["properties"]["interval"] = record(
                f"Holds the truth {face.confidence:.0%} of the time",
                confidence=_SHARE, low=NUMBER, high=NUMBER,
            )  # fmt: skip
        return found
    value: Schema = {"enum": list(face.classes)}
    if len(face.classes) == 2:
        of = {**_SHARE, "description": f"Of {face.classes[1]!r}."}
        return record("A prediction", id=_UUID, value=value, probability=of)
    each = record("Of each class", **dict.fromkeys(face.classes, _SHARE))
    return record("A prediction", id=_UUID, value=value, probabilities=each)


def responses(good: dict[str, Any], *problems: int, open_: bool) -> dict[str, Any]:
    """``good`` by status, the statuses of problem documents, and what API Gateway adds."""
    found = dict(good)
    for status in (*problems, 500, 503):
        found[str(status)] = _refusal(status, "problem")
    for status in (*(() if open_ else (401, 403)), 429):
        found[str(status)] = _refusal(status, "gateway")
    for status in (500, 503):
        found[str(status)]["content"] |= _refusal(status, "gateway")["content"]
    return dict(sorted(found.items()))


def _refusal(status: int, kind: str) -> dict[str, Any]:
    media = "application/problem+json" if kind == "problem" else "application/json"
    schema = {"$ref": f"#/components/schemas/{kind}"}
    return {"description": HTTPStatus(status).phrase, "content": {media: {"schema": schema}}}
