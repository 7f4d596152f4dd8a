"""A message's rows are answered by an event, as the endpoint would answer them."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.loop.conftest import Loop, instance, rows

PATTERN = {"source": ["driftloop"], "detail-type": ["Prediction Made"],
           "detail": {"model": ["flights"]}}  # fmt: skip


@pytest.fixture
def listener(loop: Loop) -> Any:
    """Reads the details of the events so far."""
    sqs, events = loop.client("sqs"), loop.client("events")
    url = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{loop.local.account}:listener"
    policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
                             "Action": "sqs:SendMessage", "Resource": arn}]}  # fmt: skip
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_rule(Name="listen", EventPattern=json.dumps(PATTERN))
    events.put_targets(Rule="listen", Targets=[{"Id": "queue", "Arn": arn}])

    def read() -> list[Any]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["detail"] for message in found]

    yield read
    events.remove_targets(Rule="listen", Ids=["queue"])
    events.delete_rule(Name="listen")
    sqs.delete_queue(QueueUrl=url)


def test_a_message_is_answered_by_an_event_and_captured(loop: Loop, listener: Any) -> None:
    table = [instance(row) for row in rows(most=3)]
    message = loop.send("flights", table)
    (detail,) = listener()
    assert detail["message"] == message
    asked = loop.predict("flights", table).body
    assert [p["probability"] for p in detail["predictions"]] == [
        p["probability"] for p in asked["predictions"]
    ]
    ids = {prediction["id"] for prediction in detail["predictions"]}
    captured = [
        json.loads(line)
        for key in loop.stored("flights/captures/version=")
        for line in gzip.decompress(loop.store(key)).splitlines()
    ]
    assert ids <= {line["id"] for line in captured}


def test_a_message_with_a_mistake_has_its_reason_among_the_dead(loop: Loop, listener: Any) -> None:
    loop.send("flights", [instance(rows(most=1)[0]) | {"hour": 25}])
    assert listener() == []
    url = loop.outputs["driftloop-dev-flights"]["StreamDeadLettersUrl"]
    (letter,) = loop.client("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert "instances[0].hour" in letter["MessageAttributes"]["reason"]["StringValue"]
    loop.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
