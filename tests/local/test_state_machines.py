import json
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from infra.local import Local
from tests.local.conftest import client

ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"


def start(local: Local, name: str, **given: object) -> str:
    text = json.dumps({"boom": None} | given)
    answer = client(local, "stepfunctions").start_execution(
        stateMachineArn=ARN, name=name, input=text
    )
    return str(answer["executionArn"])


def test_waits_and_stamps_follow_the_clock(small: Local) -> None:
    states = client(small, "stepfunctions")
    began = small.clock.now()
    execution = start(small, "patient")
    small.wait_idle(20)
    small.clock.advance(timedelta(minutes=59))
    assert states.describe_execution(executionArn=execution)["status"] == "RUNNING"
    small.clock.advance(timedelta(minutes=2))
    done = states.describe_execution(executionArn=execution)
    assert done["status"] == "SUCCEEDED"
    assert (done["stopDate"] - done["startDate"]).total_seconds() == 3600
    entered = json.loads(done["output"])["answer"]["event"]["now"]
    assert entered == began.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_failure_ends_by_the_name_of_the_exception(small: Local) -> None:
    ended: list[object] = []
    small.on_execution_end.append(lambda execution: ended.append(dict(execution)))
    execution = start(small, "failing", boom=1)
    small.wait_idle(20)
    small.on_execution_end.pop()
    done = client(small, "stepfunctions").describe_execution(executionArn=execution)
    assert (done["status"], done["error"]) == ("FAILED", "ValueError")
    assert json.loads(done["cause"])["errorMessage"] == "boom"
    assert [e["status"] for e in ended] == ["FAILED"]  # type: ignore[index]


def test_a_name_is_taken_but_the_same_start_is_the_same_execution(small: Local) -> None:
    first = start(small, "once", boom=None)
    assert start(small, "once", boom=None) == first
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(small, "once", boom=1)
    small.clock.advance(timedelta(hours=2))
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        start(small, "once", boom=None)


def test_stopping_ends_a_wait(small: Local) -> None:
    execution = start(small, "stopped")
    small.wait_idle(20)
    states = client(small, "stepfunctions")
    states.stop_execution(executionArn=execution)
    small.wait_idle(5)
    assert states.describe_execution(executionArn=execution)["status"] == "ABORTED"


def test_input_has_a_limit(small: Local) -> None:
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        start(small, "large", text="x" * 300_000)


def test_the_machine_acts_as_its_role(small: Local) -> None:
    start(small, "recorded")
    small.clock.advance(timedelta(hours=2))
    calls = [c for c in small.calls() if c.action == "lambda:InvokeFunction"]
    assert calls and all(":role/small-Role" in c.caller for c in calls)
