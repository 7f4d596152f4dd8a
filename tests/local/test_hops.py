"""From one service to the next, on a running embedded AWS with real functions.

One small stack, written by hand: an object makes an event, the event starts an execution, its
function logs, the log goes on to another function and into a metric, the metric raises an alarm,
and every event is seen by a function that says so in its own log.
"""

import base64
import gzip
import io
import json
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from infra.local.server import Local

START = datetime(2013, 2, 1, tzinfo=UTC)
ACCOUNT = "123456789012"

SEER = "import json\ndef handler(event, context):\n    print('SEEN ' + json.dumps(event))\n"
WORKER = """
import json
def handler(event, context):
    if event.get("fail"):
        raise ValueError("as asked")
    print(json.dumps({"capture": 1, "value": event["value"]}))
    print(json.dumps({"capture": 2}))
    metric = {"Namespace": "app", "Dimensions": [["model"]], "Metrics": [{"Name": "Ratio"}]}
    stamp = {"Timestamp": event["at"], "CloudWatchMetrics": [metric]}
    print(json.dumps({"_aws": stamp, "model": "m", "Ratio": event["value"]}))
    return {"doubled": event["value"] * 2}
"""


def att(name: str, attribute: str = "Arn") -> dict[str, Any]:
    return {"Fn::GetAtt": [name, attribute]}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def made(kind: str, depends: str = "", **properties: Any) -> dict[str, Any]:
    resource: dict[str, Any] = {"Type": f"AWS::{kind}", "Properties": properties}
    return resource | ({"DependsOn": depends} if depends else {})


def role(service: str, *actions: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = {"PolicyName": "p", "PolicyDocument": {"Statement": [allow]}}
    return made("IAM::Role", AssumeRolePolicyDocument={"Statement": [trust]}, Policies=[policy])


def function(name: str, key: str) -> dict[str, dict[str, Any]]:
    return {
        f"{name}Logs": made("Logs::LogGroup", LogGroupName=f"/{name}"),
        f"{name}Role": role("lambda.amazonaws.com", "logs:PutLogEvents"),
        name: made(
            "Lambda::Function",
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Timeout=20,
            Role=att(f"{name}Role"),
            Code={"S3Bucket": "code", "S3Key": key},
            LoggingConfig={"LogGroup": ref(f"{name}Logs")},
        ),
        f"{name}Version": made("Lambda::Version", FunctionName=ref(name)),
        f"{name}Live": made(
            "Lambda::Alias",
            Name="live",
            FunctionName=ref(name),
            FunctionVersion=att(f"{name}Version", "Version"),
        ),
    }


def permission(target: str, service: str, source: Any) -> dict[str, Any]:
    return made(
        "Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName=target,
        Principal=service,
        SourceArn=source,
    )


def seen_by(name: str, **rule: Any) -> dict[str, dict[str, Any]]:
    target = {"Id": "seer", "Arn": ref("SeerLive"), "DeadLetterConfig": {"Arn": att("Dead")}}
    return {
        name: made("Events::Rule", Name=name, Targets=[target], **rule),
        f"{name}May": permission(ref("SeerLive"), "events.amazonaws.com", att(name)),
    }


DEFINITION = {
    "StartAt": "Work",
    "States": {
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${Worker}", "Payload.$": "$"},
            "ResultSelector": {"result.$": "$.Payload"},
            "TimeoutSeconds": 60,
            "End": True,
        }
    },
}

TEMPLATE = {
    "Resources": {
        **function("Seer", "seer.zip"),
        **function("Worker", "worker.zip"),
        "Dead": made("SQS::Queue", QueueName="dead"),
        "DeadPolicy": made(
            "SQS::QueuePolicy",
            Queues=[ref("Dead")],
            PolicyDocument={
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "events.amazonaws.com"},
                        "Action": "sqs:SendMessage",
                        "Resource": att("Dead"),
                    }
                ]
            },
        ),
        "Landing": made(
            "S3::Bucket",
            BucketName="landing",
            VersioningConfiguration={"Status": "Enabled"},
            NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        ),
        **seen_by(
            "objects",
            EventPattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {"object": {"key": [{"prefix": "incoming/m/"}]}},
            },
        ),
        **seen_by("ticks", ScheduleExpression="rate(1 day)"),
        **seen_by(
            "alarms",
            EventPattern={
                "detail-type": ["CloudWatch Alarm State Change"],
                "detail": {"alarmName": ["m-ratio"], "state": {"value": ["ALARM"]}},
            },
        ),
        **seen_by(
            "ended",
            EventPattern={
                "source": ["aws.states"],
                "detail": {"status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]},
            },
        ),
        "MachineRole": role("states.amazonaws.com", "lambda:InvokeFunction"),
        "Machine": made(
            "StepFunctions::StateMachine",
            StateMachineName="machine",
            RoleArn=att("MachineRole"),
            DefinitionString=json.dumps(DEFINITION),
            DefinitionSubstitutions={"Worker": ref("WorkerLive")},
        ),
        "StarterRole": role("events.amazonaws.com", "states:StartExecution"),
        "asked": made(
            "Events::Rule",
            EventPattern={"source": ["app"], "detail-type": ["Asked"]},
            Targets=[
                {
                    "Id": "machine",
                    "Arn": ref("Machine"),
                    "RoleArn": att("StarterRole"),
                    "InputPath": "$.detail",
                }
            ],
        ),
        "CaptureMay": permission(ref("SeerLive"), "logs.amazonaws.com", att("WorkerLogs")),
        "Capture": made(
            "Logs::SubscriptionFilter",
            "CaptureMay",
            LogGroupName=ref("WorkerLogs"),
            FilterPattern="{ $.capture = 1 }",
            DestinationArn=ref("SeerLive"),
        ),
        "Topic": made("SNS::Topic", TopicName="alerts"),
        "Alarm": made(
            "CloudWatch::Alarm",
            AlarmName="m-ratio",
            Namespace="app",
            MetricName="Ratio",
            Dimensions=[{"Name": "model", "Value": "m"}],
            Statistic="Maximum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="ignore",
            AlarmActions=[ref("Topic")],
        ),
    }
}


def archive(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("index.py", source)
    return buffer.getvalue()


class Account:
    """A running embedded AWS with the stack in place."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.read: set[str] = set()
        s3 = self.client("s3")
        s3.create_bucket(Bucket="code")
        s3.put_object(Bucket="code", Key="seer.zip", Body=archive(SEER))
        s3.put_object(Bucket="code", Key="worker.zip", Body=archive(WORKER))
        formation = self.client("cloudformation")
        formation.create_stack(StackName="hops", TemplateBody=json.dumps(TEMPLATE))
        (stack,) = formation.describe_stacks(StackName="hops")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"

    def client(self, name: str) -> Any:
        return boto3.client(
            name,
            region_name="us-east-1",
            endpoint_url=self.local.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def seen(self) -> list[dict[str, Any]]:
        """What arrived since the last time one asked, in any order."""
        self.local.wait_idle(60)
        events = self.client("logs").filter_log_events(logGroupName="/Seer", filterPattern="SEEN")
        new = [event for event in events["events"] if event["eventId"] not in self.read]
        self.read |= {event["eventId"] for event in new}
        return [json.loads(event["message"][5:]) for event in new]

    def dead(self) -> list[dict[str, Any]]:
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
        return list(sqs.receive_message(QueueUrl=url).get("Messages", []))

    def ask(self, **detail: Any) -> None:
        entry = {"Source": "app", "DetailType": "Asked", "Detail": json.dumps(detail)}
        (answer,) = self.client("events").put_events(Entries=[entry])["Entries"]
        assert "EventId" in answer

    def milliseconds(self) -> int:
        return int(self.local.clock.now().timestamp() * 1000)


@pytest.fixture(scope="module")
def running() -> Iterator[Account]:
    with Local(speed=0, start=START) as local:
        yield Account(local)


@pytest.fixture
def account(running: Account) -> Account:
    running.seen()
    return running


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event.get("detail-type") == kind]


def test_upload_to_function(account: Account) -> None:
    s3 = account.client("s3")
    answer = s3.put_object(Bucket="landing", Key="incoming/m/a.csv", Body=b"a\n1\n")
    s3.put_object(Bucket="landing", Key="elsewhere/a.csv", Body=b"a\n1\n")
    (event,) = account.seen()
    assert event["detail"]["object"]["version-id"] == answer["VersionId"]
    assert event["time"] == account.local.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def test_event_to_execution_to_the_news_of_its_end(account: Account) -> None:
    account.ask(value=0.25, at=account.milliseconds())
    seen = account.seen()
    (ended,) = of_kind(seen, "Step Functions Execution Status Change")
    detail = ended["detail"]
    assert detail["status"] == "SUCCEEDED"
    assert json.loads(detail["output"]) == {"result": {"doubled": 0.5}}
    assert json.loads(detail["input"])["value"] == 0.25
    assert detail["stateMachineArn"].endswith(":stateMachine:machine")
    assert detail["startDate"] == account.milliseconds()


def test_a_failed_execution_tells_error_and_cause(account: Account) -> None:
    account.ask(fail=True)
    (ended,) = account.seen()
    assert (ended["detail"]["status"], ended["detail"]["error"]) == ("FAILED", "ValueError")
    assert json.loads(ended["detail"]["cause"])["errorMessage"] == "as asked"
    assert ended["detail"]["output"] is None


def test_log_line_to_function(account: Account) -> None:
    account.ask(value=0.5, at=account.milliseconds())
    (delivery,) = [event for event in account.seen() if "awslogs" in event]
    data = json.loads(gzip.decompress(base64.b64decode(delivery["awslogs"]["data"])))
    assert [json.loads(e["message"]) for e in data["logEvents"]] == [{"capture": 1, "value": 0.5}]
    assert data["logGroup"] == "/Worker"
    assert data["logEvents"][0]["timestamp"] == account.milliseconds()


def test_log_line_to_metric_to_alarm_to_event_and_mail(account: Account) -> None:
    account.local.clock.advance(timedelta(hours=1))
    account.seen()
    account.ask(value=1.75, at=account.milliseconds())
    (event,) = of_kind(account.seen(), "CloudWatch Alarm State Change")
    assert event["detail"]["alarmName"] == "m-ratio"
    assert json.loads(event["detail"]["state"]["reasonData"])["recentDatapoints"] == [1.75]
    assert [mail["subject"] for mail in account.local.outbox] == ['ALARM: "m-ratio" in us-east-1']
    account.local.clock.advance(timedelta(hours=1))
    account.ask(value=0.5, at=account.milliseconds())
    account.local.wait_idle(60)
    account.local.clock.advance(timedelta(minutes=1))
    (alarm,) = account.client("cloudwatch").describe_alarms(AlarmNames=["m-ratio"])["MetricAlarms"]
    assert alarm["StateValue"] == "OK"


def test_a_month_of_days_passes_in_order_and_quickly(account: Account) -> None:
    began = time.monotonic()
    account.local.clock.advance(timedelta(days=30))
    times = [event["time"] for event in account.seen()]
    assert len(times) == 30
    assert times == sorted(times)
    assert time.monotonic() - began < 20


def test_every_call_between_services_is_attributed(account: Account) -> None:
    account.ask(value=0.1, at=account.milliseconds())
    account.seen()
    calls = [(call.caller, call.action) for call in account.local.calls()]
    by = {action: caller for caller, action in calls}
    assert "StarterRole" in by["states:StartExecution"]
    assert "MachineRole" in by["lambda:InvokeFunction"]


def test_without_its_permission_an_event_ends_in_the_dead_letter_queue(account: Account) -> None:
    policy = account.client("lambda")
    statements = json.loads(policy.get_policy(FunctionName="Seer", Qualifier="live")["Policy"])
    (wanted,) = [s for s in statements["Statement"] if "rule/objects" in json.dumps(s)]
    policy.remove_permission(FunctionName="Seer", StatementId=wanted["Sid"], Qualifier="live")
    account.client("s3").put_object(Bucket="landing", Key="incoming/m/b.csv", Body=b"x")
    assert account.seen() == []
    (message,) = account.dead()
    assert json.loads(message["Body"])["detail"]["object"]["key"] == "incoming/m/b.csv"
