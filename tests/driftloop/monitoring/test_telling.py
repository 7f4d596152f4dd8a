"""What the monitor makes of windows: who is asked, what goes out, and what it does without."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftloop import captured, emf, keys, losses
from driftloop.baseline import Baseline
from driftloop.claims import from_file
from driftloop.labels import join
from driftloop.monitoring.earlier import row_losses
from driftloop.plan import load, schema
from driftloop.realised import Labelled, performance
from driftloop.spec import Spec
from driftloop.wire.attribute import encode
from tests.driftloop import test_monitor
from tests.driftloop.plans import number
from tests.driftloop.test_monitor import DAY, FIRST, ROWS, World, make_spec, version, when

OLD = json.dumps({"format": "driftloop.baseline/2"}).encode()


def test_an_alarm_of_several_windows_is_told_as_one_number() -> None:
    world = World(make_spec(alarm="2 of 3"))
    ratios = []
    for day, shift in enumerate([2.0, 0.0, 3.0, 0.0, 0.0]):
        world.serve(day, shift=shift)
        world.judge(day + 1)
        ratios.append(world.metric("DriftRatio"))
        assert len(world.metric("FeatureDriftRatio")) == 2
    assert ratios[0] == []  # two are needed
    assert [each[0] > 1 for each in ratios[1:]] == [False, True, False, False]
    (watch,) = world.told
    assert watch.since == "" and watch.drift_ratio == ratios[-1][0]


def test_windows_that_are_judged_together_are_told_as_of_the_newest() -> None:
    world = World(make_spec())
    for day, shift in enumerate([3.0, 3.0, 0.0]):
        world.label(world.serve(day, shift=shift), 4)
    judged = world.judge(5)
    assert [j["drift_ratio"] > 1 for j in judged] == [True, True, False]
    for name in ("DriftRatio", "PerformanceRatio", "WindowRows", "RealisedPerformance",
                 "PromisedPerformance", "LabelledRows"):  # fmt: skip
        assert len(world.metric(name)) == 1, name
    assert world.metric("DriftRatio") == [judged[2]["drift_ratio"]]
    assert len(world.metric("FeatureDriftRatio")) == 2
    (watch,) = world.told
    assert (watch.since, watch.kind) == ("", None)


def test_the_watch_is_told_again_and_follows_the_champion() -> None:
    """A call that died after it judged told nobody; the next one does."""
    world = World(make_spec())
    world.serve(0, shift=3.0)
    world.serve(0, version=2, hour=5)
    world.judge(1)
    (first,) = world.told
    assert (first.version, bool(first.since)) == (1, True)
    world.judge(1, hour=3)
    assert world.told == [first] and world.lines == []
    world.champion = 2
    world.judge(1, hour=4)
    assert [(w.version, w.since) for w in world.told] == [(2, "")]


@pytest.mark.parametrize("left", [OLD, None])
def test_a_version_without_readable_thresholds_is_skipped_by_name(left: bytes | None) -> None:
    world = World(make_spec())
    document = world.store.objects.pop("baseline")
    if left is not None:
        world.store.objects["baseline"] = left
    world.serve(0)
    (judged,) = world.judge(1)
    assert (judged["status"], judged["drift_ratio"], judged["rows"]) == (
        "no thresholds",
        None,
        ROWS,
    )
    assert world.told == [] and world.metric("WindowRows") == [ROWS]
    key = keys.window_report("toy", "2013-02-01T000000Z", 1, 1, "json")
    text = json.loads(world.store.get(key))["text"]
    assert text.startswith("Version 1 cannot be judged:") and "Retrain" in text
    world.store.objects["baseline"] = document
    world.serve(1)
    assert [j["status"] for j in world.judge(2)] == ["judged"]


def test_what_is_redacted_is_no_missing_source() -> None:
    spec = make_spec()
    hidden = spec.model_copy(update={"capture": spec.capture.model_copy(update={"redact": ["x"]})})
    world = World(spec)
    world.spec = hidden
    world.serve(0)
    for key in list(world.store.list("toy/captures/")):
        records = [{**r, "features": {**r["features"], "x": None}}
                   for r in captured.read(world.store, [key])]  # fmt: skip
        world.store.put(key, captured.pack(records))
    (judged,) = world.judge(1)
    assert judged["moved"] == ["c"] and judged["drift_ratio"] < 1


def plan(slope: float, classes: tuple[str, str] = ("0", "1")) -> bytes:
    """``logistic(slope · x)``."""
    return schema.dump(
        {
            "format": schema.FORMAT, "task": "classification", "classes": list(classes),
            "inputs": [number("x", nullable=True)], "precision": "float64", "interval": None,
            "model": {"kind": "linear", "link": "logistic", "intercept": [0.0],
                      "weights": [[slope]], "background": None},
        }
    )  # fmt: skip


def released_badly(world: World) -> None:
    """Version 2 guesses, though x says it all."""
    world.champion = 2
    for hour in range(12):
        world.serve(0, version=2, rows=50, hour=hour)
    rng = np.random.default_rng(5)
    served = list(captured.read(world.store, world.store.list("toy/captures/")))
    truth = {r["id"]: int(rng.random() < 1 / (1 + np.exp(-3 * r["features"]["x"]))) for r in served}
    text = "id,y\n" + "".join(f"{name},{y}\n" for name, y in truth.items())
    claims = from_file(world.spec, text.encode(), "truth", when(1))
    join(world.store, world.spec, claims, [1, 2], when(1))


def test_a_release_is_compared_with_who_answered_before(monkeypatch: pytest.MonkeyPatch) -> None:
    world, data = World(make_spec()), plan(3.0)
    world.store.put("plan", data)
    first = replace(version(1), plan_sha256=schema.digest(data))
    monkeypatch.setattr(test_monitor, "VERSIONS", {1: first, 2: version(2, champion_at_birth=1)})
    released_badly(world)
    (judged,) = world.judge(1)
    assert judged["performance_ratio"] > 1 and judged["diagnosis"] == "bad_release"
    (watch,) = world.told
    assert (watch.action, watch.since) == ("roll_back", "2013-02-01T00:00:00.000Z")


@pytest.mark.parametrize("left", ["gone", "swapped", "no champion before"])
def test_without_the_plan_of_before_nothing_is_said_of_it_law_7(
    left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(make_spec())
    if left == "swapped":
        world.store.put("plan", plan(3.0))
    before = None if left == "no champion before" else 1
    first = replace(version(1), plan_sha256="0" * 64)
    versions = {1: first, 2: version(2, champion_at_birth=before)}
    monkeypatch.setattr(test_monitor, "VERSIONS", versions)
    released_badly(world)
    (judged,) = world.judge(1)
    assert judged["performance_ratio"] > 1 and judged["diagnosis"] not in ("bad_release", None)


def test_losses_of_before_are_of_the_same_rows() -> None:
    spec = make_spec()
    records = [{"id": f"{i:036d}", "features": {"x": x}, "prediction": 0.5}
               for i, x in enumerate([-1.0, 0.0, None, 2.0])]  # fmt: skip
    base = Baseline.from_json(json.loads(test_monitor.baseline(spec.to_json())))
    labelled = Labelled(records, np.array([0.0, 1.0, 0.0, 1.0]))
    found = row_losses(load(plan(1.0)), spec, base, labelled)
    chances = 1 / (1 + np.exp(-np.array([-1.0, 0.0, 0.0, 2.0])))
    assert found == pytest.approx(losses.row_losses("log_loss", labelled.truth, chances))
    assert row_losses(load(plan(1.0, ("a", "b"))), spec, base, labelled) is None
    hidden = spec.model_copy(update={"capture": spec.capture.model_copy(update={"redact": ["x"]})})
    assert row_losses(load(plan(1.0)), hidden, base, labelled) is None


def test_of_a_very_large_window_a_fair_sample_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("driftloop.monitor.SAMPLE", 200)
    worlds = []
    for hours in ([1, 2, 3], [3, 1, 2, 1]):
        world = World(make_spec())
        for hour in hours:
            world.serve(0, hour=hour)
        (judged,) = world.judge(1)
        assert judged["rows"] == 200
        worlds.append(world)
    frozen = keys.monitor("toy", "2013-02-01T000000Z", "v000001/captures.jsonl.gz")
    one, other = (gzip.decompress(world.store.get(frozen)) for world in worlds)
    assert one == other
    hours_seen = {
        captured.id_ms(json.loads(line)["id"]) // captured.HOUR for line in one.splitlines()
    }
    assert len(hours_seen) == 3


def test_rows_that_are_looked_at_for_reasons_are_a_stable_sample() -> None:
    names = [f"{i:08x}-0000-7000-8000-0000{i * 2654435761 % 2**32:08x}" for i in range(50)]
    records: list[dict[str, Any]] = [{"id": name, "prediction": 0.5} for name in sorted(names)]
    whole = Labelled(records, np.arange(50.0))
    assert whole.some(50) is whole
    few, more = whole.some(10), whole.some(20)
    assert [r["id"] for r in few.records] == sorted(r["id"] for r in few.records)
    assert {r["id"] for r in few.records} < {r["id"] for r in more.records}
    assert all(records[int(t)] is r for r, t in zip(few.records, few.truth, strict=True))


def test_the_list_of_windows_not_to_learn_from_is_kept_and_taken_back() -> None:
    world = World(make_spec())
    served = world.serve(0, scale=100.0)
    world.judge(1)
    key = keys.quarantined_windows("toy")
    assert json.loads(world.store.get(key)) == [[FIRST, FIRST + DAY, 1]]
    world.label(served, 2)
    world.judge(3)
    assert json.loads(world.store.get(key)) == [[FIRST, FIRST + DAY, 1]]
    policy = world.spec.retrain.policy.model_copy(update={"unit_bug": "tell"})
    retrain = world.spec.retrain.model_copy(update={"policy": policy})
    world.spec = world.spec.model_copy(update={"retrain": retrain})
    world.serve(0, hour=5, rows=1, scale=100.0)  # looked at again, under the new policy
    world.judge(4)
    assert json.loads(world.store.get(key)) == []


def test_numbers_beyond_bounds_are_no_numbers_law_10() -> None:
    """Features at the end of what a float holds drift by some finite ratio; labels that cannot be
    squared have no loss."""
    world = World(make_spec())
    world.serve(0, scale=1e307)
    (judged,) = world.judge(1)
    assert 1 < judged["drift_ratio"] < 1e9
    spec = Spec.parse(
        {"name": "toy", "task": "regression", "target": "y", "features": {"x": {"type": "number"}},
         "monitor": {"min_rows": 1}}
    )  # fmt: skip
    base = replace(
        Baseline.from_json(json.loads(test_monitor.baseline(make_spec().to_json()))),
        classes=None, metric="rmse", value=1.0,
    )  # fmt: skip
    records = [{"id": f"{i:036d}", "features": {"x": 0.0}, "prediction": 1.0} for i in range(3)]
    labelled = Labelled.of(records, {records[0]["id"]: 1e300, records[1]["id"]: 2.0}, None)
    found = performance(spec, base, records, labelled)
    assert (found["rows"], found["value"], found["ratio"]) == (2, None, None)


def test_a_loss_that_the_registry_cannot_hold_is_none_law_10() -> None:
    """DynamoDB's numbers end at 1e126: one such label would stop the monitor for good."""
    spec = Spec.parse(
        {"name": "toy", "task": "regression", "target": "y", "features": {"x": {"type": "number"}},
         "monitor": {"min_rows": 1}}
    )  # fmt: skip
    base = replace(
        Baseline.from_json(json.loads(test_monitor.baseline(make_spec().to_json()))),
        classes=None, metric="mae", value=0.0, deviation=0.0,
    )  # fmt: skip
    records = [{"id": f"{i:036d}", "features": {"x": 0.0}, "prediction": 1.0} for i in range(3)]
    for label, told in [(1e98, True), (1e100, False), (1e300, False)]:
        labelled = Labelled.of(records, {records[0]["id"]: label}, None)
        ratio = performance(spec, base, records, labelled)["ratio"]
        assert (ratio is not None) is told
        if told:
            emf.line("dev", 0, {}, {"PerformanceRatio": (ratio, "None")})
            assert 1.0 < ratio < 2.0**360 and encode(ratio)


def test_a_window_of_another_length_supersedes_what_was_said_of_its_beginning() -> None:
    """Two lengths share names of windows: the newest revision is to be the newest word."""
    world = World(make_spec(grace="1h"))
    world.serve(0)
    world.judge(1)
    world.serve(0, hour=9)
    world.judge(2)
    world.spec = make_spec(grace="1h", window="12h")
    (short,) = world.judge(2, hour=4)
    assert short["window"]["start"] == "2013-02-01T00:00:00.000Z"
    assert (short["rows"], short["revision"]) == (2 * ROWS, 3)


def test_what_is_read_bounds_a_call_not_what_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a call that met many large windows would run out of time, and the next one as well."""
    monkeypatch.setattr("driftloop.monitor.SAMPLE", 100)
    monkeypatch.setattr("driftloop.monitor.MOST_ROWS", 2 * ROWS)
    world = World(make_spec())
    for day in range(3):
        world.serve(day)
    assert [len(world.judge(4, hour)) for hour in (1, 2, 3)] == [2, 1, 0]


def test_a_quarantine_outlives_what_the_monitor_remembers_of_it() -> None:
    """Another length of windows, or a state that is lost: only a look at it again takes it back."""
    world = World(make_spec(grace="1h"))
    world.serve(0, scale=100.0)
    world.judge(1)
    key = keys.quarantined_windows("toy")
    mark = [FIRST, FIRST + DAY, 1]
    assert json.loads(world.store.get(key)) == [mark]
    world.spec = make_spec(grace="1h", window="12h")
    world.judge(1, hour=4)
    assert mark in json.loads(world.store.get(key))


def test_short_windows_of_a_day_read_its_labels_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(make_spec(grace="1h", window="6h"))
    for hour in (1, 7, 13, 19):
        world.label(world.serve(0, hour=hour), 2)
    read, get = [], world.store.get
    monkeypatch.setattr(world.store, "get", lambda key, *a: read.append(key) or get(key, *a))
    assert [j["labelled"] for j in world.judge(3)] == [ROWS] * 4
    labels = [key for key in read if "/labels/" in key]
    assert labels and len(labels) == len({*labels})


def test_too_few_labels_are_no_alarm_and_no_drift_of_labels() -> None:
    world = World(make_spec())
    world.label(world.serve(0)[:99], 1, flip=True)
    (judged,) = world.judge(1)
    assert (judged["labelled"], judged["performance_ratio"]) == (99, None)
    assert judged["diagnosis"] is None and world.metric("PerformanceRatio") == []
    key = keys.window_report("toy", "2013-02-01T000000Z", 1, 1, "json")
    report = json.loads(world.store.get(key))
    assert report["target"] is None and report["performance"]["value"] is not None
