"""The one way in: text or a request → what was asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from driftloop.errors import BadRequest, UnsupportedMedia
from driftloop.payload import shapes
from driftloop.payload.asked import Asked
from driftloop.payload.body import CSV, JSON, body
from driftloop.payload.document import parse
from driftloop.plan.inputs import Input


def read(text: str, inputs: Sequence[Input], known: Collection[str]) -> Asked:
    """Any of the JSON shapes. inputs: the model's, in order; known: every field a row may have.

    Raises BadRequest with the path of what is wrong, RequestTooLarge over a limit.
    """
    return shapes.rows(parse(text), inputs, known)


def document(event: Mapping[str, Any]) -> Any:
    """The JSON of an API Gateway event (payload 2.0), whatever it says; NaN and 1e999 come through
    as floats. Raises BadRequest, RequestTooLarge, UnsupportedMedia."""
    sent = body(event)
    if sent.kind != JSON:
        raise UnsupportedMedia(f"{sent.kind} is not read here; send {JSON}", "content-type")
    return parse(sent.text)


def from_event(event: Mapping[str, Any], inputs: Sequence[Input], known: Collection[str]) -> Asked:
    """The body of an API Gateway event (payload 2.0), JSON or CSV by its content type, and
    ``?explain=true``. Raises as :func:`read`, and UnsupportedMedia."""
    sent = body(event)
    if sent.kind == CSV:
        from driftloop.payload import delimited  # a cold start does without

        header = sent.options.get("header")
        if header not in (None, "present", "absent"):
            raise BadRequest("header: should be present or absent", "content-type")
        asked = delimited.rows(sent.text, inputs, known, header)
    else:
        asked = read(sent.text, inputs, known)
    query = event.get("queryStringParameters")
    if query and "explain" in query:
        explain = query["explain"].lower()
        if explain not in ("true", "false"):
            raise BadRequest("explain: should be true or false", "explain")
        return asked._replace(explain=explain == "true")
    return asked
