"""The event a Lambda integration of an HTTP API receives, and the answer it may give.

AWS: "Create AWS Lambda proxy integrations for HTTP APIs in API Gateway" (API Gateway Developer
Guide, http-api-develop-integrations-lambda), payload format version 2.0.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from .sigv4 import Received

# Media types whose bodies travel as text; everything else is base64.
_TEXT = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True)
class Place:
    """Where a request arrived, and how it was recognised."""

    account: str
    api: str
    domain: str
    stage: str
    route_key: str
    request_id: str
    now: datetime
    source_ip: str = "127.0.0.1"
    path: str = "/"
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    authorizer: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: header names as the function gave them, one pair per line on the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class MalformedAnswer(Exception):
    """What the function returned is no answer: the caller sees 500."""


def event_of(request: Received, place: Place) -> dict[str, Any]:
    """Build the payload-2.0 event; ``timeEpoch`` is the embedded clock's, in milliseconds."""
    headers = {name: value for name, value in request.headers.items() if name != "cookie"}
    headers.setdefault("content-length", str(len(request.body)))
    headers["x-forwarded-for"] = place.source_ip
    headers["x-forwarded-port"] = "443"
    headers["x-forwarded-proto"] = "https"
    context: dict[str, Any] = {
        "accountId": place.account,
        "apiId": place.api,
        "domainName": place.domain,
        "domainPrefix": place.domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": place.path,
            "protocol": "HTTP/1.1",
            "sourceIp": place.source_ip,
            "userAgent": request.headers.get("user-agent", ""),
        },
        "requestId": place.request_id,
        "routeKey": place.route_key,
        "stage": place.stage,
        "time": place.now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(place.now.timestamp() * 1000),
    }
    if place.authorizer is not None:
        context["authorizer"] = dict(place.authorizer)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": place.route_key,
        "rawPath": place.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if "cookie" in request.headers:
        event["cookies"] = [c.strip() for c in request.headers["cookie"].split(";") if c.strip()]
    if request.query:
        event["queryStringParameters"] = _parameters(request.query)
    if place.path_parameters:
        event["pathParameters"] = dict(place.path_parameters)
    if place.stage_variables:
        event["stageVariables"] = dict(place.stage_variables)
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            found.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return {name: ",".join(values) for name, values in found.items()}


def _body(request: Received) -> tuple[str, bool]:
    kind = request.headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT or kind.endswith(("+json", "+xml")):
        try:
            return request.body.decode(), False
        except UnicodeDecodeError:
            pass  # not what its type claims: it travels as bytes
    return base64.b64encode(request.body).decode(), True


def answer_of(payload: bytes) -> Answer:
    """Read a function's result: format 2.0, or the answer inferred when no status code is given.

    Raises :class:`MalformedAnswer`.
    """
    try:
        result = json.loads(payload) if payload else None
    except ValueError:
        raise MalformedAnswer("the function's result is not JSON") from None
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result if isinstance(result, str) else json.dumps(result, separators=(",", ":"))
        return Answer(200, (("content-type", "application/json"),), body.encode())
    try:
        status = int(result["statusCode"])
    except (TypeError, ValueError):
        raise MalformedAnswer(f"statusCode {result['statusCode']!r} is no number") from None
    if not 100 <= status <= 599:
        raise MalformedAnswer(f"statusCode {status} is no HTTP status")
    headers = result.get("headers") or {}
    if not isinstance(headers, dict) or not all(
        isinstance(value, str | int | float | bool) for value in headers.values()
    ):
        raise MalformedAnswer("headers is not an object of strings")
    lines = [(str(name).lower(), _text(value)) for name, value in headers.items()]
    if not any(name == "content-type" for name, _ in lines):
        lines.append(("content-type", "text/plain;charset=UTF-8"))
    lines += [("set-cookie", str(cookie)) for cookie in result.get("cookies") or []]
    return Answer(status, tuple(lines), _answer_body(result))


def _text(value: object) -> str:
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    if "\r" in text or "\n" in text:
        raise MalformedAnswer("a header value holds a line break")
    return text


def _answer_body(result: Mapping[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswer(f"body is {type(body).__name__}, it must be a string")
    if not result.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedAnswer("body is not the base64 that isBase64Encoded claims") from None
