"""A request as a line for the shell."""

from __future__ import annotations

import json
from shlex import quote
from typing import Any

from driftloop.openapi.service import Service

# Each variable is one that AWS's own tools read.
_SIGNED = (
    '--aws-sigv4 "aws:amz:{region}:execute-api" --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
    '-H "x-amz-security-token: $AWS_SESSION_TOKEN"',
)


def line(service: Service, url: str, sent: Any) -> str:
    """POST ``sent`` (CSV where it is text) as this API's callers do."""
    csv = isinstance(sent, str)
    body = sent if csv else json.dumps(sent, ensure_ascii=False)
    parts = [
        *{"iam": _SIGNED, "jwt": ('-H "authorization: Bearer $TOKEN"',), "none": ()}[
            service.access
        ],
        f"-H 'content-type: {'text/csv' if csv else 'application/json'}'",
        f"--data-binary {quote(body)}",
        quote(url),
    ]
    return "curl " + " \\\n  ".join(p.replace("{region}", service.region) for p in parts)
