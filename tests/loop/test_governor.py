"""Causes and runs: one effect per cause, one writer, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.loop.conftest import Loop, as_csv, rows


def test_law_3_the_same_event_again_starts_nothing(loop: Loop) -> None:
    """EventBridge delivers at least once: five deliveries, one run, five ledger rows."""
    table = [row | {"flight_id": f"again-{row['flight_id']}"} for row in rows(most=300)]
    heard: list[dict[str, object]] = []
    put = loop.local.put_event
    loop.local.put_event = lambda event, bus="default": (  # type: ignore[assignment]
        heard.append(event), put(event, bus))[1]  # fmt: skip
    try:
        run = loop.upload("flights", "again.csv", as_csv(table))
    finally:
        loop.local.put_event = put  # type: ignore[method-assign]
    (event,) = [e for e in heard if e["detail-type"] == "Object Created"
                and "again.csv" in json.dumps(e)]  # fmt: skip
    before = len(loop.runs("flights"))
    for _ in range(4):
        loop.local.put_event(event)
    loop.local.wait_idle(60)
    assert len(loop.runs("flights")) == before
    told = [row for row in loop.items("flights", "LEDGER#") if row["event"] == run["event"]]
    assert len(told) == 5
    assert sorted(row["decision"] for row in told) == ["started"] + ["suppressed"] * 4
    assert all(row["reason"] for row in told)


def test_law_5_a_run_that_lost_the_lock_writes_nothing(loop: Loop) -> None:
    """An execution whose fence is not the lock's ends as StaleLock before its first effect."""
    route, stored = loop.route("flights"), loop.stored("flights/parts/")
    states = loop.client("stepfunctions")
    arn = loop.outputs["driftloop-dev-flights"]["StateMachineArn"]
    given = json.loads(loop.runs("flights")[0]["input"]) | {"run": "manual-000000000000-1"}
    execution = states.start_execution(
        stateMachineArn=arn, name="manual-000000000000-1", input=json.dumps(given)
    )["executionArn"]
    loop.local.wait_idle(60)
    done = states.describe_execution(executionArn=execution)
    assert (done["status"], done["error"]) == ("FAILED", "StaleLock")
    assert loop.route("flights") == route and loop.stored("flights/parts/") == stored


def test_law_5_uploads_during_a_run_wait_and_are_not_lost(loop: Loop) -> None:
    """Three files at once: runs follow each other, never beside each other, and learn from all."""
    loop.local.clock.advance(timedelta(days=1))
    before = {run["run"] for run in loop.runs("flights")}
    s3 = loop.client("s3")
    for number in range(3):
        table = [row | {"flight_id": f"wait{number}-{row['flight_id']}"} for row in rows(most=200)]
        s3.put_object(
            Bucket=loop.platform["LandingBucket"],
            Key=f"incoming/flights/wait{number}.csv",
            Body=as_csv(table),
        )
    loop.local.wait_idle(240)
    loop.local.clock.advance(timedelta(days=1))
    new = [run for run in loop.runs("flights") if run["run"] not in before]
    learnt = sorted(upload["key"] for run in new for upload in run["uploads"])
    assert learnt == [f"incoming/flights/wait{number}.csv" for number in range(3)]
    assert all(run["status"] == "SUCCEEDED" for run in new)
    spans = sorted((run["started"], run["ended"]) for run in new)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_law_6_a_run_whose_end_nobody_heard_of_frees_the_lock(loop: Loop) -> None:
    """The run-ended event is lost; the next sweep asks Step Functions and tidies up."""
    put = loop.local.put_event
    loop.local.put_event = lambda event, bus="default": (
        "" if event["detail-type"].startswith("Step Functions") else put(event, bus)
    )
    try:
        run = loop.upload("flights", "unheard.csv", as_csv(rows(most=200))[:-40])
    finally:
        loop.local.put_event = put
    assert run["status"] == "RUNNING"
    (lock,) = loop.items("flights", "LOCK")
    assert lock["holder"] == run["run"]
    loop.local.clock.advance(timedelta(days=1))
    (lock,) = loop.items("flights", "LOCK")
    assert lock.get("holder") is None
    (after,) = [found for found in loop.runs("flights") if found["run"] == run["run"]]
    assert after["status"] in ("SUCCEEDED", "FAILED")


def test_law_2_running_a_step_again_changes_nothing(loop: Loop) -> None:
    """Ingest is given the input of finished runs once more, of a large upload (which it divides)
    and of a small one (which it takes in): the same answers, the same store."""
    table = [row | {"flight_id": f"twice-{row['flight_id']}"} for row in rows(most=200)]
    small = loop.upload("flights", "twice.csv", as_csv(table))
    before = loop.stored("flights/")
    assert _ingest(loop, small)["accepted"] == 200
    assert _ingest(loop, loop.runs("flights")[0])["pieces"] > 1
    assert loop.stored("flights/") == before


def _ingest(loop: Loop, run: Mapping[str, Any]) -> dict[str, Any]:
    given = {"op": "ingest", "state": json.loads(run["input"]), "now": run["started"],
             "execution": run["execution"]}  # fmt: skip
    found = loop.client("lambda").invoke(
        FunctionName="driftloop-dev-flights-ingest", Payload=json.dumps(given).encode()
    )
    answer: dict[str, Any] = json.loads(found["Payload"].read())
    return answer
