"""How the end of an execution is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.executions import status_change

EXECUTION: dict[str, Any] = {
    "executionArn": "arn:aws:states:us-east-1:123456789012:execution:m:run",
    "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m",
    "name": "run",
    "startDate": datetime(2019, 2, 26, 19, 42, 21, tzinfo=UTC),
    "stopDate": datetime(2019, 2, 26, 19, 42, 22, tzinfo=UTC),
    "input": "{}",
}


def test_success_in_aws_shape() -> None:
    event = status_change(EXECUTION | {"status": "SUCCEEDED", "output": '"Hello World!"'})
    assert event == {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "resources": [EXECUTION["executionArn"]],
        "detail": {
            "executionArn": EXECUTION["executionArn"],
            "stateMachineArn": EXECUTION["stateMachineArn"],
            "name": "run",
            "status": "SUCCEEDED",
            "startDate": 1551210141000,
            "stopDate": 1551210142000,
            "input": "{}",
            "inputDetails": {"included": True},
            "output": '"Hello World!"',
            "outputDetails": {"included": True},
            "error": None,
            "cause": None,
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "redriveCount": 0,
            "redriveDate": None,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        },
    }


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_failure_carries_error_and_cause(status: str) -> None:
    fields = {"status": status, "error": "TooManyRejected", "cause": "half of it"}
    detail = status_change(EXECUTION | fields)["detail"]
    assert (detail["error"], detail["cause"]) == ("TooManyRejected", "half of it")
    assert detail["output"] is None and detail["outputDetails"] is None
    assert detail["redriveStatus"] == "REDRIVABLE"


def test_what_is_too_long_is_left_out_input_first() -> None:
    long = '"' + "x" * 200_000 + '"'
    both = status_change(EXECUTION | {"status": "SUCCEEDED", "input": long, "output": long})
    assert both["detail"]["input"] is None
    assert both["detail"]["inputDetails"] == {"included": False}
    assert both["detail"]["output"] == long
    huge = '"' + "x" * 254_000 + '"'
    result = status_change(EXECUTION | {"status": "SUCCEEDED", "output": huge})["detail"]
    assert result["output"] is None
    assert result["outputDetails"] == {"included": False}
    assert result["input"] == "{}"
