"""A Map in distributed mode over the items of an object."""

import json
from typing import Any

import pytest

from infra.local import Local
from tests.local.conftest import client
from tests.local.test_execution_work import ECHO, described, machine, start

FLAKY = """
import pathlib
def handler(event, context):
    seen = pathlib.Path(event["folder"]) / str(event["item"]["n"])
    times = int(seen.read_text()) if seen.exists() else 0
    seen.write_text(str(times + 1))
    if times < event["item"]["fails"]:
        raise ValueError("not yet")
    return event["item"]["n"]
"""


def mapped(**more: Any) -> dict[str, Any]:
    ask = {
        "Type": "Task",
        "Resource": ECHO.replace("echo", "flaky"),
        "Parameters": {"item.$": "$.item", "folder.$": "$.folder"},
        "End": True,
    }
    each = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket": "items", "Key.$": "$.items"},
        },
        "ItemSelector": {"item.$": "$$.Map.Item.Value", "folder.$": "$.folder"},
        "MaxConcurrency": 2,
        "Label": "Each",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Ask",
            "States": {"Ask": ask},
        },
        "ResultPath": "$.numbers",
        "End": True,
        **more,
    }
    return {"Each": each}


@pytest.fixture(scope="module")
def world(small: Local) -> Local:
    client(small, "s3").create_bucket(Bucket="items")
    role = client(small, "cloudformation").describe_stacks(StackName="small")["Stacks"][0]
    client(small, "cloudformation").create_stack(
        StackName="flaky",
        TemplateBody=json.dumps({
            "Resources": {"Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "flaky", "Handler": "index.handler", "Runtime": "python3.13",
                    "Role": role["Outputs"][0]["OutputValue"], "Code": {"ZipFile": FLAKY},
                },
            }}
        }),
    )  # fmt: skip
    return small


def run(local: Local, name: str, folder: Any, fails: list[int], **more: Any) -> dict[str, Any]:
    items = [{"n": n, "fails": times} for n, times in enumerate(fails)]
    client(local, "s3").put_object(Bucket="items", Key=f"{name}.json", Body=json.dumps(items))
    given = {"items": f"{name}.json", "folder": str(folder)}
    execution = start(local, machine(local, name, mapped(**more)), text=json.dumps(given))
    local.wait_idle(60)
    return described(local, execution)


def test_every_item_of_the_object_is_run_with_what_the_state_knows(
    world: Local, tmp_path: Any
) -> None:
    told = run(world, "all", tmp_path, [0] * 5)
    assert told["status"] == "SUCCEEDED"
    assert json.loads(told["output"])["numbers"] == [0, 1, 2, 3, 4]


def test_one_that_fails_fails_the_run_by_name(world: Local, tmp_path: Any) -> None:
    told = run(world, "one", tmp_path, [0, 9, 0])
    assert (told["status"], told["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")
    assert (tmp_path / "2").exists()


def test_unless_that_many_are_tolerated(world: Local, tmp_path: Any) -> None:
    told = run(world, "some", tmp_path, [0, 9, 0], ToleratedFailureCount=1)
    assert json.loads(told["output"])["numbers"] == [0, None, 2]


def test_a_retry_runs_the_map_again(world: Local, tmp_path: Any) -> None:
    again = {"ErrorEquals": ["States.ExceedToleratedFailureThreshold"], "IntervalSeconds": 1}
    told = run(world, "again", tmp_path, [0, 1, 0], Retry=[again])
    assert json.loads(told["output"])["numbers"] == [0, 1, 2]
    assert [(tmp_path / str(n)).read_text() for n in range(3)] == ["2", "2", "2"]


def test_the_role_starts_and_describes_executions_of_its_own_machine(world: Local) -> None:
    asked = {(call.action, call.resource.split(":", 5)[5]) for call in world.calls()}
    assert ("states:StartExecution", "stateMachine:all") in asked
    assert ("states:DescribeExecution", "execution:all/Each:child") in asked
    assert ("s3:GetObject", "items/all.json") in asked
