"""The stream's calls, against moto's DynamoDB, SQS and EventBridge over HTTP."""

import json

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from driftloop.aws.settings import Settings
from driftloop.errors import DriftloopError
from driftloop.stream import Letter
from driftloop.wire import messages
from driftloop.wire.client import Client
from driftloop.wire.rpc import Refused, call
from driftloop.wire.ways import Ways

TABLE = {
    "TableName": "registry",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
}


@pytest.fixture(scope="module")
def aws():
    """A client of ours and one of boto3's for each service."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    env = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    ours = Client.from_env(env)

    def theirs(service):
        return boto3.client(
            service, region_name="us-east-1", endpoint_url=env["AWS_ENDPOINT_URL"],
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    theirs("dynamodb").create_table(**TABLE)
    yield ours, theirs
    ours.close()
    server.stop()


def received(sqs, url):
    found = []
    while more := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        found += more
    return found


def test_an_item_is_kept_once(aws):
    ours, _ = aws
    first = {"pk": "MESSAGE#flights#m", "sk": "ANSWER", "answer": '{"a":1}', "expires": 7}
    assert messages.keep_item(ours, "registry", first, 5) == first
    assert messages.keep_item(ours, "registry", first | {"answer": "other"}, 5) == first


def test_what_aws_refuses_is_named_without_its_sentence(aws):
    ours, _ = aws
    with pytest.raises(DriftloopError) as refused:
        messages.keep_item(ours, "nobody", {"pk": "a", "sk": "b"}, 5)
    assert str(refused.value) == "AWS answered 400 ResourceNotFoundException"
    with pytest.raises(Refused, match=r"400 \w*Queue"):
        call(ours, "sqs", "AmazonSQS.SendMessage", "1.0",
             {"QueueUrl": "http://localhost/1/none", "MessageBody": "x"}, 5)  # fmt: skip


def test_answers_go_to_a_queue_in_batches(aws):
    ours, theirs = aws
    url = theirs("sqs").create_queue(QueueName="answers")["QueueUrl"]
    bodies = [json.dumps({"message": n}) for n in range(23)]
    assert Ways(Settings(answers=url), ours).send(bodies) == set()
    assert sorted(m["Body"] for m in received(theirs("sqs"), url)) == sorted(bodies)


def test_answers_go_to_the_bus_and_those_not_taken_are_told(aws):
    ours, _ = aws
    details = [json.dumps({"message": n}) for n in range(12)]
    details[11] = "no json"
    assert Ways(Settings(), ours).send(details) == {11}


def test_a_dead_letter_has_its_reason_and_what_it_had(aws):
    ours, theirs = aws
    url = theirs("sqs").create_queue(QueueName="dead")["QueueUrl"]
    own = {
        "who": {"stringValue": "me", "stringListValues": [], "dataType": "String"},
        "reason": {"stringValue": "mine", "dataType": "String"},
        **{f"more{n}": {"stringValue": "7", "dataType": "Number"} for n in range(9)},
    }
    reason = "the field \x00\ud800é\U0001f600 is wrong"
    letter = Letter("m-1", '{"instances": [{}]}', "BadRequest", reason, own)
    Ways(Settings(dead_letters=url), ours).bury(letter)
    Ways(Settings(dead_letters=url), ours).bury(Letter("m-2", "[]", "BadRequest", "", {}))
    second, first = sorted(received(theirs("sqs"), url), key=lambda m: m["Body"])
    told = {n: a["StringValue"] for n, a in first["MessageAttributes"].items()}
    assert first["Body"] == letter.body
    assert len(told) == 10
    assert (told["message"], told["error"], told["who"]) == ("m-1", "BadRequest", "me")
    assert told["reason"] == "the field ��é\U0001f600 is wrong"
    assert second["MessageAttributes"]["reason"]["StringValue"] == "-"


@given(st.lists(st.integers(0, 300_000), max_size=40))
def test_batches_hold_all_within_the_limits(sizes):
    texts = ["x" * size for size in sizes]
    found = list(messages.batches(texts))
    assert [i for some in found for i in some] == list(range(len(texts)))
    for some in found:
        assert len(some) <= 10
        assert len(some) == 1 or sum(sizes[i] + 1024 for i in some) <= 256 * 1024
