"""Files scored by the deployed loop: in chunks, whatever fails, as in a single pass."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from driftloop import keys
from driftloop.batch.asked import Batch
from driftloop.batch.steps import Work
from driftloop.rejects.quarantine import upload_name
from driftloop.spec import Spec
from infra.local.lambdas import InvokeResult
from tests.driftloop.memory import Memory
from tests.loop.conftest import FLIGHTS, Loop, as_csv, instance, rows


def _put(loop: Loop, name: str, data: bytes) -> str:
    """The batch of a file, once nothing moves any more."""
    key = keys.batch_file("flights", name)
    return upload_name(loop.platform["LandingBucket"], key, loop.put(key, data))


def _execution(loop: Loop, batch: str) -> dict[str, Any]:
    machine = loop.outputs["driftloop-dev-flights"]["BatchMachineArn"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{batch}"
    found: dict[str, Any] = loop.client("stepfunctions").describe_execution(executionArn=arn)
    return found


def _left(loop: Loop, batch: str) -> dict[str, bytes]:
    prefix = keys.predictions("flights", batch)
    return {key.removeprefix(prefix): loop.store(key) for key in loop.stored(prefix)}


@contextmanager
def _dying(loop: Loop, chunk: int, times: int) -> Iterator[Counter[int]]:
    """The process that scores this chunk dies so many times; counts the tries of each chunk."""
    tries: Counter[int] = Counter()
    run = loop.local.lambdas.run
    died = {"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"}

    def flaky(function: Any, payload: bytes, request_id: str, *more: Any, **how: Any) -> Any:
        event = json.loads(payload or b"{}")
        if isinstance(event, dict) and event.get("op") == "score":
            number = event["item"]["chunk"]
            tries[number] += 1
            if number == chunk and tries[number] <= times:
                return InvokeResult(json.dumps(died).encode(), "Unhandled", request_id, "")
        return run(function, payload, request_id, *more, **how)

    loop.local.lambdas.run = flaky  # type: ignore[method-assign]
    try:
        yield tries
    finally:
        loop.local.lambdas.run = run  # type: ignore[method-assign]


def _single_pass(loop: Loop, given: str, data: bytes, folder: Path) -> dict[str, bytes]:
    """What one process makes of all of it, at once."""
    batch = Batch.from_json(json.loads(given)["batch"])
    store, landing = Memory(), Memory()
    landing.objects[batch.file.key] = data
    store.objects[batch.served.key] = loop.store(batch.served.key)
    work = Work(store, landing, Spec.load(FLIGHTS))
    divided = work.divide(batch, "", 1 << 30)
    assert divided["chunks"] == 1
    work.score(batch, divided["folder"], 0, folder)
    work.merge(batch, divided["folder"], folder)
    prefix = keys.predictions("flights", batch.name)
    return {k.removeprefix(prefix): v for k, v in store.objects.items() if k.startswith(prefix)}


def test_a_file_in_chunks_of_which_one_fails_twice_is_a_single_pass(
    loop: Loop, tmp_path: Path
) -> None:
    """law_1 and law_2: the same bytes, and every row in exactly one of the two."""
    table = [{k: v for k, v in row.items() if k != "late"} for row in rows(most=12_000)]
    table[7] |= {"hour": "noon"}
    table[11_000] |= {"origin": "LHR", "temp": "warm"}
    data = as_csv(table)
    with _dying(loop, 1, times=2) as tries:
        batch = _put(loop, "january.csv", data)
    ended = _execution(loop, batch)
    assert ended["status"] == "SUCCEEDED", ended
    assert len(tries) >= 3 and tries[1] >= 3
    left = _left(loop, batch)
    assert left == _single_pass(loop, ended["input"], data, tmp_path)
    report = json.loads(left["report.json"])
    assert (report["rows"], report["predicted"], report["rejected"]) == (12_000, 11_998, 2)
    first, second = (
        json.loads(line) for line in gzip.decompress(left["rejects.jsonl.gz"]).splitlines()
    )
    assert (first["line"], first["field"]) == (9, "hour")
    assert (second["line"], {second["field"], *second["also"]}) == (11_002, {"origin", "temp"})
    s3 = loop.client("s3")
    for key in loop.stored(f"flights/pieces/{batch}/"):  # no chunk was scored again
        found = s3.list_object_versions(Bucket=loop.platform["StoreBucket"], Prefix=key)
        assert len([v for v in found["Versions"] if v["Key"] == key]) == 1, key


def test_a_batch_answers_as_the_endpoint_and_the_monitor_sees_it(loop: Loop) -> None:
    table = [{k: v for k, v in row.items() if k != "late"} for row in rows(most=50)]
    lines = b"".join(json.dumps(instance(row)).encode() + b"\n" for row in table)
    batch = _put(loop, "some/few.jsonl", lines)
    predicted = [json.loads(line) for line in _left(loop, batch)["predictions.jsonl"].splitlines()]
    route = loop.route("flights")
    answer = loop.predict("flights", [instance(row) for row in table])
    if answer.body["version"] == route["champion"]["version"]:
        wanted = [(p["value"], p["probability"]) for p in answer.body["predictions"]]
        assert [(p["value"], p["probability"]) for p in predicted] == wanted
    assert [p["flight_id"] for p in predicted] == [row["flight_id"] for row in table]
    (key,) = [key for key in loop.stored("flights/captures/") if f"batch-{batch}" in key]
    captured = [json.loads(line) for line in gzip.decompress(loop.store(key)).splitlines()]
    assert {c["id"] for c in captured} == {p["id"] for p in predicted}
    assert {c["role"] for c in captured} == {"batch"}


def test_a_file_that_cannot_be_scored_says_why_and_the_same_event_starts_nothing(
    loop: Loop,
) -> None:
    batch = _put(loop, "wrong.csv", b"hour,carrier\n1,UA\n")
    ended = _execution(loop, batch)
    assert (ended["status"], ended["error"]) == ("FAILED", "WrongColumns")
    error = json.loads(_left(loop, batch)["report.json"])["error"]
    assert error["name"] == "WrongColumns" and "missing 'weekday'" in error["message"]
    detail = json.loads(ended["input"])["batch"]
    thing = {"key": detail["file"]["key"], "version-id": detail["file"]["version_id"],
             "size": detail["file"]["size"]}  # fmt: skip
    event = {
        "detail-type": "Object Created", "source": "aws.s3", "time": detail["now"],
        "detail": {"bucket": {"name": detail["bucket"]}, "object": thing},
    }  # fmt: skip
    started = loop.client("lambda").invoke(
        FunctionName="driftloop-dev-flights-batch", Payload=json.dumps(event).encode()
    )
    assert json.loads(started["Payload"].read())["execution"].endswith(f":{batch}")
    loop.local.wait_idle(60)
    assert _execution(loop, batch)["startDate"] == ended["startDate"]
