import json
import threading
import urllib.request
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import Local
from tests.local.conftest import client


def control(local: Local, path: str, body: Any = None, **headers: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{local.port}/_local/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers=headers,
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_the_clock_is_driven_from_outside(small: Local) -> None:
    before = small.clock.now()
    answer = control(small, "clock", {"advance": "2h"})
    assert (small.clock.now() - before).total_seconds() == 7200
    assert answer["speed"] == 0 and answer["now"].endswith("Z")
    assert control(small, "health")["status"] == "ok"


def test_a_wrong_wish_is_refused_in_words(small: Local) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(small, "clock", {"advance": "2 fortnights"})
    assert refused.value.code == 400
    assert "is no duration" in json.load(refused.value)["error"]


def test_web_pages_may_not_drive_it(small: Local) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(small, "stop", {}, Origin="https://example.com")
    assert refused.value.code == 403
    refused.value.close()


def test_a_roles_calls_are_recorded_and_the_operators_are_not(small: Local) -> None:
    role = client(small, "cloudformation").describe_stacks(StackName="small")["Stacks"][0][
        "Outputs"
    ][0]["OutputValue"]
    key = {"pk": {"S": "seen"}}
    client(small, "dynamodb").get_item(TableName="counter", Key=key)
    client(small, "dynamodb", role).get_item(TableName="counter", Key=key)
    found = [c for c in small.calls() if c.action == "dynamodb:GetItem"]
    assert [c.caller for c in found] == [role]
    assert found[0].resource.endswith(":table/counter")


def test_conditional_writes_are_atomic_under_threads(small: Local) -> None:
    table = client(small, "dynamodb")
    results: Counter[str] = Counter()

    def write(name: str) -> None:
        try:
            table.put_item(
                TableName="counter",
                Item={"pk": {"S": "lock"}, "holder": {"S": name}},
                ConditionExpression="attribute_not_exists(pk)",
            )
            results["won"] += 1
        except ClientError as error:
            results[error.response["Error"]["Code"]] += 1

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == {"won": 1, "ConditionalCheckFailedException": 11}


def test_an_unknown_resource_type_fails_the_stack_by_name(small: Local) -> None:
    template = {"Resources": {"Odd": {"Type": "AWS::Odd::Thing", "Properties": {}}}}
    with pytest.raises(ClientError, match="AWS::Odd::Thing"):
        client(small, "cloudformation").create_stack(
            StackName="odd", TemplateBody=json.dumps(template)
        )
