"""Access logs of an HTTP API's stage.

AWS: "Customize HTTP API access logs" and "Logging variables" (API Gateway Developer Guide,
http-api-logging-variables): one line a request in the stage's own format, ``$context.…`` filled
in, ``-`` for what the request has not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .http_event import Answer
from .sigv4 import Received

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.]+[A-Za-z0-9_])")


@dataclass
class Story:
    """One request on its way through the API: what its log line may speak of."""

    received: Received
    id: str
    now: datetime
    stage: Any = None
    route_key: str = ""
    path: str = ""
    authorizer: dict[str, Any] | None = None
    error: str = ""
    integration_ms: int | None = None


def values(story: Story, answer: Answer, latency_ms: int) -> dict[str, Any]:
    """The logging variables of a finished request, by name."""
    received = story.received
    who = story.authorizer or {}
    iam = who.get("iam", {})
    invoked = story.integration_ms is not None
    found = {
        "authorizer.error": story.error if answer.status in (401, 403) else "",
        "error.message": story.error if answer.status >= 400 else "",
        "extendedRequestId": story.id,
        "httpMethod": received.method,
        "identity.accountId": iam.get("accountId"),
        "identity.caller": iam.get("callerId"),
        "identity.sourceIp": "127.0.0.1",
        "identity.user": iam.get("userId"),
        "identity.userAgent": received.headers.get("user-agent"),
        "identity.userArn": iam.get("userArn"),
        "integration.latency": story.integration_ms,
        "integration.status": 200 if invoked else "",
        "integrationErrorMessage": story.error if answer.status >= 500 else "",
        "integrationLatency": story.integration_ms,
        "integrationStatus": 200 if invoked else "",
        "path": story.path or received.path,
        "protocol": "HTTP/1.1",
        "requestId": story.id,
        "requestTime": story.now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(story.now.timestamp()),
        "responseLatency": latency_ms,
        "responseLength": len(answer.body),
        "routeKey": story.route_key,
        "status": answer.status,
    }
    claims = who.get("jwt", {}).get("claims", {})
    return found | {f"authorizer.claims.{name}": value for name, value in claims.items()}


def render(template: str, values: Mapping[str, Any]) -> str:
    """Fill ``$context.path.to.value``; a value inside a JSON format is escaped for it."""

    def fill(found: re.Match[str]) -> str:
        value = values.get(found.group(1))
        if value is None or value == "":
            return "-"
        return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")

    return _VARIABLE.sub(fill, template)


def group_of(destination_arn: str) -> str:
    """The log group's name in ``arn:aws:logs:region:account:log-group:NAME[:*]``."""
    return destination_arn.partition(":log-group:")[2].removesuffix(":*")
