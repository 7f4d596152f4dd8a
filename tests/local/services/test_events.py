"""EventBridge: who gets an event, in which form, and what happens to one that nobody takes."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

RULE = "arn:aws:events:us-east-1:123456789012:rule/r"


def rule(aws: Any, pattern: dict[str, Any], *targets: dict[str, Any], **fields: Any) -> None:
    client = aws.client("events")
    client.put_rule(Name="r", EventPattern=json.dumps(pattern), **fields)
    client.put_targets(Rule="r", Targets=[{"Id": str(n)} | t for n, t in enumerate(targets)])


def put(aws: Any, **fields: Any) -> dict[str, Any]:
    entry = {"Source": "app", "DetailType": "Asked", "Detail": '{"n": 1}'} | fields
    return dict(aws.client("events").put_events(Entries=[entry])["Entries"][0])


def queue(aws: Any, name: str, *, permit: bool = True) -> tuple[str, str]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    if permit:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def messages(aws: Any, url: str) -> list[dict[str, Any]]:
    answer = aws.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def test_a_permitted_function_gets_the_event_in_aws_shape(aws: Any) -> None:
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE)
    rule(aws, {"source": ["app"], "detail": {"n": [1]}}, {"Arn": arn})
    answer = put(aws)
    put(aws, Detail='{"n": 2}')
    aws.settle()
    assert aws.invoked == [
        (
            arn,
            {
                "version": "0",
                "id": answer["EventId"],
                "detail-type": "Asked",
                "source": "app",
                "account": "123456789012",
                "time": "2013-02-01T00:00:00Z",
                "region": "us-east-1",
                "resources": [],
                "detail": {"n": 1},
            },
            "events.amazonaws.com",
        )
    ]


@pytest.mark.parametrize(
    ("service", "source"),
    [
        ("s3.amazonaws.com", RULE),
        ("events.amazonaws.com", RULE + "-other"),
    ],
)
def test_without_its_permission_a_function_gets_nothing(
    aws: Any, service: str, source: str
) -> None:
    arn = aws.function("f")
    aws.permit(arn, service, source)
    url, dead = queue(aws, "dead")
    rule(aws, {"source": ["app"]}, {"Arn": arn, "DeadLetterConfig": {"Arn": dead}})
    put(aws)
    aws.settle(hours=1)
    assert aws.invoked == []
    (message,) = messages(aws, url)
    attributes = {n: v["StringValue"] for n, v in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert attributes["RULE_ARN"] == RULE
    assert attributes["TARGET_ARN"] == arn
    assert json.loads(message["Body"])["detail"] == {"n": 1}


def test_a_function_that_is_gone_is_not_tried_again(aws: Any) -> None:
    url, dead = queue(aws, "dead")
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    rule(aws, {"source": ["app"]}, {"Arn": gone, "DeadLetterConfig": {"Arn": dead}})
    put(aws)
    aws.settle()
    (message,) = messages(aws, url)
    attributes = {n: v["StringValue"] for n, v in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "RESOURCE_NOT_FOUND"
    assert attributes["RETRY_ATTEMPTS"] == "0"


def test_a_failing_target_is_retried_then_dead_lettered(aws: Any) -> None:
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE)
    url, dead = queue(aws, "dead")
    target = {"Arn": arn, "DeadLetterConfig": {"Arn": dead}}
    rule(aws, {"source": ["app"]}, target | {"RetryPolicy": {"MaximumRetryAttempts": 2}})
    aws.failures = [OSError("throttled")] * 2
    put(aws)
    aws.settle(minutes=5)
    assert len(aws.invoked) == 1
    aws.failures = [OSError("throttled")] * 3
    put(aws)
    aws.settle(minutes=5)
    assert len(aws.invoked) == 1
    (message,) = messages(aws, url)
    attributes = {n: v["StringValue"] for n, v in message["MessageAttributes"].items()}
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"] == "2"


def test_an_event_may_grow_too_old(aws: Any) -> None:
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE)
    url, dead = queue(aws, "dead")
    target = {"Arn": arn, "DeadLetterConfig": {"Arn": dead}}
    rule(aws, {"source": ["app"]}, target | {"RetryPolicy": {"MaximumEventAgeInSeconds": 60}})
    aws.failures = [OSError("throttled")] * 50
    put(aws)
    aws.settle(hours=1)
    (message,) = messages(aws, url)
    condition = message["MessageAttributes"]["EXHAUSTED_RETRY_CONDITION"]["StringValue"]
    assert condition == "MaximumEventAgeInSeconds"


def test_without_a_dead_letter_queue_the_loss_is_told(aws: Any) -> None:
    rule(aws, {"source": ["app"]}, {"Arn": aws.function("f")})
    put(aws)
    aws.settle()
    (lost,) = aws.events.undelivered
    assert lost["ERROR_CODE"] == "NO_PERMISSIONS"


def test_queues_and_topics_and_logs_need_their_policies_too(aws: Any) -> None:
    url, arn = queue(aws, "open")
    _, closed = queue(aws, "closed", permit=False)
    topic = aws.client("sns").create_topic(Name="t")["TopicArn"]
    aws.client("logs").create_log_group(logGroupName="/events/x")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:/events/x"
    targets = ({"Arn": arn}, {"Arn": closed}, {"Arn": topic}, {"Arn": group})
    rule(aws, {"source": ["app"]}, *targets)
    put(aws)
    aws.settle()
    assert json.loads(messages(aws, url)[0]["Body"])["source"] == "app"
    assert {lost["TARGET_ARN"] for lost in aws.events.undelivered} == {closed, topic, group}


def test_a_state_machine_is_started_by_the_role(aws: Any) -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
    role = "arn:aws:iam::123456789012:role/starter"
    rule(aws, {"source": ["app"]}, {"Arn": machine, "RoleArn": role, "InputPath": "$.detail"})
    put(aws)
    aws.settle()
    ((arn, name, given, caller),) = aws.started
    assert (arn, given, caller) == (machine, {"n": 1}, role)
    assert 0 < len(name) <= 80


def test_a_disabled_rule_is_silent(aws: Any) -> None:
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE)
    rule(aws, {"source": ["app"]}, {"Arn": arn}, State="DISABLED")
    put(aws)
    aws.settle()
    aws.client("events").enable_rule(Name="r")
    put(aws)
    aws.settle()
    assert len(aws.invoked) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Source": ""}, "InvalidArgument"),
        ({"Detail": json.dumps({"a": "x" * 300_000})}, "InvalidArgument"),
    ],
)
def test_entries_that_put_events_refuses(aws: Any, fields: dict[str, str], code: str) -> None:
    assert put(aws, **fields)["ErrorCode"] == code


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"}, "RoleArn is required"),
        ({"Arn": "arn:aws:ecs:us-east-1:123456789012:cluster/c"}, "ecs"),
        ({"Arn": RULE.replace("events", "sqs"), "Input": "{"}, "not valid"),
        ({"Arn": RULE.replace("events", "sqs"), "Input": "1", "InputPath": "$"}, "Only one"),
        ({"Arn": RULE.replace("events", "sqs"), "InputPath": "detail"}, "JSON path"),
    ],
)
def test_targets_that_put_targets_refuses(aws: Any, target: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        rule(aws, {"source": ["app"]}, target)


def test_patterns_that_put_rule_refuses(aws: Any) -> None:
    with pytest.raises(ClientError, match="Unrecognized match type begins"):
        rule(aws, {"source": [{"begins": "a"}]})


def test_one_bus_hands_on_to_another(aws: Any) -> None:
    client = aws.client("events")
    client.create_event_bus(Name="other")
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/other"
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE.replace("rule/r", "rule/other/r2"))
    client.put_rule(Name="r2", EventBusName="other", EventPattern='{"source": ["app"]}')
    client.put_targets(Rule="r2", EventBusName="other", Targets=[{"Id": "f", "Arn": arn}])
    role = "arn:aws:iam::123456789012:role/across"
    rule(aws, {"source": ["app"]}, {"Arn": bus, "RoleArn": role})
    answer = put(aws)
    aws.settle()
    ((_, event, _),) = aws.invoked
    assert event["id"] == answer["EventId"]
