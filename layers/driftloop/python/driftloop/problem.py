"""Errors over HTTP: problem documents (RFC 9457) as answers of an API Gateway HTTP API."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from driftloop.errors import BadRequest, DriftloopError, WrongMethod

Response = dict[str, Any]
JSON = "application/json"
RETRY_AFTER = "1"  # seconds; what does not answer now is looked for again at the next request
encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def answer(status: int, body: Any, **headers: str) -> Response:
    """A JSON answer. ``headers``: ``x_driftloop_version="7"``. Raises ValueError for NaN."""
    return text(status, JSON, encode(body), **headers)


def text(status: int, content_type: str, body: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "statusCode": status,
        "headers": {"content-type": content_type, "cache-control": "no-store", **named},
        "body": body,
        "isBase64Encoded": False,
    }


def problem(error: DriftloopError, **headers: str) -> Response:
    """The problem document of an error; its ``type`` is the error's name, as in the error tree."""
    name, status = type(error).__name__, error.http_status
    document: dict[str, Any] = {
        "type": f"urn:driftloop:error:{name}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(error),
    }
    if isinstance(error, BadRequest) and error.field:
        if error.also:
            document["detail"] += f" (and {len(error.also)} more, see errors)"
        mistakes = (error, *error.also)
        document["errors"] = [{"field": e.field, "message": str(e)} for e in mistakes]
    if isinstance(error, WrongMethod):
        headers = {"allow": error.allow, **headers}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"retry_after": RETRY_AFTER, **headers}
    return text(status, "application/problem+json", encode(document), **headers)
