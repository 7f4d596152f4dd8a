"""The stack of a model that answers messages, and of one that does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from driftloop.errors import SpecError
from driftloop.spec import Spec
from infra.stages import STREAM
from tests.conftest import ROOT, Assembly, Synth

SPEC = "name: houses\ntask: regression\ntarget: price\nfeatures: {rooms: {type: number}}\n"


@pytest.fixture(scope="module")
def streams(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Assembly]:
    """By where the answers go."""
    found = {}
    for answers, batch in (("eventbridge", 10), ("queue", 200)):
        path = tmp_path_factory.mktemp("specs") / "houses.yaml"
        path.write_text(f"{SPEC}stream: {{answers: {answers}, batch: {batch}, retries: 3}}\n")
        found[answers] = synth(models=str(path))
    return found


def one(assembly: Assembly, kind: str, name: str = "") -> dict[str, Any]:
    found = assembly.resources("houses", kind)
    (properties,) = [r["Properties"] for n, r in found.items() if name in n]
    return dict(properties)


def may(assembly: Assembly) -> dict[str, dict[str, Any]]:
    """The stream's statements by their first action."""
    document = one(assembly, "AWS::IAM::Policy", "StreamRole")["PolicyDocument"]
    named = [(s["Action"], s) for s in document["Statement"]]
    return {a if isinstance(a, str) else a[0]: s for a, s in named}


def test_a_model_has_no_queue_of_messages_unless_its_spec_asks(assembly: Assembly) -> None:
    assert assembly.resources("flights", "AWS::Lambda::EventSourceMapping") == {}
    queues = assembly.resources("flights", "AWS::SQS::Queue")
    assert not [name for name in queues if name.startswith("Messages")]


def test_every_queue_is_encrypted_and_speaks_tls_only(streams: dict[str, Assembly]) -> None:
    queues = streams["queue"].resources("houses", "AWS::SQS::Queue")
    assert len([name for name in queues if name.startswith("Messages")]) == 3
    assert all(queue["Properties"]["SqsManagedSseEnabled"] for queue in queues.values())
    guarded = set()
    for policy in streams["queue"].resources("houses", "AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}:
                assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
                guarded |= {queue["Ref"] for queue in policy["Properties"]["Queues"]}
    assert {name for name in queues if name.startswith("Messages")} <= guarded


def test_cfn_lint_has_nothing_to_say(streams: dict[str, Assembly]) -> None:
    (template,) = streams["queue"].path.glob("*-houses.template.json")
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--config-file", ROOT / ".cfnlintrc", "--",
         template],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_a_message_comes_again_as_often_as_the_spec_says(streams: dict[str, Assembly]) -> None:
    queue = one(streams["eventbridge"], "AWS::SQS::Queue", "MessagesQueue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 4  # the first time, and 3 more
    assert queue["VisibilityTimeout"] >= 6 * STREAM.timeout
    # the largest message can be a dead letter with its reason, of 1,024 characters, beside it
    assert queue["MaximumMessageSize"] + 4 * 1024 + 1024 < 256 * 1024
    dead = one(streams["eventbridge"], "AWS::SQS::Queue", "MessagesDead")
    assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


def test_a_batch_larger_than_a_queue_gives_at_once_is_waited_for(
    streams: dict[str, Assembly],
) -> None:
    small, large = (
        one(streams[kind], "AWS::Lambda::EventSourceMapping") for kind in ("eventbridge", "queue")
    )
    assert (small["BatchSize"], small.get("MaximumBatchingWindowInSeconds")) == (10, None)
    assert (large["BatchSize"], large["MaximumBatchingWindowInSeconds"]) == (200, 1)
    for mapping in (small, large):
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert json.dumps(mapping["FunctionName"]).endswith(':live"]]}')


def test_law_9_the_stream_answers_one_way_and_keeps_only_messages(
    streams: dict[str, Assembly],
) -> None:
    events, queue = may(streams["eventbridge"]), may(streams["queue"])
    assert "events:PutEvents" not in queue
    only = {"events:source": "driftloop", "events:detail-type": "Prediction Made"}
    assert events["events:PutEvents"]["Condition"] == {"StringEquals": only}
    for found in (events, queue):
        keys = found["dynamodb:PutItem"]["Condition"]["ForAllValues:StringLike"]
        assert keys == {"dynamodb:LeadingKeys": ["MESSAGE#houses#*"]}
        assert found["dynamodb:GetItem"]["Action"] == "dynamodb:GetItem"
        assert "sqs:SendMessage" in found
        every = [a for s in found.values() for a in [s["Action"]] if isinstance(a, str)]
        assert not {"dynamodb:Query", "dynamodb:DeleteItem", "s3:PutObject"} & set(every)


def test_what_the_registry_keeps_of_messages_it_forgets(streams: dict[str, Assembly]) -> None:
    (table,) = streams["queue"].resources("platform", "AWS::DynamoDB::Table").values()
    forgets = table["Properties"]["TimeToLiveSpecification"]
    assert forgets == {"AttributeName": "expires", "Enabled": True}


def test_people_are_told_of_what_cannot_be_answered(streams: dict[str, Assembly]) -> None:
    alarm = one(streams["queue"], "AWS::CloudWatch::Alarm", "MessagesUnanswered")
    assert alarm["AlarmName"] == "driftloop-dev-houses-stream-unanswered"
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["AlarmActions"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{answers: sns}", "stream.answers: 'sns'"),
        ("{answer: queue}", "stream.answer: unknown key; did you mean 'answers'?"),
        ("{batch: 0}", "stream.batch"),
        ("{batch: 1001}", "stream.batch"),
        ("{retries: 0}", "stream.retries"),
        ("true", "stream"),
    ],
)
def test_a_mistake_in_the_spec_is_named(tmp_path: Path, written: str, said: str) -> None:
    path = tmp_path / "houses.yaml"
    path.write_text(f"{SPEC}stream: {written}\n")
    with pytest.raises(SpecError) as refused:
        Spec.load(path)
    assert said in str(refused.value)
