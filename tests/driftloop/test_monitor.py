"""The monitor: closed windows judged once, restated when they read differently, in any order."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import ids, keys, losses
from driftloop.baseline import baseline as make_baseline
from driftloop.capture import capture
from driftloop.capture_lines import Captured, lines
from driftloop.claims import from_file
from driftloop.frame import Frame
from driftloop.labels import join
from driftloop.monitor import Monitor
from driftloop.pages.window_report import html
from driftloop.spec import Spec
from driftloop.version import Version
from driftloop.watch import Watch
from tests.driftloop.memory import Crash, Memory
from tests.driftloop.test_capture import enumerate_events

DAY = 86_400_000
FIRST = 1_359_676_800_000  # 2013-02-01T00:00Z
ROWS = 300


def version(number: int, **more: Any) -> Version:
    """As train left it, before anything was served."""
    return Version(
        version=number, candidate="c", plan_key="plan", plan_sha256="", run="r", cause="upload",
        dataset="d", frame="f", estimator="e", created="2013-02-01T00:00:00.000Z",
        spec_digest="s", code_digest="c", baseline_key="baseline", **more,
    )  # fmt: skip


VERSIONS = {1: version(1), 2: version(2, champion_at_birth=1)}


def make_spec(**monitor: Any) -> Spec:
    return Spec.parse(
        {
            "name": "toy",
            "task": "classification",
            "target": "y",
            "features": {
                "x": {"type": "number", "nullable": True},
                "c": {"type": "category", "nullable": True},
            },
            "monitor": {
                "min_rows": 100,
                "performance": {"metric": "log_loss", "tolerance": 0.1},
                **monitor,
            },
        }
    )


@lru_cache(maxsize=4)
def baseline(spec: bytes) -> bytes:
    rng = np.random.default_rng(0)
    n = 12_000
    p = rng.uniform(0.2, 0.8, n)
    frame = Frame(
        columns={"x": rng.normal(size=n), "c": rng.integers(0, 2, n).astype(np.int32)},
        vocabulary={"c": ["a", "b"]},
        target=(rng.random(n) < p).astype(np.int32),
        classes=["0", "1"],
        train=np.arange(n) < 0.7 * n,
        time=np.arange(n) * DAY // ROWS,
    )
    held = p[frame.holdout]
    value = losses.value("log_loss", frame.target[frame.holdout], held)
    assert value is not None
    made = make_baseline(frame, held, "log_loss", value, Spec.model_validate_json(spec))
    return json.dumps(made.to_json()).encode()


class World:
    """A store, a clock, traffic and the monitor."""

    def __init__(self, spec: Spec, **store: Any) -> None:
        self.spec, self.store = spec, Memory(**store)
        self.store.objects["baseline"] = baseline(spec.to_json())
        self.lines: list[dict[str, Any]] = []
        self.told: list[Watch] = []
        self.champion = 1

    def requested(
        self, day: int, rows: int = ROWS, shift: float = 0.0, version: int = 1, hour: int = 3,
        role: str = "champion", scale: float = 1.0,
    ) -> tuple[list[tuple[str, str]], list[tuple[str, float]]]:  # fmt: skip
        """A request of ``rows`` rows: its log events, and its ids with their probabilities."""
        rng = np.random.default_rng([day + 7, hour])
        ms, request = FIRST + day * DAY + hour * 3_600_000, f"{day}-{version}-{hour}"
        names = ids.prediction_ids(request, ms, rows)
        chances = rng.uniform(0.2, 0.8, rows).tolist()
        values = (scale * (rng.normal(size=rows) + shift)).tolist()
        sent = [[x, "ab"[i % 2]] for i, x in enumerate(values)]
        told = lines(Captured("toy", version, role, ms, request, ["x", "c"], names, sent,
                              chances), 1.0)  # fmt: skip
        first = (day + 10) * 10_000 + hour * 100 + version + 50 * (role == "shadow")
        return enumerate_events(told, first), list(zip(names, chances, strict=True))

    def serve(self, day: int, **how: Any) -> list[tuple[str, float]]:
        events, served = self.requested(day, **how)
        for event in events:
            capture(self.store, self.spec, [event])
        return served

    def half(self, day: int, hour: int, capture: bool = True) -> list[tuple[str, float]]:
        """A request of half of what a window needs; on the third day in another unit."""
        how = {"rows": 60, "hour": hour, "scale": 100.0 if day == 2 else 1.0}
        return self.serve(day, **how) if capture else self.requested(day, **how)[1]

    def label(self, served: list[tuple[str, float]], day: int, flip: bool = False) -> None:
        rng = np.random.default_rng(day + 77)
        truth = [int((rng.random() < p) != flip) for _, p in served]
        text = "id,y\n" + "".join(f"{i},{y}\n" for (i, _), y in zip(served, truth, strict=True))
        now = when(day)
        join(
            self.store, self.spec, from_file(self.spec, text.encode(), f"d{day}", now), [1, 2], now
        )

    def judge(self, day: int, hour: int = 2) -> list[dict[str, Any]]:
        """Run the monitor; returns what it judged. Metrics go to ``lines``."""
        self.lines.clear()
        monitor = Monitor(
            "dev", self.store, self.spec, VERSIONS, self.champion,
            emit=lambda line: self.lines.append(json.loads(line)),
            tell=self.told.append, page=html,
        )  # fmt: skip
        self.told.clear()
        answer: list[dict[str, Any]] = monitor.run(when(day, hour))["judged"]
        return answer

    def metric(self, name: str) -> list[float]:
        return [line[name] for line in self.lines if name in line]


def when(day: int, hour: int = 2) -> str:
    from driftloop.when import from_ms, iso

    return iso(from_ms(FIRST + day * DAY + hour * 3_600_000))


def test_a_window_is_judged_once_it_is_closed_and_grace_is_over() -> None:
    world = World(make_spec(grace="1h"))
    world.serve(0)
    assert world.judge(0, hour=23) == [] and world.judge(1, hour=0) == []
    (judged,) = world.judge(1, hour=1)
    assert (judged["rows"], judged["status"], judged["revision"]) == (ROWS, "judged", 1)
    assert judged["window"]["start"] == "2013-02-01T00:00:00.000Z"
    assert judged["drift_ratio"] < 1 and judged["performance_ratio"] is None
    assert world.metric("DriftRatio") == [judged["drift_ratio"]]
    assert len(world.metric("FeatureDriftRatio")) == 2
    assert {line["_aws"]["Timestamp"] for line in world.lines} == {FIRST + DAY + 3_600_000}
    assert world.judge(1, hour=3) == [] and world.lines == []


def test_what_a_shadow_scored_was_not_served() -> None:
    """Its captures are no window of its version, nor rows of one that it was promoted in."""
    world = World(make_spec(grace="1h"))
    world.serve(0)
    world.serve(0, role="shadow", version=2, shift=9.0)
    (judged,) = world.judge(1)
    assert (judged["version"], judged["rows"]) == (1, ROWS)
    world.serve(1, role="shadow", version=2, shift=9.0)
    world.serve(1, version=2, hour=5)
    (judged,) = world.judge(2)
    assert (judged["version"], judged["role"], judged["rows"]) == (2, "champion", ROWS)
    assert judged["drift_ratio"] < 1


def test_a_shift_shows_and_says_what_moved() -> None:
    world = World(make_spec())
    world.serve(0, shift=2.0)
    (judged,) = world.judge(1)
    assert judged["drift_ratio"] > 1 and judged["moved"][0] == "x"
    key = keys.window_report("toy", "2013-02-01T000000Z", 1, 1, "html")
    page = world.store.get(key).decode()
    assert "<svg" in page and ">x<" in page
    assert "http" not in page and "<script" not in page


def test_too_few_rows_say_no_data_and_no_number_law_10() -> None:
    world = World(make_spec())
    world.serve(0, rows=5)
    (judged,) = world.judge(1)
    assert (judged["status"], judged["drift_ratio"]) == ("no data", None)
    assert world.metric("DriftRatio") == [] and world.metric("WindowRows") == [5]
    assert world.judge(9) == []


def test_labels_that_come_late_make_a_revision_and_a_metric_at_publication() -> None:
    world = World(make_spec())
    served = world.serve(0)
    world.judge(1)
    world.label(served, 20)
    (judged,) = world.judge(21)
    assert (judged["revision"], judged["labelled"]) == (2, ROWS)
    assert world.metric("PerformanceRatio") == [judged["performance_ratio"]]
    assert judged["performance_ratio"] < 1
    assert world.metric("DriftRatio") == []
    assert {line["_aws"]["Timestamp"] for line in world.lines} == {FIRST + 21 * DAY + 7_200_000}
    assert world.judge(22) == []
    names = {k.rsplit("/", 1)[1] for k in world.store.list("toy/monitor/2013-02-01")}
    assert {"report.r0001.json", "report.r0002.json", "captures.jsonl.gz", "sketch.json"} < names


def test_a_flipped_world_is_bad_performance_though_inputs_are_quiet() -> None:
    world = World(make_spec())
    world.label(world.serve(0), 1, flip=True)
    (judged,) = world.judge(1)
    assert judged["performance_ratio"] > 1 > judged["drift_ratio"]


def test_captures_that_come_late_make_a_revision() -> None:
    world = World(make_spec())
    world.serve(0)
    world.judge(1)
    world.serve(0, hour=5)
    (judged,) = world.judge(1, hour=9)
    assert (judged["revision"], judged["rows"]) == (2, 2 * ROWS)


def test_only_the_present_champion_drives_the_alarms() -> None:
    world = World(make_spec())
    world.serve(0, version=1, shift=3.0)
    world.serve(0, version=2)
    world.champion = 2
    judged = world.judge(1)
    assert [j["version"] for j in judged] == [1, 2]
    assert world.metric("DriftRatio") == [judged[1]["drift_ratio"]]


def test_a_call_after_a_long_silence_catches_up_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(make_spec())
    for day in range(7):
        world.serve(day)
    monkeypatch.setattr("driftloop.monitor.MOST", 5)
    judged = [[j["window"]["start"][8:10] for j in world.judge(10, hour)] for hour in (1, 2, 3)]
    assert judged == [["03", "04", "05", "06", "07"], ["01", "02"], []]  # the present first


STEPS = [
    (kind, day) for day in (0, 1, 2) for kind in ("late", "again", "label", "restate", "judge")
]


@settings(max_examples=6, deadline=None)
@given(st.permutations(STEPS), st.lists(st.integers(1, 20), min_size=3, max_size=3))
def test_any_order_of_the_same_events_ends_in_the_same_bytes_law_2(
    steps: list[tuple[str, int]], moments: list[int]
) -> None:
    """Captures (a day or more late, or from a clock a day ahead), labels, labels restated and
    re-deliveries, judged at any moments between: the same reports, the same watch, and no window
    counted twice."""
    world, told = World(make_spec()), Counter[str]()
    served = {day: world.half(day, 3) + world.half(day, 5, capture=False) for day in (0, 1, 2)}
    for kind, day in steps:
        if kind in ("late", "again"):
            world.half(day, 5 if kind == "late" else 3)
        elif kind == "judge":
            told.update(
                f"{j['window']['start']} {j['revision']}" for j in world.judge(moments[day])
            )
        else:
            world.label(served[day], 4 if kind == "label" else 5, flip=kind == "label")
    for day in (0, 1, 2):  # labels that came before their captures wait for the next look
        world.label(served[day], 4, flip=True)
        world.label(served[day], 5)
    told.update(f"{j['window']['start']} {j['revision']}" for j in world.judge(60))
    assert max(told.values()) == 1
    assert contents(world) == contents(orderly()) and world.told == orderly().told
    assert world.judge(61) == [] and world.lines == []
    before = dict(world.store.objects)
    world.judge(61)
    assert world.store.objects == before


@lru_cache
def orderly() -> World:
    """Everything came in time; judged once."""
    world = World(make_spec())
    for day in (0, 1, 2):
        served = world.half(day, 3) + world.half(day, 5)
        world.label(served, 4, flip=True)
        world.label(served, 5)
    world.judge(60)
    return world


def contents(world: World) -> dict[str, Any]:
    """The last report of each window, without its number; its frozen captures and sketches; what
    is not to be learned from."""
    found: dict[str, Any] = {}
    for key in world.store.list("toy/monitor/"):
        folder, name = key.rsplit("/", 1)
        if name.endswith(".json") and name.startswith("report"):
            found[folder] = {**json.loads(world.store.get(key)), "revision": None}
        elif name == "captures.jsonl.gz":
            found[key] = gzip.decompress(world.store.get(key))
        elif name in ("sketch.json", "quarantined.json"):
            found[key] = json.loads(world.store.get(key))
    return found


def test_from_any_crash_point_the_next_call_gives_the_same_store_and_loses_no_metric() -> None:
    whole = World(make_spec())
    whole.label(whole.serve(0), 1)
    before = len(whole.store.writes)
    whole.judge(1)
    writes = len(whole.store.writes) - before
    said = whole.lines[:]
    for point in range(writes):
        world = World(make_spec())
        world.label(world.serve(0), 1)
        world.store.crash_at = len(world.store.writes) + point
        with pytest.raises(Crash):
            world.judge(1)
        world.store.crash_at = None
        world.judge(1)
        assert world.lines == said
        assert world.store.objects == whole.store.objects
