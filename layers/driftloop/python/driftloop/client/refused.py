"""What an endpoint says no with: its status and its problem document (RFC 9457)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from driftloop.client.channel import Answer
from driftloop.errors import DriftloopError

_ROW = re.compile(r"\b(instances|labels)\[(\d+)\]")


class Refused(DriftloopError):
    """``status``; ``problem``: the document, as far as there was one; ``errors``: its fields, each
    with ``field`` and ``message``."""

    def __init__(
        self, message: str, status: int = 500, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = self.http_status = status
        self.problem: Mapping[str, Any] = problem or {}
        self.errors: list[dict[str, str]] = self.problem.get("errors") or []


def refused(answer: Answer, first: int, anonymous: bool) -> Refused:
    """The error for an answer. ``first``: the caller's own number of the request's first row, so
    that paths name the caller's rows; ``anonymous``: the request did not say who asks."""
    text = answer.body.decode("utf-8", "replace")
    text = _ROW.sub(lambda found: f"{found[1]}[{int(found[2]) + first}]", text)
    try:
        problem = json.loads(text)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):  # not ours: a proxy's page
        problem = {"detail": text[:200]}
    # API Gateway's own refusals have a message alone.
    detail = problem.get("detail") or problem.get("message") or problem.get("title") or ""
    message = f"the endpoint answered {answer.status}: {detail}"
    if anonymous and answer.status in (401, 403):
        message += " (there was neither a token to send nor AWS credentials to sign with)"
    return Refused(message, answer.status, problem)


def understood(answer: Answer, url: str) -> dict[str, Any]:
    """The document of a good answer. Raises Refused for what no endpoint of ours says."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Refused(f"{url} answers, but not as the endpoint of a model does", answer.status)
    return document
