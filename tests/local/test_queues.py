"""A function that reads from a queue: batches, failures, dead letters, on a clock at rest."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local import Local
from infra.local.deployed import Deployed
from infra.local.permissions import check
from tests.local.conftest import client

# Writes each message down; does what its body says.
FUNCTION = """
import boto3, json
table = boto3.resource("dynamodb").Table("seen")
def handler(event, context):
    again = []
    for n, record in enumerate(event["Records"]):
        told = record["attributes"]["ApproximateReceiveCount"]
        table.put_item(Item={"pk": record["messageId"] + "/" + told, "body": record["body"],
                             "size": len(event["Records"]), "batch": context.aws_request_id,
                             "record": json.dumps(record)})
        if record["body"] == "raise":
            raise ValueError("a batch that fails")
        if record["body"] == "again" or (record["body"] == "once more" and told == "1"):
            again.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": again}
"""
ROLE = {"Version": "2012-10-17", "Statement": []}
READS = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]


def get(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def template(**mapping: Any) -> dict[str, Any]:
    table = {
        "TableName": "seen", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }  # fmt: skip
    reads = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": READS, "Resource": get("Queue")},
            {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": get("Table")},
        ],
    }
    queue = {
        "QueueName": "work", "VisibilityTimeout": 30,
        "RedrivePolicy": {"deadLetterTargetArn": get("Dead"), "maxReceiveCount": 3},
    }  # fmt: skip
    function = {
        "FunctionName": "reader", "Handler": "index.handler", "Runtime": "python3.13",
        "Timeout": 20, "Role": get("Role"), "Code": {"ZipFile": FUNCTION},
    }  # fmt: skip
    asked = {
        "EventSourceArn": get("Queue"), "FunctionName": {"Ref": "Function"}, "BatchSize": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }  # fmt: skip
    resources = {
        "Table": ("AWS::DynamoDB::Table", table),
        "Role": ("AWS::IAM::Role", {"AssumeRolePolicyDocument": ROLE}),
        "Policy": (
            "AWS::IAM::Policy",
            {"PolicyName": "reads", "PolicyDocument": reads, "Roles": [{"Ref": "Role"}]},
        ),
        "Dead": ("AWS::SQS::Queue", {"QueueName": "dead"}),
        "Queue": ("AWS::SQS::Queue", queue),
        "Function": ("AWS::Lambda::Function", function),
        "Mapping": ("AWS::Lambda::EventSourceMapping", asked | mapping),
    }
    found = {n: {"Type": kind, "Properties": told} for n, (kind, told) in resources.items()}
    found["Mapping"]["DependsOn"] = "Policy"
    return {"Resources": found, "Outputs": {"Role": {"Value": get("Role")}}}


class World:
    def __init__(self, local: Local) -> None:
        self.local, self.sqs = local, client(local, "sqs")
        self.seen_before: set[str] = set()

    def url(self, queue: str) -> str:
        return str(self.sqs.get_queue_url(QueueName=queue)["QueueUrl"])

    def send(self, *bodies: str) -> None:
        """All at once, then wait until nothing moves."""
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(n), "MessageBody": b} for n, b in enumerate(bodies[start:][:10])]
            self.sqs.send_message_batch(QueueUrl=self.url("work"), Entries=entries)
        self.local.wait_idle(60)

    def seen(self) -> list[dict[str, Any]]:
        """What the function was given since the last look."""
        items = client(self.local, "dynamodb").scan(TableName="seen")["Items"]
        new = [i for i in items if i["pk"]["S"] not in self.seen_before]
        self.seen_before |= {i["pk"]["S"] for i in items}
        return [{name: next(iter(value.values())) for name, value in i.items()} for i in new]

    def left(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url(queue), AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def after(self, **delta: float) -> list[dict[str, Any]]:
        self.local.clock.advance(timedelta(**delta))
        self.local.wait_idle(60)
        return self.seen()

    def dead(self) -> list[Any]:
        """What lies among the dead letters; taken away."""
        told = self.sqs.receive_message(
            QueueUrl=self.url("dead"), MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages", [])
        for message in told:
            self.sqs.delete_message(
                QueueUrl=self.url("dead"), ReceiptHandle=message["ReceiptHandle"]
            )
        return list(told)

    def mapped(self, **mapping: Any) -> None:
        client(self.local, "cloudformation").update_stack(
            StackName="queues", TemplateBody=json.dumps(template(**mapping))
        )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with Local(speed=0) as local:
        client(local, "cloudformation").create_stack(
            StackName="queues", TemplateBody=json.dumps(template())
        )
        yield World(local)


def test_messages_are_taken_in_batches_and_are_gone(world: World) -> None:
    bodies = [f"message {n}" for n in range(23)]
    world.send(*bodies)
    seen = world.seen()
    assert sorted(item["body"] for item in seen) == sorted(bodies)
    assert max(int(item["size"]) for item in seen) <= 5
    assert world.left("work") == 0
    assert world.after(minutes=10) == []


def test_only_what_failed_comes_again_and_only_after_its_time(world: World) -> None:
    world.send("fine", "once more", "fine too")
    assert sorted(item["body"] for item in world.seen()) == ["fine", "fine too", "once more"]
    assert world.left("work") == 1
    assert world.after(seconds=29) == []
    (again,) = world.after(seconds=2)
    assert again["body"] == "once more"
    record = json.loads(again["record"])
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert world.left("work") == 0


def test_a_message_received_too_often_is_a_dead_letter_as_it_was(world: World) -> None:
    world.sqs.send_message(
        QueueUrl=world.url("work"), MessageBody="again",
        MessageAttributes={"who": {"DataType": "String", "StringValue": "me"}},
    )  # fmt: skip
    world.local.wait_idle(60)
    seen = [*world.seen(), *world.after(seconds=31), *world.after(seconds=31)]
    assert [json.loads(i["record"])["attributes"]["ApproximateReceiveCount"] for i in seen] == [
        "1", "2", "3",
    ]  # fmt: skip
    moments = {
        json.loads(i["record"])["attributes"]["ApproximateFirstReceiveTimestamp"] for i in seen
    }
    assert len(moments) == 1
    assert world.after(seconds=31) == []
    (letter,) = world.dead()
    assert letter["Body"] == "again"
    assert letter["MessageAttributes"]["who"]["StringValue"] == "me"
    assert world.left("work") == 0


def test_a_function_that_raises_fails_its_whole_batch(world: World) -> None:
    world.mapped(Enabled=False)
    world.send("fine", "raise", "fine too")
    assert world.seen() == []
    world.mapped()
    world.local.wait_idle(60)
    first = world.seen()
    assert {item["batch"] for item in first} == {first[0]["batch"]}
    assert world.left("work") == 3
    world.after(seconds=31)
    world.after(seconds=31)
    world.after(seconds=31)
    assert sorted(letter["Body"] for letter in world.dead()) == ["fine", "fine too", "raise"]


def test_without_the_report_a_named_failure_is_none(world: World) -> None:
    world.mapped(FunctionResponseTypes=[])
    world.send("again")
    assert world.left("work") == 0
    world.mapped()
    world.seen()


def test_a_window_gathers_until_it_is_over_or_the_batch_is_full(world: World) -> None:
    world.mapped(BatchSize=20, MaximumBatchingWindowInSeconds=60)
    world.send("a", "b")
    assert world.seen() == []
    assert world.after(seconds=30) == []
    world.send("c")
    seen = world.after(seconds=31)
    assert sorted(item["body"] for item in seen) == ["a", "b", "c"]
    assert len({item["batch"] for item in seen}) == 1
    world.send(*[f"n{n}" for n in range(20)])
    assert len(world.seen()) == 20
    world.mapped()


def test_a_message_that_somebody_else_looked_at_is_seen_when_it_shows_again(world: World) -> None:
    world.mapped(Enabled=False)
    world.send("looked at")
    world.sqs.receive_message(QueueUrl=world.url("work"), VisibilityTimeout=120)
    world.mapped()
    world.local.wait_idle(60)
    assert world.seen() == []
    assert [item["body"] for item in world.after(seconds=121)] == ["looked at"]


def test_a_delayed_message_is_seen_when_it_is_due(world: World) -> None:
    world.sqs.send_message(QueueUrl=world.url("work"), MessageBody="later", DelaySeconds=300)
    assert world.after(seconds=299) == []
    assert [item["body"] for item in world.after(seconds=2)] == ["later"]


def test_a_message_too_old_is_forgotten(world: World) -> None:
    world.mapped(Enabled=False)
    world.send("old")
    world.local.clock.advance(timedelta(days=4, seconds=1))
    assert world.left("work") == 0
    world.mapped()
    world.local.wait_idle(60)
    assert world.seen() == []


def test_no_message_is_lost_when_many_send_at_once(world: World) -> None:
    url = world.url("work")
    bodies = [f"{n}" for n in range(120)]

    def send(some: list[str]) -> None:
        own = client(world.local, "sqs")
        for body in some:
            own.send_message(QueueUrl=url, MessageBody=body)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, [bodies[n::4] for n in range(4)]))
    world.local.wait_idle(60)
    assert sorted(item["body"] for item in world.seen()) == sorted(bodies)
    assert world.left("work") == 0


def test_a_long_poll_ends_though_the_clock_stands(world: World) -> None:
    found = world.sqs.receive_message(QueueUrl=world.url("dead"), WaitTimeSeconds=1)
    assert found.get("Messages", []) == []


def test_reading_is_done_in_the_name_of_the_functions_role(world: World) -> None:
    calls = [c for c in world.local.calls() if c.action.startswith("sqs:")]
    assert {c.action for c in calls} >= set(READS)
    policies = Deployed(world.local.account, world.local.region).policies()
    assert check(calls, policies) == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0"),
        ({"BatchSize": 0}, "BatchSize"),
        ({"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "BatchSize"),
        ({"MaximumBatchingWindowInSeconds": 301}, "MaximumBatchingWindowInSeconds"),
        ({"ScalingConfig": {"MaximumConcurrency": 1}}, "from 2 to 1000"),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:none"}, "NonExistentQueue"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}, "not supported"),
        ({"FunctionName": "nobody"}, "Function not found"),
        ({}, "already exists"),
    ],
)
def test_what_lambda_refuses_is_refused(world: World, asked: dict[str, Any], why: str) -> None:
    arn = f"arn:aws:sqs:us-east-1:{world.local.account}:work"
    unchecked = boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=world.local.endpoint,
        aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(parameter_validation=False),
    )  # fmt: skip
    with pytest.raises(ClientError, match=why):
        unchecked.create_event_source_mapping(
            **({"EventSourceArn": arn, "FunctionName": "reader"} | asked)
        )


def test_a_queue_that_hides_messages_for_less_than_the_function_runs_is_refused(
    world: World,
) -> None:
    world.sqs.create_queue(QueueName="hasty", Attributes={"VisibilityTimeout": "19"})
    with pytest.raises(ClientError, match="19 seconds is less than Function timeout: 20 seconds"):
        client(world.local, "lambda").create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:us-east-1:{world.local.account}:hasty",
            FunctionName="reader",
        )


def test_a_role_that_may_not_read_is_refused(world: World) -> None:
    world.sqs.create_queue(QueueName="private")
    with pytest.raises(ClientError, match="permissions to call ReceiveMessage on SQS"):
        client(world.local, "lambda").create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:us-east-1:{world.local.account}:private",
            FunctionName="reader",
        )
