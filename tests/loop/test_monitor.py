"""The monitor in its place: a day of traffic, judged alike however it is asked and what is late."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

from driftloop import keys
from driftloop.capture_lines import Captured, lines
from driftloop.ids import prediction_ids
from driftloop.when import iso, to_ms
from tests.loop.conftest import Loop, instance, rows

HALF = 130  # of what a window needs, and some


def test_law_2_a_window_is_the_same_whenever_and_however_often_it_is_judged(loop: Loop) -> None:
    """A day is served; some of its captures come days late; labels come at last. The scheduled
    calls, and others out of turn and order, each restate what is new and nothing else."""
    table = rows(most=12_000)[::46]  # as trained on: nothing drifts
    today = loop.local.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    loop.local.clock.advance_to(today + timedelta(days=1, hours=9))
    day = today + timedelta(days=1)
    answer = loop.predict("flights", [instance(row) for row in table[:HALF]])
    version, served = answer.body["version"], answer.body["predictions"]
    loop.local.clock.advance_to(day + timedelta(days=2, hours=2))
    (first,) = reports(loop, day)
    assert (first["rows"], first["status"], first["revision"]) == (HALF, "no data", 1)

    late = capture_late(loop, to_ms(day) + 3_600_000, version, table[HALF:], served)
    now = loop.local.clock.now()
    for moment in (now, now - timedelta(days=1), now, now - timedelta(hours=20)):
        invoke(loop, "monitor", {"time": iso(moment)})
    (second,) = reports(loop, day)
    assert (second["rows"], second["status"], second["revision"]) == (len(table), "judged", 2)
    assert 0 < second["drift_ratio"] < 1 and second["diagnosis"] is None
    assert second["performance"]["estimate"]["value"] > 0
    watch = loop.items("flights", keys.WATCH, keys.watch_pk("flights"))[0]
    assert (watch["version"], watch["window"]) == (version, iso(day))
    assert float(watch["drift_ratio"]) == second["drift_ratio"]

    names = [prediction["id"] for prediction in served] + late
    told = zip(names, table, strict=True)
    text = "id,late\n" + "".join(f"{name},{row['late']}\n" for name, row in told)
    loop.put(keys.label_file("flights", "monitored.csv"), text.encode())
    assert invoke(loop, "monitor", {"time": iso(now)})["judged"][0]["labelled"] == len(table)
    (third,) = reports(loop, day)
    assert third["revision"] == 3 and third["performance"]["ratio"] < 1
    assert third["features"] == second["features"]
    before = loop.stored("flights/monitor/")
    assert invoke(loop, "monitor", {"time": iso(now)}) == {"judged": [], "left": 0}
    assert loop.stored("flights/monitor/") == before


def reports(loop: Loop, day: Any) -> list[dict[str, Any]]:
    """Of the window: each version's last."""
    found = {}
    for key in sorted(loop.stored(keys.monitor("flights", f"{day:%Y-%m-%dT%H%M%SZ}"))):
        folder, _, name = key.rpartition("/")
        if name.startswith("report") and name.endswith(".json"):
            found[folder] = json.loads(loop.store(key))
            assert loop.store(key.replace(".json", ".html"))
    return list(found.values())


def capture_late(
    loop: Loop, ms: int, version: int, table: list[dict[str, str]], like: list[dict[str, Any]]
) -> list[str]:
    """Log lines of ``ms`` that reach the capture function only now, twice."""
    sent = [instance(row) for row in table]
    columns = [*sent[0]]
    names = prediction_ids("late", ms, len(sent))
    chances = [like[i % len(like)]["probability"] for i in range(len(sent))]
    values = [[row[column] for column in columns] for row in sent]
    told = lines(
        Captured("flights", version, "champion", ms, "late", columns, names, values, chances), 1.0
    )
    batch = {
        "messageType": "DATA_MESSAGE",
        "logEvents": [{"id": f"{i:056d}", "message": line} for i, line in enumerate(told)],
    }
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    for _ in range(2):
        assert invoke(loop, "capture", {"awslogs": {"data": data}})["captured"] == len(sent)
    return names


def invoke(loop: Loop, stage: str, event: dict[str, Any]) -> dict[str, Any]:
    found = loop.client("lambda").invoke(
        FunctionName=f"driftloop-dev-flights-{stage}", Payload=json.dumps(event).encode()
    )
    answer: dict[str, Any] = json.loads(found["Payload"].read())
    assert "FunctionError" not in found, answer
    loop.local.wait_idle(60)
    return answer
