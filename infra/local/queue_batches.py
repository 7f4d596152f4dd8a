"""What Lambda hands to a function that reads from a queue, and how it takes the answer.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

REPORT = "ReportBatchItemFailures"


def record(message: Any, queue_arn: str) -> dict[str, Any]:
    """One message, received, as an event has it."""
    attributes = {
        "ApproximateReceiveCount": message.approximate_receive_count,
        "SentTimestamp": message.sent_timestamp,
        "SenderId": message.sender_id,
        "ApproximateFirstReceiveTimestamp": message.approximate_first_receive_timestamp,
    }
    found = {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {name: str(value) for name, value in attributes.items()},
        "messageAttributes": {
            name: _attribute(value) for name, value in message.message_attributes.items()
        },
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if message.message_attributes:
        found["md5OfMessageAttributes"] = message.attribute_md5
    return found


def _attribute(sent: dict[str, Any]) -> dict[str, Any]:
    kinds = {"StringValue": "stringValue", "BinaryValue": "binaryValue"}
    values = {kinds[name]: value for name, value in sent.items() if name in kinds and value}
    return {**values, "stringListValues": [], "binaryListValues": [], "dataType": sent["DataType"]}


def payloads(
    records: Iterable[dict[str, Any]], largest: int
) -> Iterator[tuple[list[dict[str, Any]], bytes]]:
    """Events of at most ``largest`` bytes (a message alone may be larger), with their records."""
    some: list[dict[str, Any]] = []
    size = 0
    for one in records:
        cost = len(json.dumps(one)) + 2
        if some and size + cost + 20 > largest:
            yield some, _event(some)
            some, size = [], 0
        some.append(one)
        size += cost
    if some:
        yield some, _event(some)


def _event(records: list[dict[str, Any]]) -> bytes:
    return json.dumps({"Records": records}).encode()


def failed(answer: bytes, ids: list[str]) -> set[str]:
    """Which messages of a batch the function's answer says were not done, when it reports them.

    Nothing, null, or an empty list is a whole success. An answer that is no JSON object, an entry
    without an ``itemIdentifier``, or one that names no message of the batch, is a whole failure.
    """
    try:
        told = json.loads(answer or b"null")
        entries = (told or {}).get("batchItemFailures") or []
        found = {entry["itemIdentifier"] for entry in entries}
    except (ValueError, AttributeError, KeyError, TypeError):
        return set(ids)
    return found if found <= set(ids) else set(ids)
