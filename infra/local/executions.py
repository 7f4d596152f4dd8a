"""Step Functions tells EventBridge how an execution ended.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Local

_LARGEST = 248 * 1024
_REDRIVABLE = ("FAILED", "TIMED_OUT", "ABORTED")


def status_change(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The event of an execution, from what DescribeExecution says of it (times as datetimes)."""
    given, result = execution["input"], execution.get("output")
    status = execution["status"]
    with_result = result is None or _size(result) <= _LARGEST
    with_input = _size(given) + (_size(result) if result is not None and with_result else 0)
    included = with_input <= _LARGEST
    redrivable = status in _REDRIVABLE
    return {
        "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change",
        "resources": [execution["executionArn"]],
        "detail": {
            "executionArn": execution["executionArn"],
            "stateMachineArn": execution["stateMachineArn"],
            "name": execution["name"],
            "status": status,
            "startDate": _milliseconds(execution["startDate"]),
            "stopDate": _milliseconds(execution.get("stopDate")),
            "input": given if included else None,
            "output": result if with_result else None,
            "inputDetails": {"included": included},
            "outputDetails": None if result is None else {"included": with_result},
            "error": execution.get("error"),
            "cause": execution.get("cause"),
            "stateMachineVersionArn": None,
            "stateMachineAliasArn": None,
            "redriveCount": 0,
            "redriveDate": None,
            "redriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
            "redriveStatusReason": (
                None if redrivable else f"Execution is {status} and cannot be redriven"
            ),
        },
    }


def _size(text: str) -> int:
    """Bytes of the text once escaped inside the event's own JSON."""
    return len(json.dumps(text, ensure_ascii=False).encode())


def _milliseconds(when: datetime | None) -> int | None:
    return None if when is None else int(when.timestamp() * 1000)


def install(local: "Local") -> None:
    """Send the event whenever an execution ends."""

    def tell(execution: Mapping[str, Any]) -> None:
        local.put_event(status_change(execution))

    local.on_execution_end.append(tell)
