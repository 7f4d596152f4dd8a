"""Where the stream's answers and dead letters go, on AWS: see ``driftloop.stream.Ways``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from driftloop import keys
from driftloop.wire.client import Client
from driftloop.wire.messages import (
    keep_item,
    put_events,
    send_message,
    send_messages,
    text_attribute,
)

if TYPE_CHECKING:
    from driftloop.aws.settings import Settings
    from driftloop.stream import Letter

_BUDGET = 2.0  # seconds of one call
_MOST_ATTRIBUTES = 10  # of a message


@dataclass(frozen=True)
class Ways:
    settings: Settings
    client: Client

    def keep(self, message: str, outcome: str, expires: int) -> str:
        item = {
            "pk": keys.message_pk(self.settings.model, message),
            "sk": keys.OUTCOME,
            "outcome": outcome,
            "expires": expires,
        }
        return str(keep_item(self.client, self.settings.table, item, _BUDGET)["outcome"])

    def send(self, answers: Sequence[str]) -> set[int]:
        """To the queue of answers if there is one, else as events."""
        if self.settings.answers:
            return send_messages(self.client, self.settings.answers, answers, _BUDGET)
        return put_events(self.client, keys.EVENT_SOURCE, keys.PREDICTION_MADE, answers, _BUDGET)

    def bury(self, letter: Letter) -> None:
        why = {"message": letter.message, "error": letter.error, "reason": letter.reason}
        attributes = {name: text_attribute(text) for name, text in why.items()}
        room = _MOST_ATTRIBUTES - len(attributes)
        own = {name: sent for name, sent in letter.attributes.items() if name not in attributes}
        for name, sent in islice(own.items(), room):
            attributes[name] = _as_sent(sent)
        send_message(self.client, self.settings.dead_letters, letter.body, attributes, _BUDGET)


def _as_sent(received: dict[str, Any]) -> dict[str, Any]:
    """An attribute in the words of an event of Lambda → in those of SQS."""
    kinds = {"dataType": "DataType", "stringValue": "StringValue", "binaryValue": "BinaryValue"}
    return {kinds[name]: value for name, value in received.items() if name in kinds and value}
