"""CORS of an HTTP API, answered by API Gateway itself.

AWS: "Configure CORS for HTTP APIs in API Gateway" (API Gateway Developer Guide, http-api-cors): a
preflight is answered without any route, unless one with an authoriser takes it (``$default`` does,
so APIs that have it need an open ``OPTIONS /{proxy+}``); the function's own CORS headers are
replaced.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .http_event import Answer
from .sigv4 import Received

_OWN = "access-control-"


def preflight(cors: Mapping[str, Any], request: Received) -> Answer | None:
    """Answer a preflight ``OPTIONS`` request with 204; None for any other request."""
    asked = request.headers.get("access-control-request-method")
    if request.method != "OPTIONS" or not asked:
        return None
    headers = _allowed_origin(cors, request)
    if headers:
        for name, key in (("methods", "allowMethods"), ("headers", "allowHeaders")):
            if cors.get(key):
                headers.append((f"access-control-allow-{name}", ",".join(cors[key])))
        if cors.get("maxAge") is not None:
            headers.append(("access-control-max-age", str(cors["maxAge"])))
    return Answer(204, tuple(headers), b"")


def decorate(cors: Mapping[str, Any], request: Received, answer: Answer) -> Answer:
    """Replace the CORS headers of ``answer`` by those the API is configured with."""
    headers = [pair for pair in answer.headers if not pair[0].startswith(_OWN)]
    allowed = _allowed_origin(cors, request)
    if allowed and cors.get("exposeHeaders"):
        allowed.append(("access-control-expose-headers", ",".join(cors["exposeHeaders"])))
    return replace(answer, headers=(*headers, *allowed))


def _allowed_origin(cors: Mapping[str, Any], request: Received) -> list[tuple[str, str]]:
    origin, allowed = request.headers.get("origin"), cors.get("allowOrigins") or []
    if not origin or not any(_origin_fits(pattern, origin) for pattern in allowed):
        return []
    headers = [("access-control-allow-origin", "*" if "*" in allowed else origin)]
    if "*" not in allowed:
        headers.append(("vary", "Origin"))
    if cors.get("allowCredentials"):
        headers.append(("access-control-allow-credentials", "true"))
    return headers


def _origin_fits(pattern: str, origin: str) -> bool:
    return pattern in ("*", origin) or (pattern.endswith("*") and origin.startswith(pattern[:-1]))
