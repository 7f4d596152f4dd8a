"""Capture: every served row in the hour of its id, once, however the log is delivered."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import capture_lines, captured, ids, keys
from driftloop.capture import capture, unpack
from driftloop.errors import BadRequest
from driftloop.spec import Spec
from tests.driftloop.memory import Memory

START = 1_359_680_400_000  # 2013-02-01T01:00Z

SPEC = Spec.parse(
    {
        "name": "toy",
        "task": "classification",
        "target": "y",
        "key": "id",
        "features": {
            "x": {"type": "number", "nullable": True},
            "c": {"type": "category", "nullable": True},
        },
    }
)


def served(request: str, ms: int, rows: list[list[Any]], version: int = 1, role: str = "champion",
           predictions: list[Any] | None = None) -> list[str]:  # fmt: skip
    """The log lines of one answered request."""
    return capture_lines.lines(
        capture_lines.Captured(
            model="toy",
            version=version,
            role=role,
            time=ms,
            request=request,
            columns=["x", "c", "id"],
            ids=ids.prediction_ids(request, ms, len(rows)),
            rows=rows,
            predictions=predictions or [0.25] * len(rows),
        ),
        1.0,
    )


def everything(store: Memory) -> list[dict[str, Any]]:
    objects = [k for k in store.objects if "/version=" in k]
    return captured.once(captured.read(store, objects))


def awslogs(*messages: str, kind: str = "DATA_MESSAGE") -> str:
    body = {
        "messageType": kind,
        "logEvents": [{"id": str(i), "timestamp": 0, "message": m} for i, m in enumerate(messages)],
    }
    return base64.b64encode(gzip.compress(json.dumps(body).encode())).decode()


def test_a_log_batch_is_unpacked_and_a_probe_is_empty() -> None:
    assert unpack(awslogs("a", "b")) == [("0", "a"), ("1", "b")]
    assert unpack(awslogs("probe", kind="CONTROL_MESSAGE")) == []
    for bad in ("%%%", base64.b64encode(b"no gzip").decode(), awslogs("x")[:40]):
        with pytest.raises(BadRequest):
            unpack(bad)


def test_rows_go_to_the_version_day_and_hour_of_their_ids() -> None:
    store = Memory()
    lines = [
        *served("r1", START, [[1.5, "a", "k1"], [None, None, None]]),
        *served("r2", START + 3_600_000, [[2, "b", "k2"]], version=2, role="challenger"),
    ]
    answer = capture(store, SPEC, list(enumerate_events(lines)))
    assert (answer["captured"], answer["malformed"]) == (3, 0)
    assert [key.rsplit("/", 1)[0] for key in answer["objects"]] == [
        "toy/captures/version=000001/dt=2013-02-01/hour=01",
        "toy/captures/version=000002/dt=2013-02-01/hour=02",
    ]
    first, second, third = everything(store)
    assert first["features"] == {"x": 1.5, "c": "a"} and first["key"] == "k1"
    assert second["features"] == {"x": None, "c": None} and "key" not in second
    assert (third["version"], third["role"], third["request"]) == (2, "challenger", "r2")


def enumerate_events(lines: list[str], start: int = 0) -> list[tuple[str, str]]:
    return [(f"{start + i:056d}", line) for i, line in enumerate(lines)]


@pytest.mark.parametrize(
    "line",
    [
        "START RequestId: 1",
        "[1]",
        "null",
        '{"capture":1,"model":"other"}',
        '{"capture":1,"model":"toy","version":1}',
        '{"capture":1,"model":"toy","version":"1","columns":[],"ids":[],"rows":[],"predictions":[]}',
    ],
)
def test_a_malformed_line_is_counted_and_kept_aside(line: str) -> None:
    store = Memory()
    good = served("r", START, [[1, "a", "k"]])
    answer = capture(store, SPEC, enumerate_events([line, *good]))
    assert (answer["captured"], answer["malformed"]) == (1, 1)
    (key,) = store.list(keys.malformed_captures("toy", ""))
    assert json.loads(gzip.decompress(store.get(key)))["message"] == line


@pytest.mark.parametrize("change", [("0.25", "NaN"), ("0.25", "1e999"), ("0.25", "null"),
                                    ('"ids":["0', '"ids":["x')])  # fmt: skip
def test_a_line_with_a_number_that_is_none_is_malformed_law_10(change: tuple[str, str]) -> None:
    (line,) = served("r", START, [[1, "a", "k"]])
    answer = capture(Memory(), SPEC, enumerate_events([line.replace(*change)]))
    assert (answer["captured"], answer["malformed"]) == (0, 1)


def test_the_same_batch_again_is_the_same_object_with_the_same_bytes_law_2() -> None:
    store = Memory()
    events = enumerate_events(served("r", START, [[i, "a", f"k{i}"] for i in range(50)]))
    capture(store, SPEC, events)
    before = dict(store.objects)
    capture(store, SPEC, events)
    assert store.objects == before


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30), st.integers(1, 3)), min_size=1),
    st.randoms(use_true_random=False),
)
def test_any_batching_and_repetition_gives_each_row_once(
    requests: list[tuple[int, int, int]], chance: Any
) -> None:
    lines = [
        line
        for n, (hour, rows, version) in enumerate(requests)
        for line in served(
            f"r{n}", START + hour * 3_600_000 + n, [[i, "a", None] for i in range(rows)], version
        )
    ]
    events = enumerate_events(lines)
    store = Memory()
    for _ in range(3):
        chance.shuffle(events)
        cut = chance.randint(0, len(events))
        capture(store, SPEC, events[:cut])
        capture(store, SPEC, events[cut:])
    records = everything(store)
    assert len(records) == sum(rows for _, rows, _ in requests)
    for key in store.objects:
        for record in captured.read(store, [key]):
            hour = captured.hour_of(key)
            assert ids.id_ms(record["id"]) // captured.HOUR == hour
            assert f"version={record['version']:06d}" in key
