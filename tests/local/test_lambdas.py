import io
import json
import textwrap
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy
import pytest

from infra.local import Local
from infra.local.lambda_invoke import EventTooLarge
from infra.local.lambda_layers import MissingDistribution, merge
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
    small.wait_idle(10)
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
    assert (folder / "python" / "numpy").resolve() == Path(numpy.__file__).parent


def test_a_wheel_the_host_lacks_is_named(tmp_path: Path) -> None:
    wheels = layer({"python/nosuch-1.dist-info/RECORD": "nosuch/__init__.py,,\n"})
    with pytest.raises(MissingDistribution, match="nosuch"):
        merge(tmp_path, [wheels], "python2.7", "x86_64")


def function(
    local: Local, name: str, code: str, *, layers: tuple[bytes, ...] = (), **how: Any
) -> Any:
    """A function made through the API; calling it invokes it."""
    aws = client(local, "lambda")
    role = client(local, "iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    arns = [
        aws.publish_layer_version(LayerName=f"{name}{n}", Content={"ZipFile": data})[
            "LayerVersionArn"
        ]
        for n, data in enumerate(layers)
    ]
    aws.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": layer({"index.py": code})},
        Layers=arns,
        **how,
    )
    return lambda **event: json.loads(local.invoke(name, json.dumps(event).encode()).payload)


def test_only_the_function_its_layers_and_the_runtime_can_be_imported(small: Local) -> None:
    code = """
        from importlib.util import find_spec
        def handler(event, context):
            return [name for name in event["names"] if find_spec(name)]
    """
    names = ["boto3", "awslambdaric", "json", "numpy", "moto", "driftloop", "own"]
    bare = function(small, "bare", textwrap.dedent(code))
    assert bare(names=names) == ["boto3", "awslambdaric", "json"]
    wheels = layer({"python/numpy-2.0.dist-info/RECORD": "numpy/__init__.py,,\n",
                    "python/own.py": ""})  # fmt: skip
    full = function(small, "full", textwrap.dedent(code), layers=(wheels,))
    assert full(names=names) == ["boto3", "awslambdaric", "json", "numpy", "own"]


def test_an_import_that_fails_is_an_init_error(small: Local) -> None:
    broken = function(small, "broken", "import moto")
    assert broken()["errorType"] == "Runtime.ImportModuleError"


def test_a_process_that_takes_more_than_its_memory_is_killed(small: Local) -> None:
    code = "import time\ndef handler(event, context):\n    x = bytearray(10**9)\n    time.sleep(3)"
    greedy = function(small, "greedy", code, MemorySize=256, Timeout=10)
    answer = greedy()
    assert answer["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in answer["errorMessage"]


def test_much_output_holds_nobody_up(small: Local) -> None:
    code = "def handler(event, context):\n    for n in range(50):\n        print('x' * 30_000)"
    talkative = function(small, "talkative", code, Timeout=10)
    assert talkative() is None
    small.wait_idle(10)
    events = small.lambdas.find("talkative").logs_backend.groups["/aws/lambda/talkative"]
    lines = [e.message for s in events.streams.values() for e in s.events]
    assert sum(line == "x" * 30_000 for line in lines) == 50


def test_the_report_tells_memory_and_cold_starts(small: Local) -> None:
    code = "def handler(event, context):\n    return context.invoked_function_arn"
    told = function(small, "told", code)
    told()
    first = small.invoke("told", b"{}").log
    assert "Max Memory Used: " in first and "Init Duration" not in first
    arn = client(small, "lambda").publish_version(FunctionName="told")["FunctionArn"]
    client(small, "lambda").create_alias(FunctionName="told", Name="live", FunctionVersion="1")
    alias = arn.rpartition(":")[0] + ":live"
    cold = small.invoke(alias, b"{}")
    assert json.loads(cold.payload) == alias
    assert "Init Duration: " in cold.log


def test_payloads_have_a_limit(small: Local) -> None:
    with pytest.raises(EventTooLarge):
        small.invoke(ARN, b" " * (6 * 1024 * 1024 + 1))
    with pytest.raises(EventTooLarge):
        small.invoke(ARN, b" " * (1024 * 1024 + 1), asynchronous=True)
    answer = client(small, "lambda").invoke(FunctionName="echo", Payload=b'{"a": 1}')
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
    queued = client(small, "lambda").invoke(FunctionName="echo", InvocationType="Event")
    assert queued["StatusCode"] == 202
    small.wait_idle(10)


def test_events_and_answers_of_megabytes_pass(small: Local) -> None:
    """The native client announces large bodies with ``Expect: 100-continue``."""
    text = "x" * 4_000_000
    echo = function(small, "big", "def handler(event, context):\n    return event", Timeout=20)
    assert echo(text=text) == {"text": text}
