"""JSON Schemas of what callers send to one model: rows in every payload's shape, and labels.

They say as much as JSON Schema can: what one of them refuses, the endpoint never answers.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from driftloop.capture_lines import WHOLE
from driftloop.checking.pattern import LONGEST
from driftloop.interface import Interface
from driftloop.payload import MAX_ROWS
from driftloop.plan.inputs import Input

Schema = dict[str, Any]

MOST_LABELS = 10_000
_UUID7 = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
# What Python's regular expressions have and ECMAScript's have not, or read otherwise.
_strange = re.compile(r"[*+?}]\+|\(\?(?![:=!])|\\[^\W\d_fnrtv]").search
_PARAMETERS = {
    "description": "`explain`: say what each input contributed to each prediction.",
    "type": ["object", "null"],
    "properties": {"explain": {"type": "boolean", "default": False}},
    "additionalProperties": False,
}


def field(item: Input, face: Interface) -> Schema:
    """One input's value."""
    if item.type == "number":
        low, high = (-face.largest if item.min is None else item.min,
                     face.largest if item.max is None else item.max)  # fmt: skip
        found: Schema = {"type": "number", "minimum": low, "maximum": high}
    elif item.categories is not None:
        words: list[str | None] = list(item.categories)
        found = {"type": "string", "enum": [*words, None] if item.nullable else words}
    else:
        found = {"type": "string"} if item.nullable else {"type": "string", "minLength": 1}
        if item.pattern is not None:
            found |= {"maxLength": LONGEST, "description": f"matches `{item.pattern}`"}
            if not _strange(item.pattern):
                found["pattern"] = f"^(?:{item.pattern})$"
        if known := face.known.get(item.name):
            found["examples"] = list(known[:5])
    return found | {"type": [found["type"], "null"]} if item.nullable else found


def instance(face: Interface) -> Schema:
    """A row as an object; what may be null may be left out."""
    return {
        "title": f"A row of {face.model}",
        "type": "object",
        "properties": _columns(face),
        "required": [item.name for item in face.inputs if not item.nullable],
        "additionalProperties": False,
    }


def _columns(face: Interface) -> dict[str, Schema]:
    found = {item.name: field(item, face) for item in face.inputs}
    if face.key:
        found.setdefault(
            face.key,
            {
                "description": "Your own id of the row. Labels find their prediction by it, and "
                "during a release the same key, of a request's first row, meets the same version.",
                "type": ["string", "integer", "null"],
                "minimum": -WHOLE,
                "maximum": WHOLE,
            },
        )
    if face.time:
        found.setdefault(
            face.time,
            {
                "description": "The row's event time; not looked at.",
                "type": ["string", "number", "null"],
            },
        )
    return found


def payload(face: Interface) -> Schema:
    """A request's JSON body, in one of its shapes."""
    row: Schema = {"$ref": f"#/components/schemas/{face.model}.row"}
    columns = {name: _of_row(face, name) for name in _columns(face)}
    required = [item.name for item in face.inputs if not item.nullable]
    positional = {
        "description": "Values in the order of the inputs.",
        "type": "array",
        "prefixItems": [columns[item.name] for item in face.inputs],
        "minItems": len(face.inputs),
        "maxItems": len(face.inputs),
    }
    either: Schema = {"anyOf": [row, positional]}
    by_name = {
        "description": "A list for each column, all of one length.",
        "type": "object",
        "properties": {name: _rows(schema) for name, schema in columns.items()},
        "required": required,
        "minProperties": 1,
        "additionalProperties": False,
    }
    split = {
        "type": "object",
        "properties": {
            "columns": {
                "type": "array",
                "items": {"enum": list(columns)},
                "uniqueItems": True,
                "allOf": [{"contains": {"const": name}} for name in required],
            },
            "data": _rows({"type": "array", "maxItems": len(columns)}),
            "index": {
                "type": ["array", "null"],
                "items": {"type": ["string", "number", "boolean", "null"]},
            },
        },
        "required": ["columns", "data"],
        "additionalProperties": False,
    }
    return {
        "title": f"Rows for {face.model} to predict",
        "oneOf": [
            _shape("instances", _rows(either), "KServe V1, Vertex AI"),
            _shape("dataframe_records", _rows(row), "MLflow"),
            _shape("dataframe_split", split, "MLflow, and `DataFrame.to_dict('split')`"),
            _shape("inputs", {"anyOf": [_rows(either), by_name]}, "MLflow, TensorFlow Serving"),
        ],
    }


def _of_row(face: Interface, name: str) -> Schema:
    """A reference (RFC 6901, section 6): lists of categories are long enough once."""
    step = quote(name.replace("~", "~0").replace("/", "~1"), safe="~")
    return {"$ref": f"#/components/schemas/{face.model}.row/properties/{step}"}


def _rows(row: Schema) -> Schema:
    return {"type": "array", "items": row, "minItems": 1, "maxItems": MAX_ROWS}


def _shape(key: str, schema: Schema, whose: str) -> Schema:
    return {
        "title": key,
        "description": whose,
        "type": "object",
        "properties": {key: schema, "parameters": _PARAMETERS, "params": _PARAMETERS},
        "required": [key],
        "additionalProperties": False,
    }


def labels(face: Interface) -> Schema:
    """What became of predictions, named by their ids or by the caller's own key."""
    truth: Schema = {"description": f"What became of it: `{face.target}`."}
    if face.task == "classification":
        truth |= {"type": ["string", "number", "boolean"], "minLength": 1, "maxLength": LONGEST}
        truth["examples"] = list((face.classes or ())[:5])
    else:
        truth |= {"type": ["number", "string"], "minimum": -face.largest, "maximum": face.largest}
    by_id: Schema = {
        "id": {"description": "Of the prediction.", "type": "string", "pattern": _UUID7}
    }
    by_key: Schema = {
        "key": {
            "description": f"Your own id of the row, as sent in `{face.key}`.",
            "type": ["string", "number", "boolean"],
            "minLength": 1,
        }
    }
    when = {
        "time": {
            "description": "When it was predicted (ISO 8601, or epoch milliseconds): narrows the "
            "search by key to a day around it.",
            "type": ["string", "integer", "null"],
        }
    }
    ways = [by_id, by_key] if face.key else [by_id]
    entries = [
        {
            "title": f"by {next(iter(way))}",
            "type": "object",
            "properties": {**way, "label": truth, **when},
            "required": [*way, "label"],
            "additionalProperties": False,
        }
        for way in ways
    ]
    return {
        "title": f"Labels for {face.model}",
        "type": "object",
        "properties": {
            "labels": {
                "type": "array",
                "items": {"oneOf": entries} if len(entries) > 1 else entries[0],
                "minItems": 1,
                "maxItems": MOST_LABELS,
            }
        },
        "required": ["labels"],
        "additionalProperties": False,
    }
