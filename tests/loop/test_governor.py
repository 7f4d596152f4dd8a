"""Causes and runs: one effect per cause, one writer, nothing lost."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

from driftloop.arrived import Arrived
from driftloop.ledger import Audit
from driftloop.route import Served, promoted
from driftloop.watch import Watch
from driftloop.when import iso
from tests.loop.challengers import Desk
from tests.loop.conftest import Loop, as_csv, instance, rows


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


def test_laws_3_and_4_a_storm_of_alarms_is_one_run_and_one_that_stands_is_retried_then_silent(
    loop: Loop,
) -> None:
    """``probation`` has no rows, so that its runs fail: at once, and every time."""
    model, alarm = "probation", "driftloop-dev-probation-drift"
    with Desk(loop, model).registry() as registry:
        registry.arrive(model, Arrived(iso(loop.local.clock.now())))
        flaps = [_alarm(loop, model, cause, minute) for minute in range(25)
                 for cause in ("drift", "performance")]  # fmt: skip
        storm = flaps * 2
        random.Random(3).shuffle(storm)
        for event in storm:
            loop.local.put_event(event)
        loop.local.wait_idle(120)
        told = [row for row in registry.ledger(model) if row.kind == "alarm"]
        assert len(loop.runs(model)) == 1
        mine = [row for row in told if "+" not in row.delivery]
        assert len(mine) == 100 and all(len(row.reason) > 15 for row in mine)
        assert Counter(row.decision for row in mine)["started"] == 1
        (run,) = loop.runs(model)
        assert run["outcome"] == "failed" and registry.breaker(model).failed == 1

        set_state = loop.client("cloudwatch").set_alarm_state
        set_state(AlarmName=alarm, StateValue="ALARM", StateReason="it stands")
        starts = []
        for _ in range(8):  # sweeps come every six hours
            loop.local.clock.advance(timedelta(hours=6))
            loop.local.wait_idle(60)
            starts.append(len(loop.runs(model)))
        set_state(AlarmName=alarm, StateValue="OK", StateReason="seen")
        rows = list(registry.ledger(model))
    # after six hours, after twice that, and no more: three runs failed
    first, second = starts.index(2), starts.index(3)
    assert starts[-1] == 3 and second - first == 2
    assert [row.run[-1] for row in reversed(rows) if row.kind == "sweep" and row.run] == ["2", "3"]
    (called,) = [row for row in rows if row.escalated]
    assert "giving up after 3 runs" in called.notice["subject"]


def test_law_6_a_bad_release_is_taken_back_without_a_run(loop: Loop) -> None:
    """A version released in the ordinary way is diagnosed as one that should not have been."""
    desk, row = Desk(loop, "flights"), instance(rows(most=1)[0])
    good = desk.route().champion
    number = desk.register(loop.store(good.key))
    with desk.registry() as registry:
        route, now, before = desk.route(), desk.now(), len(loop.runs("flights"))
        version = registry.version("flights", number)
        bad = Served(number, version.plan_key, version.plan_sha256)
        audit = Audit(now, "promote", "release", "by hand", good.version, number)
        registry.move_route("flights", route, promoted(route, bad, now), audit)
        assert desk.send([row])[0]["version"] == number
        registry.put_watch("flights", Watch(
            number, now, now, now, 0.4, 3.1, "bad_release", "roll_back",
            f"Version {good.version} answers the same rows clearly better.",
        ))  # fmt: skip
        for _ in range(2):
            loop.local.put_event(_alarm(loop, "flights", "performance", 0))
        loop.local.wait_idle(60)
        (row_of_it,) = [r for r in registry.ledger("flights") if r.decision == "rolled_back"]
        assert next(registry.audit("flights")).action == "rollback"
    assert desk.route().champion == good and len(loop.runs("flights")) == before
    assert f"rolled back to version {good.version}" in row_of_it.notice["subject"]
    assert desk.send([row])[0]["version"] == good.version


def _alarm(loop: Loop, model: str, cause: str, minute: int) -> dict[str, Any]:
    """As CloudWatch says that an alarm went off, some minutes ago."""
    moment = loop.local.clock.now() - timedelta(minutes=minute)
    name = f"driftloop-dev-{model}-{cause}"
    state = {"value": "ALARM", "reason": "x", "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S.000+0000}"}
    return {
        "version": "0", "id": f"{name}-{minute}", "source": "aws.cloudwatch",
        "detail-type": "CloudWatch Alarm State Change", "account": "123456789012",
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "region": "us-east-1", "resources": [],
        "detail": {"alarmName": name, "state": state, "previousState": {"value": "OK"}},
    }  # fmt: skip
