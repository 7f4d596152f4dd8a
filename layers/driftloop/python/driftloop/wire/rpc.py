"""One call of an AWS service that speaks JSON: a target, a document, a document.

"Amazon DynamoDB low-level API" and "Making Query API requests using AWS JSON protocol in Amazon
SQS" in their developer guides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from driftloop.errors import DriftloopError
from driftloop.wire import endpoint
from driftloop.wire.client import Client
from driftloop.wire.sigv4 import Request


class Refused(DriftloopError):
    """AWS said no. ``name`` is its name for it, ``document`` all it said: not for callers' eyes,
    as it may tell account, role and resource."""

    def __init__(self, status: int, name: str, document: Mapping[str, Any]) -> None:
        super().__init__(f"AWS answered {status} {name}".strip())
        self.name, self.document = name, document


def call(
    client: Client, service: str, target: str, version: str, asked: Any, budget: float
) -> dict[str, Any]:
    """``call(client, "sqs", "AmazonSQS.SendMessage", "1.0", {…}, 2.0)``. ``budget`` in seconds.

    Raises Unavailable when nobody answers in time, Refused when the answer is no, DriftloopError
    when it is no document.
    """
    headers = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": target}
    request = Request("POST", "", headers=headers, body=json.dumps(asked).encode())
    url = endpoint.base(service, client.region, client.env)
    answer = client.call(service, url, request, budget)
    try:
        found = json.loads(answer.body or b"{}")
    except ValueError:
        found = None
    if answer.status != 200:
        document = found if isinstance(found, dict) else {}
        name = str(document.get("__type", "")).rpartition("#")[2]
        raise Refused(answer.status, name, document)
    if not isinstance(found, dict):
        raise DriftloopError(f"{service} answered what is no document")
    return found
