"""Executions that wait in several places, for tokens, for too long; and the names they keep."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import Local
from tests.local.conftest import client

ECHO = "arn:aws:lambda:us-east-1:123456789012:function:echo"


def machine(local: Local, name: str, states: dict[str, Any], **more: Any) -> str:
    """A machine that starts with the first of ``states``."""
    definition = {"StartAt": next(iter(states)), "States": states, **more}
    role = client(local, "cloudformation").describe_stacks(StackName="small")["Stacks"][0]
    made = client(local, "stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role["Outputs"][0]["OutputValue"]
    )
    return str(made["stateMachineArn"])


def start(local: Local, arn: str, name: str = "", text: str = "{}") -> str:
    how = {"name": name} if name else {}
    answer = client(local, "stepfunctions").start_execution(stateMachineArn=arn, input=text, **how)
    return str(answer["executionArn"])


def described(local: Local, execution: str) -> dict[str, Any]:
    return dict(client(local, "stepfunctions").describe_execution(executionArn=execution))


def lasted(local: Local, execution: str) -> float:
    told = described(local, execution)
    return float((told["stopDate"] - told["startDate"]).total_seconds())


def rest(seconds: int) -> dict[str, Any]:
    return {
        "StartAt": "Rest",
        "States": {"Rest": {"Type": "Wait", "Seconds": seconds, "End": True}},
    }


def test_iterations_wait_side_by_side(small: Local) -> None:
    iterate = {
        "Type": "Map",
        "ItemsPath": "$",
        "MaxConcurrency": 2,
        "ItemProcessor": {
            "StartAt": "Ask",
            "States": {
                "Ask": {"Type": "Task", "Resource": ECHO, "ResultPath": None, "Next": "Rest"},
                "Rest": {"Type": "Wait", "SecondsPath": "$.rest", "End": True},
            },
        },
        "End": True,
    }
    arn = machine(small, "map", {"Each": iterate})
    execution = start(small, arn, text=json.dumps([{"rest": 100}, {"rest": 300}, {"rest": 500}]))
    small.clock.advance(timedelta(hours=1))
    assert described(small, execution)["status"] == "SUCCEEDED"
    assert lasted(small, execution) == 600  # the first worker takes the third item
    small.wait_idle(5)


def test_branches_wait_side_by_side(small: Local) -> None:
    arn = machine(
        small, "parallel", {"Both": {"Type": "Parallel", "Branches": [rest(60), rest(90)],
                                     "End": True}}
    )  # fmt: skip
    execution = start(small, arn)
    small.clock.advance(timedelta(hours=1))
    assert lasted(small, execution) == 90
    small.wait_idle(5)


def token_task(**more: Any) -> dict[str, Any]:
    return {
        "Approve": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "Parameters": {
                "QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/approvals",
                "MessageBody.$": "$$.Task.Token",
            },
            "End": True,
            **more,
        }
    }


def test_a_token_may_take_days(small: Local) -> None:
    sqs, states = client(small, "sqs"), client(small, "stepfunctions")
    url = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    execution = start(small, machine(small, "approval", token_task()))
    small.wait_idle(10)
    small.clock.advance(timedelta(days=3))
    assert described(small, execution)["status"] == "RUNNING"
    token = sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"]
    states.send_task_success(taskToken=token, output='{"approved": true}')
    small.wait_idle(10)
    told = described(small, execution)
    assert (told["status"], json.loads(told["output"])) == ("SUCCEEDED", {"approved": True})
    assert lasted(small, execution) == 3 * 86400


def test_a_token_that_does_not_come_times_out_by_the_clock(small: Local) -> None:
    client(small, "sqs").create_queue(QueueName="approvals")
    execution = start(small, machine(small, "impatient", token_task(TimeoutSeconds=3600)))
    small.wait_idle(10)
    small.clock.advance(timedelta(hours=2))
    told = described(small, execution)
    assert (told["status"], told["error"]) == ("FAILED", "States.Timeout")
    assert lasted(small, execution) == 3600


def test_a_machine_times_out_by_the_clock(small: Local) -> None:
    ended: list[Any] = []
    small.on_execution_end.append(lambda execution: ended.append(dict(execution)))
    arn = machine(small, "endless", rest(10**7)["States"], TimeoutSeconds=86400)
    execution = start(small, arn)
    small.clock.advance(timedelta(days=2))
    small.on_execution_end.pop()
    assert described(small, execution)["status"] == "TIMED_OUT"
    assert lasted(small, execution) == 86400
    assert [e["status"] for e in ended] == ["TIMED_OUT"]


def test_names(small: Local) -> None:
    arn = machine(small, "named", {"Done": {"Type": "Succeed"}})
    assert len(start(small, arn).rpartition(":")[2]) == 36
    with pytest.raises(ClientError, match="InvalidName"):
        start(small, arn, "a b")
    with pytest.raises(ClientError, match="less than or equal to 80"):
        start(small, arn, "x" * 81)
    start(small, arn, "once")
    small.clock.advance(timedelta(days=89))
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(small, arn, "once")
    small.clock.advance(timedelta(days=2))
    start(small, arn, "once")


def test_a_refusal_of_lambda_keeps_its_name(small: Local) -> None:
    caught = {
        "Ask": {
            "Type": "Task",
            "Resource": ECHO.replace("echo", "nobody"),
            "Catch": [{"ErrorEquals": ["Lambda.ResourceNotFoundException"], "Next": "Told"}],
            "End": True,
        },
        "Told": {"Type": "Succeed"},
    }
    execution = start(small, machine(small, "caught", caught))
    small.wait_idle(10)
    assert described(small, execution)["status"] == "SUCCEEDED"
