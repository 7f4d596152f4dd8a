"""Messages to people, through the platform's topic."""

from __future__ import annotations

from collections.abc import Mapping

from driftloop.aws.clients import client
from driftloop.aws.faults import translated


def publish(topic: str, notice: Mapping[str, str]) -> None:
    """Send ``subject`` and ``text``. Raises Unavailable."""
    with translated("the topic"):
        client("sns").publish(TopicArn=topic, Subject=notice["subject"], Message=notice["text"])
