"""A model's queue as its operator sees it: where to send, what waits, what nobody could answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftloop.aws.clients import client

_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def stream(outputs: Mapping[str, str]) -> dict[str, Any] | None:
    """Of the outputs of a model's stack; None for a model that answers no messages."""
    if "StreamUrl" not in outputs:
        return None
    return {
        "url": outputs["StreamUrl"],
        "waiting": _count(outputs["StreamUrl"]),
        "dead_letters_url": outputs["StreamDeadLettersUrl"],
        "dead_letters": _count(outputs["StreamDeadLettersUrl"]),
        "answers_url": outputs.get("StreamAnswersUrl"),
    }


def told(found: Mapping[str, Any]) -> str:
    """``https://…, 3 wait, 1 dead``."""
    return f"{found['url']}, {found['waiting']} wait, {found['dead_letters']} dead"


def _count(url: str) -> int:
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[*_WAITING])
    return sum(int(found["Attributes"][name]) for name in _WAITING)
