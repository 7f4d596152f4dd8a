import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from infra.local import Local
from infra.local.lambda_layers import merge
from tests.local.conftest import client

ARN = "arn:aws:lambda:us-east-1:123456789012:function:echo"


def call(local: Local, **event: object) -> dict[str, object]:
    result = local.invoke(ARN, json.dumps(event).encode())
    answer: dict[str, object] = json.loads(result.payload)
    return answer | {"error": result.error}


def test_environments_stay_warm(small: Local) -> None:
    assert call(small, a=1)["pid"] == call(small, a=2)["pid"]


def test_errors_carry_the_exception_by_name(small: Local) -> None:
    answer = call(small, boom=1)
    assert answer["error"] == answer["errorType"] == "ValueError"
    assert answer["errorMessage"] == "boom"


def test_a_process_that_dies_is_replaced(small: Local) -> None:
    before = call(small)["pid"]
    assert call(small, die=1)["error"] == "Runtime.ExitError"
    after = call(small)
    assert after["error"] is None and after["pid"] != before


def test_time_out_is_enforced(small: Local) -> None:
    answer = call(small, sleep=5)
    assert answer["error"] == "Sandbox.Timedout"
    assert "timed out after 2.00 seconds" in str(answer["errorMessage"])


def test_log_lines_reach_the_group_and_the_hooks(small: Local) -> None:
    heard: list[str] = []
    small.on_log.append(lambda group, stream, events: heard.extend(m for _, m in events))
    call(small, mark="seen")
    small.on_log.pop()
    assert heard[0].startswith("START RequestId: ")
    assert "got {'mark': 'seen'}" in heard
    assert heard[-2].startswith("END RequestId: ") and heard[-1].startswith("REPORT RequestId: ")
    logs = client(small, "logs")
    found = logs.filter_log_events(logGroupName="/aws/lambda/echo")["events"]
    assert any("'mark': 'seen'" in event["message"] for event in found)


def test_asynchronous_failure_is_tried_three_times_and_handed_over(small: Local) -> None:
    sqs = client(small, "sqs")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    function = small.lambdas.find("echo")
    function.dead_letter_arn = "arn:aws:sqs:us-east-1:123456789012:dead"
    heard: list[str] = []
    small.on_log.append(lambda group, stream, events: heard.extend(m for _, m in events))
    small.invoke(ARN, b'{"boom": 1}', asynchronous=True)
    small.clock.advance(timedelta(minutes=10))
    small.on_log.pop()
    function.dead_letter_arn = None
    assert sum("got {'boom': 1}" in line for line in heard) == 3
    messages = sqs.receive_message(QueueUrl=url)["Messages"]
    assert [json.loads(m["Body"]) for m in messages] == [{"boom": 1}]


def test_a_function_that_is_not_there(small: Local) -> None:
    with pytest.raises(Exception, match="nobody"):
        small.invoke(ARN.replace("echo", "nobody"), b"{}")


def layer(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def test_layers_of_another_runtime_leave_their_wheels_to_the_host(tmp_path: Path) -> None:
    wheels = layer(
        {
            "python/numpy/__init__.py": "raise ImportError('built for another Python')",
            "python/numpy.libs/x.so": "",
            "python/numpy-2.0.dist-info/RECORD": "numpy/__init__.py,,\nnumpy.libs/x.so,,\n",
            "python/own/__init__.py": "",
        }
    )
    late = layer({"spec.json": "{}", "python/own/more.py": ""})
    folder = merge(tmp_path, [wheels, late], "python2.7", "x86_64")
    found = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())
    assert found == ["python/own/__init__.py", "python/own/more.py", "spec.json"]
