"""Events of a queue, and answers to them: what Lambda's developer guide says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.sqs.models import Message

from infra.local.queue_batches import failed, payloads, record

IDS = ["a", "b", "c"]


@pytest.mark.parametrize(
    "answer", [b"", b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}']
)
def test_nothing_said_is_a_whole_success(answer: bytes) -> None:
    assert failed(answer, IDS) == set()


def test_what_is_named_has_failed() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": "c"}, {"itemIdentifier": "a"}]}
    assert failed(json.dumps(answer).encode(), IDS) == {"a", "c"}


@pytest.mark.parametrize(
    "answer",
    [
        b"no json",
        b'"done"',
        b"[1]",
        b'{"batchItemFailures": ["a"]}',
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"messageId": "a"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "somebody"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": ["a"]}]}',
        b'{"batchItemFailures": 7}',
    ],
)
def test_what_cannot_be_understood_is_a_whole_failure(answer: bytes) -> None:
    assert failed(answer, IDS) == set(IDS)


@given(st.lists(st.text(max_size=300), max_size=20), st.integers(50, 1000))
def test_a_batch_too_large_for_an_invocation_becomes_several(
    bodies: list[str], largest: int
) -> None:
    records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    found = list(payloads(records, largest))
    assert [one for some, _ in found for one in some] == records
    for some, payload in found:
        assert json.loads(payload) == {"Records": some}
        assert len(payload) <= largest or len(some) == 1


def test_a_message_is_told_as_an_event_has_it() -> None:
    message = Message("m", "body")
    message.message_attributes = {
        "kind": {"DataType": "String", "StringValue": "x", "BinaryValue": None}
    }
    message.mark_sent()
    message.mark_received(30)
    found = record(message, "arn:aws:sqs:us-east-1:123456789012:q")
    assert (found["messageId"], found["body"], found["awsRegion"]) == ("m", "body", "us-east-1")
    assert found["attributes"]["ApproximateReceiveCount"] == "1"
    assert found["attributes"]["SentTimestamp"].isdigit()
    assert found["messageAttributes"]["kind"] == {
        "stringValue": "x", "stringListValues": [], "binaryListValues": [], "dataType": "String",
    }  # fmt: skip
    assert found["md5OfBody"] == "841a2d689ad86bd1611447453c22c6fc"
