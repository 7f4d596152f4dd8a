"""Messages answered on the embedded AWS, from the synthesized template."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from driftloop import keys
from driftloop.plan.schema import digest
from driftloop.route import Route, Served, first, promoted
from driftloop.wire.attribute import encode_item
from infra.local import Local
from infra.local.deployed import Deployed
from infra.local.permissions import check
from tests.driftloop.plans import ROW, plan

SPEC = """
name: queued
task: classification
target: late
key: flight_id
features:
  hour: {type: number, min: 0, max: 23}
  carrier: {type: category}
  temp: {type: number, nullable: true}
stream: {answers: queue, batch: 25, retries: 2}
"""
MODEL = "queued"
WINDOW, VISIBILITY = 2, 182  # seconds


class World:
    """One model, whose answers go to a queue."""

    def __init__(self, local: Local, outputs: dict[str, dict[str, str]]) -> None:
        self.local = local
        self.platform = outputs["driftloop-dev-platform"]
        self.urls = outputs[f"driftloop-dev-{MODEL}"]
        self.sqs = self.client("sqs")
        self.route: Route | None = None

    def client(self, service: str) -> Any:
        return boto3.client(
            service, region_name="us-east-1", endpoint_url=self.local.endpoint,
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip

    def release(self, intercept: float) -> None:
        """A version more, as champion; looked for when the clock has moved on."""
        data, known = plan(intercept), self.route
        number = known.champion.version + 1 if known else 1
        served = Served(number, keys.version_artefact(MODEL, f"c{number}", "p.json"), digest(data))
        store = self.platform["StoreBucket"]
        self.client("s3").put_object(Bucket=store, Key=served.key, Body=data)
        self.route = promoted(known, served, "t") if known else first(served, "t")
        item = {"pk": keys.model_pk(MODEL), "sk": keys.ROUTE, **self.route.to_item()}
        self.client("dynamodb").put_item(
            TableName=self.platform["RegistryTable"], Item=encode_item(item)
        )
        self.after(11)

    def after(self, seconds: float) -> None:
        self.local.clock.advance(timedelta(seconds=seconds))
        self.local.wait_idle(60)

    def send(self, *bodies: str, **attributes: str) -> list[str]:
        """The messages' ids, when nothing moves any more."""
        named = {n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()}
        ids = [
            self.sqs.send_message(
                QueueUrl=self.urls["StreamUrl"], MessageBody=body, MessageAttributes=named
            )["MessageId"]
            for body in bodies
        ]
        self.after(WINDOW)
        return ids

    def take(self, url: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while more := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in more:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found += more
        return found

    def answers(self) -> dict[str, Any]:
        """By message."""
        found = self.take(self.urls["StreamAnswersUrl"])
        told = [json.loads(message["Body"]) for message in found]
        assert len({answer["message"] for answer in told}) == len(told)
        return {answer["message"]: answer for answer in told}

    def letters(self) -> list[dict[str, Any]]:
        return self.take(self.urls["StreamDeadLettersUrl"])

    def captured(self) -> list[dict[str, Any]]:
        s3, bucket = self.client("s3"), self.platform["StoreBucket"]
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"{MODEL}/captures/version=")
        bodies = [
            s3.get_object(Bucket=bucket, Key=o["Key"])["Body"].read()
            for o in listed.get("Contents", [])
        ]
        return [json.loads(x) for body in bodies for x in gzip.decompress(body).splitlines()]


def body(**change: Any) -> str:
    return json.dumps({"instances": [ROW | change]})


@pytest.fixture(scope="module")
def world(synth: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    spec = tmp_path_factory.mktemp("specs") / "queued.yaml"
    spec.write_text(SPEC)
    assembly = synth(models=str(spec))
    with Local(speed=0, start=datetime(2013, 2, 1, tzinfo=UTC)) as local:
        yield World(local, local.deploy(assembly.path))


def test_before_a_model_is_released_its_messages_come_again_until_they_are_dead(
    world: World,
) -> None:
    world.send(body())
    for _ in range(3):
        world.after(VISIBILITY)
    (letter,) = world.letters()
    assert letter["Body"] == body()
    assert world.answers() == {}


def test_messages_are_answered_and_captured(world: World) -> None:
    world.release(-1.0)
    ids = world.send(*[body(hour=n) for n in range(24)])
    answers = world.answers()
    assert list(answers) and set(answers) == set(ids)
    assert {a["version"] for a in answers.values()} == {1}
    served = {p["id"] for a in answers.values() for p in a["predictions"]}
    captured = world.captured()
    assert {c["id"] for c in captured} == served
    assert {c["request"] for c in captured} == set(ids)


def test_poison_is_dead_at_once_with_its_reason(world: World) -> None:
    bad, good = world.send(body(hour=99), body(), trace="t-1")
    assert list(world.answers()) == [good]
    (letter,) = world.letters()
    told = {n: a["StringValue"] for n, a in letter["MessageAttributes"].items()}
    assert letter["Body"] == body(hour=99)
    assert (told["message"], told["error"], told["trace"]) == (bad, "BadRequest", "t-1")
    assert "instances[0].hour" in told["reason"]
    world.after(VISIBILITY)
    assert world.letters() == []


def test_what_cannot_be_kept_comes_again_and_is_answered_once(world: World) -> None:
    with world.local.outages.of("dynamodb", role="queued-Stream"):
        ids = world.send(body(), body(hour=3))
        assert world.answers() == {}
    world.after(VISIBILITY)
    assert set(world.answers()) == set(ids)
    assert world.letters() == []


def test_a_message_delivered_twice_has_the_first_answer_though_another_version_serves(
    world: World,
) -> None:
    with world.local.outages.of("sqs", role="queued-Stream"):  # the answer is kept, and not sent
        (message,) = world.send(body())
    assert world.answers() == {}
    world.release(5.0)
    (newer,) = world.send(body())
    assert world.answers()[newer]["version"] == 2
    captured = world.captured()
    world.after(VISIBILITY)
    (answer,) = world.answers().values()
    assert (answer["message"], answer["version"]) == (message, 1)
    assert world.captured() == captured


def test_law_9_the_stream_does_what_its_role_may_and_needs_all_of_it(world: World) -> None:
    """After all of the above; without any one statement something of it would have been refused."""
    calls = world.local.calls()
    policies = Deployed(world.local.account, world.local.region).policies()
    (role,) = [role for role in policies.identity if "Stream" in role]
    assert [str(found) for found in check(calls, policies)] == []
    mine = [call for call in calls if call.caller == role]
    for name, document in policies.identity[role].items():
        for number, statement in enumerate(document["Statement"]):
            less = Deployed(world.local.account, world.local.region).policies()
            del less.identity[role][name]["Statement"][number]  # type: ignore[attr-defined]
            actions = str(statement["Action"])
            assert "xray" in actions or "logs" in actions or check(mine, less), actions
