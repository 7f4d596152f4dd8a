"""The calls a function makes that answers messages: keep an item once, send, put events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from driftloop.wire.attribute import decode_item, encode_item
from driftloop.wire.client import Client
from driftloop.wire.rpc import Refused, call

MOST_ENTRIES = 10  # of one SendMessageBatch or PutEvents
MOST_BYTES = 256 * 1024  # of all entries of one request
_ROOM = 1024  # bytes of an entry for what is not its body


def keep_item(
    client: Client, table: str, item: Mapping[str, object], budget: float
) -> dict[str, Any]:
    """The item under this key: ``item``, unless one is there already. Raises as ``rpc.call``."""
    asked = {
        "TableName": table,
        "Item": encode_item(item),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        call(client, "dynamodb", "DynamoDB_20120810.PutItem", "1.0", asked, budget)
    except Refused as refused:
        if refused.name != "ConditionalCheckFailedException":
            raise
        return decode_item(refused.document["Item"])
    return dict(item)


def send_message(
    client: Client, queue_url: str, body: str, attributes: Mapping[str, Any], budget: float
) -> None:
    """``attributes`` as SQS has them (``{"name": {"DataType": …}}``). Raises as ``rpc.call``."""
    asked = {"QueueUrl": queue_url, "MessageBody": body, "MessageAttributes": attributes}
    call(client, "sqs", "AmazonSQS.SendMessage", "1.0", asked, budget)


def text_attribute(text: str) -> dict[str, str]:
    """A message attribute of ``text``: what SQS would refuse in it is replaced, and it is not
    empty ("Amazon SQS message attributes" and SendMessage in its API reference)."""
    said = "".join(c if _taken(c) else "\ufffd" for c in text)
    return {"DataType": "String", "StringValue": said or "-"}


def _taken(c: str) -> bool:
    # A regular expression of these ranges takes longer to compile than all else here to import.
    return c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c <= "\ufffd" or c > "\uffff"


def send_messages(client: Client, queue_url: str, bodies: Sequence[str], budget: float) -> set[int]:
    """Send all, in as few calls as may be; the positions of those not taken. ``bodies`` are ASCII.
    ``budget`` in seconds for each call. Raises as ``rpc.call``."""
    lost: set[int] = set()
    for some in batches(bodies):
        entries = [{"Id": str(i), "MessageBody": bodies[i]} for i in some]
        asked = {"QueueUrl": queue_url, "Entries": entries}
        found = call(client, "sqs", "AmazonSQS.SendMessageBatch", "1.0", asked, budget)
        lost |= {int(failed["Id"]) for failed in found.get("Failed") or []}
    return lost


def put_events(
    client: Client, source: str, kind: str, details: Sequence[str], budget: float
) -> set[int]:
    """Put an event of each detail (JSON, ASCII) on the default bus; the positions of those not
    taken. ``budget`` in seconds for each call. Raises as ``rpc.call``."""
    lost: set[int] = set()
    for some in batches(details):
        entries = [{"Source": source, "DetailType": kind, "Detail": details[i]} for i in some]
        asked = {"Entries": entries}
        found = call(client, "events", "AWSEvents.PutEvents", "1.1", asked, budget)
        told = zip(some, found["Entries"], strict=True)
        lost |= {i for i, entry in told if entry.get("ErrorCode")}
    return lost


def batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Positions, as many in a request as may be: by number and by bytes. Text is ASCII; one that
    alone is too large has a request of its own, for the service to refuse."""
    some: list[int] = []
    size = 0
    for i, text in enumerate(texts):
        cost = len(text) + _ROOM
        if some and (len(some) == MOST_ENTRIES or size + cost > MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(i)
        size += cost
    if some:
        yield some
