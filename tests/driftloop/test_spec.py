"""The spec: every mistake with its path, what was found, and the nearest valid name."""

from __future__ import annotations

import copy
import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import SpecError
from driftloop.spec import MAX_BYTES, Spec, format_duration, parse_duration
from tests.conftest import FLIGHTS

SMALL: dict[str, Any] = {
    "name": "demo",
    "task": "classification",
    "target": "late",
    "time": "at",
    "key": "flight",
    "features": {
        "hour": {"type": "number", "min": 0, "max": 23},
        "carrier": {"type": "category"},
    },
}


def small(**parts: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SMALL), **parts}


def refusal(raw: object) -> list[str]:
    with pytest.raises(SpecError) as caught:
        Spec.parse(raw, "s.yaml")
    return str(caught.value).split("\n")


def test_the_worked_example_is_right() -> None:
    spec = Spec.load(FLIGHTS)
    assert spec.name == "flights"
    assert (spec.target, spec.time, spec.key) == ("late", "sched_dep", "flight_id")
    assert "month" not in spec.features


def test_defaults_are_filled_in() -> None:
    spec = Spec.parse(SMALL)
    assert spec.metric == "log_loss"
    assert spec.estimators == ["hist_gradient_boosting", "logistic_regression"]
    assert spec.columns == ["hour", "carrier", "late", "at", "flight"]
    assert spec.monitor.window == timedelta(days=1)
    assert Spec.parse(small(task="regression")).estimators[1] == "linear_regression"


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        # unknown names, and the nearest right one
        ({"targt": "x"}, "targt: unknown key; did you mean 'target'?"),
        ({"trials": 3}, "trials: unknown key; did you mean 'training.trials'?"),
        ({"training": {"trails": 3}}, "training.trails: unknown key; did you mean 'trials'?"),
        ({"monitor": {"performance": {"metric": "f1", "tolerence": 1}}},
         "monitor.performance.tolerence: unknown key; did you mean 'tolerance'?"),
        ({"task": "clasification"},
         "task: 'clasification' is not valid; did you mean 'classification'?"),
        ({"training": {"estimators": ["random_florest"]}},
         "training.estimators.0: 'random_florest' is not valid; did you mean 'random_forest'?"),
        ({"training": {"metric": "logloss"}},
         "training.metric: 'logloss' is not valid; did you mean 'log_loss'?"),
        ({"gates": {"metrics": {"auc": ">= 0.6"}}},
         "gates.metrics.auc: 'auc' is not valid; did you mean 'roc_auc'?"),
        ({"gates": {"slices": ["carier"]}},
         "gates.slices: 'carier' is no feature; did you mean 'carrier'?"),
        ({"capture": {"redact": ["flihgt"]}},
         "capture.redact: 'flihgt' is no column; did you mean 'flight'?"),
        ({"features": {"hour": {"type": "numeric"}}},
         "features.hour.type: 'numeric' is not valid; did you mean 'number'?"),
        ({"features": {"hour": {"type": "number", "nulable": True}}},
         "features.hour.nulable: unknown key; did you mean 'nullable'?"),
        # wrong values
        ({"name": "Flights"}, "name: 'Flights' is no name; write a small letter, then small "
         "letters, digits or hyphens, 31 at most"),
        ({"name": "a-"}, "name: 'a-' is no name; write a small letter, then small "
         "letters, digits or hyphens, 31 at most"),
        ({"features": {}}, "features: {}: dictionary should have at least 1 item after "
         "validation, not 0"),
        ({"features": {"hour": None}}, "features.hour: None: should be a mapping of keys"),
        ({"features": {"a\nb": {"type": "number"}}}, "features.a\\nb: 'a\\nb' is no column; no "
         "space around it and no line end in it"),
        ({"features": ["hour"]}, "features: ['hour']: should be a mapping of keys"),
        ({"training": {"trials": "8"}}, "training.trials: '8': input should be a valid integer"),
        ({"training": {"trials": True}}, "training.trials: True: input should be a valid integer"),
        ({"training": {"trials": 0}},
         "training.trials: 0: input should be greater than or equal to 1"),
        ({"data": {"holdout": 1.0}}, "data.holdout: 1.0: input should be less than 1"),
        ({"data": {"reject_above": math.nan}},
         "data.reject_above: nan: input should be a finite number"),
        ({"monitor": {"window": "1 fortnight"}}, "monitor.window: '1 fortnight' is no duration; "
         "write a whole number and s, m, h, d or w, like 10m"),
        ({"monitor": {"window": 600}}, "monitor.window: 600 has no unit; write s, m, h, d or w "
         "behind the number, like 10m"),
        ({"monitor": {"window": "90s"}}, "monitor.window: '90s' should be whole minutes, one at "
         "least, since a schedule keeps it"),
        ({"release": {"bake": "999999999w"}}, "release.bake: '999999999w' is over ten years"),
        ({"release": {"bake": "10d"}}, "release.bake: 1 step of up to 3 bakes of 10d may take 30 "
         "days; a run lasts 28"),
        ({"release": {"strategy": "linear", "share": 0.06, "bake": "1d"}}, "release.bake: 16 steps "
         "of up to 3 bakes of 1d may take 48 days; a run lasts 28"),
        ({"release": {"strategy": "linear", "share": 0.04}}, "release.share: 0.04 is under 0.05; "
         "that is too many steps"),
        ({"release": {"strategy": "shadow", "share": 0.2}},
         "release.share: has no meaning with strategy shadow"),
        ({"release": {"strategy": "all_at_once", "unseen": "promote"}},
         "release.unseen: has no meaning with strategy all_at_once"),
        ({"monitor": {"alarm": "3 of 2"}}, "monitor.alarm: '3 of 2' is no alarm; write how many "
         "of how many windows, like 2 of 3 (30 at most)"),
        ({"monitor": {"statistics": ["psy"]}}, "monitor.statistics.0: 'psy' is not valid; "
         "did you mean 'psi'?"),
        ({"monitor": {"statistics": ["kolmogorov_smirnov"]}}, "monitor.statistics: none of them "
         "suits a category (carrier); add psi, say"),
        ({"monitor": {"statistics": ["psi", "psi"]}}, "monitor.statistics: 'psi' stands there "
         "twice"),
        ({"monitor": {"false_alarms": "0/year"}}, "monitor.false_alarms: '0/year' is no budget; "
         "write how many a day, week, month or year, like 4/year"),
        ({"gates": {"metrics": {"f1": "0.6"}}}, "gates.metrics.f1: '0.6' is no rule; write a "
         "comparison and a number, like '>= 0.6'"),
        ({"target": " late"}, "target: ' late' is no column; no space around it and no line end "
         "in it"),
        ({"features": {"c": {"type": "category", "categories": ["NO", False]}}},
         "features.c.categories.1: False: YAML reads a bare yes, no, on or off as a truth; put it "
         "in quotes"),
        # contradictions
        ({"target": "hour"}, "features.hour: is the target, and so cannot be a feature"),
        ({"time": "hour"}, "features.hour: is the time, and so cannot be a feature"),
        ({"key": "hour"}, "features.hour: is the key, and so cannot be a feature"),
        ({"features": {f"{'x' * 61}{i:03d}": {"type": "number"} for i in range(300)}},
         "features: their names take 20,410 bytes of every captured line, at most 16,384; shorten "
         "them, or keep some out by `capture.redact`"),
        ({"time": "late"}, "time: 'late' is already the target"),
        ({"key": "late"}, "key: 'late' is already the target"),
        ({"key": "at"}, "key: 'at' is already the time"),
        ({"time": None, "data": {"window": "7d"}},
         "data.window: looks back in event time, but the spec names no `time` column"),
        ({"features": {"x": {"type": "number", "min": 2, "max": 1}}},
         "features.x: min 2 is above max 1"),
        ({"features": {"x": {"type": "number", "categories": ["a"]}}},
         "features.x: categories belong to type: category"),
        ({"features": {"x": {"type": "category", "max": 1}}},
         "features.x: min and max belong to a number; for a category, list `categories`"),
        ({"features": {"x": {"type": "category", "categories": ["a", "a"]}}},
         "features.x: categories: 'a' stands there twice"),
        ({"features": {"x": {"type": "category", "categories": ["a"], "max_categories": 9}}},
         "features.x.max_categories: has no meaning beside `categories`"),
        ({"features": {"x": {"type": "number", "max_categories": 9}}},
         "features.x.max_categories: belongs to type: category"),
        # what the data must be
        ({"features": {"c": {"type": "category", "pattern": "(a+)+"}}},
         "features.c.pattern: '(a+)+' can read one text in too many ways, and matching would take "
         "as long; let repeats give nothing back, like [A-Z]++ or (?:AB|CD)++, or bound them, "
         "like {1,8}"),
        ({"features": {"c": {"type": "category", "pattern": "N["}}},
         "features.c.pattern: 'N[' is no regular expression: unterminated character set at "
         "position 1"),
        ({"features": {"x": {"type": "number", "pattern": "1+"}}}, "features.x: pattern belongs to "
         "type: category; for a number, say `min` and `max`"),
        ({"features": {"c": {"type": "category", "pattern": "A+", "categories": ["AA", "B"]}}},
         "features.c: categories: 'B' does not match the pattern"),
        ({"features": {"c": {"type": "category", "unique": True, "categories": ["a"]}}},
         "features.c: unique: with fixed `categories`, no upload could have more rows than they"),
        ({"data": {"earliest": "soon"}}, "data.earliest: 'soon' is no time; write it as "
         "2013-01-31 or 2013-01-31T08:00:00Z"),
        ({"data": {"latest": 2013}}, "data.latest: 2013: input should be a valid datetime"),
        ({"data": {"earliest": "2014-01-01", "latest": "2013-01-01"}}, "data.earliest: "
         "2014-01-01T00:00:00.000Z is after latest, 2013-01-01T00:00:00.000Z"),
        ({"time": None, "data": {"earliest": "2014-01-01"}},
         "data.earliest: bounds the event time, but the spec names no `time` column"),
        ({"time": None, "data": {"future": "2d"}},
         "data.future: bounds the event time, but the spec names no `time` column"),
        ({"data": {"mode": "overwrite"}},
         "data.mode: 'overwrite' is not valid; one of append, replace"),
        ({"data": {"rules": {"order": "hour > minute"}}},
         "data.rules.order: 'hour > minute', character 8: 'minute' is no column; one of hour, "
         "carrier, late, at, flight"),
        ({"data": {"rules": {"two words": "hour > 1"}}}, "data.rules.two words: 'two words' is no "
         "name; letters, digits, _ and - alone, 64 at most"),
        ({"time": None, "data": {"split": {"by": "time"}}},
         "data.split.by: is time, but the spec names no `time` column"),
        ({"data": {"split": {"group": "carier"}}}, "data.split.group: 'carier' is no feature and "
         "no key; did you mean 'carrier'?"),
        ({"data": {"split": {"group": "late"}}}, "data.split.group: 'late' is the target; one of "
         "hour, carrier, flight"),
        ({"data": {"split": {"stratify": True}}}, "data.split.stratify: the newest rows are the "
         "holdout, whatever their classes; say `by: hash` to hold the shares of classes instead"),
        ({"task": "regression", "data": {"split": {"stratify": True, "by": "hash"}}},
         "data.split.stratify: a regression has no classes to hold the shares of"),
        ({"data": {"split": {"stratify": True, "by": "hash", "group": "carrier"}}},
         "data.split.stratify: a group is on one side whole, so shares cannot be held as well"),
        ({"training": {"metric": "rmse"}}, "training.metric: 'rmse' is no classification metric; "
         "one of log_loss, brier, roc_auc, accuracy, f1"),
        ({"gates": {"beats_champion": {"metric": "mae"}}}, "gates.beats_champion.metric: 'mae' is "
         "no classification metric; one of log_loss, brier, roc_auc, accuracy, f1"),
        ({"monitor": {"performance": {"metric": "r2"}}}, "monitor.performance.metric: 'r2' is no "
         "classification metric; one of log_loss, brier, roc_auc, accuracy, f1"),
        ({"training": {"estimators": ["linear_regression"]}},
         "training.estimators: 'linear_regression' does not do classification"),
        ({"training": {"estimators": ["random_forest", "random_forest"]}},
         "training.estimators: 'random_forest' stands there twice"),
        ({"gates": {"metrics": {"roc_auc": "> 1"}}},
         "gates.metrics.roc_auc: '> 1' is out of reach; roc_auc lies between 0 and 1"),
        ({"gates": {"metrics": {"log_loss": "< 0"}}},
         "gates.metrics.log_loss: '< 0' is out of reach; log_loss lies between 0 and inf"),
        ({"release": {"strategy": "all_at_once", "share": 0.5}},
         "release.share: has no meaning with strategy all_at_once"),
        ({"retrain": {"schedule": "rate(1 day)"}},
         "retrain.schedule: is set, but `retrain.on` does not list schedule"),
        ({"retrain": {"on": ["schedule"]}},
         "retrain.on: lists schedule, but `retrain.schedule` is not set"),
        ({"retrain": {"on": ["drift"]}, "monitor": {"drift": False}},
         "retrain.on: lists drift, but `monitor.drift` is false"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_mistake_is_told(parts: dict[str, Any], line: str) -> None:
    assert refusal(small(**parts)) == [f"s.yaml: {line}"]


def test_a_missing_key_is_told() -> None:
    raw = small()
    del raw["target"]
    assert refusal(raw) == ["s.yaml: target: is missing"]


def test_every_mistake_is_told_at_once() -> None:
    raw = small(name="X Y", training={"trials": 0, "metrc": "f1"}, gates={"latency_ms": -1})
    paths = [line.split(": ")[1] for line in refusal(raw)]
    assert paths == ["name", "training.trials", "training.metrc", "gates.latency_ms"]
    disagreeing = small(key="at", training={"metric": "mae"}, gates={"slices": ["x", "y"]})
    paths = [line.split(": ")[1] for line in refusal(disagreeing)]
    assert paths == ["key", "gates.slices", "gates.slices", "training.metric"]


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_what_is_no_mapping_is_told(raw: object) -> None:
    assert refusal(raw) == ["s.yaml: should be a mapping of keys (name, task, target, …)"]


@pytest.mark.parametrize(
    "schedule", ["rate(1 day)", "rate(12 hours)", "cron(0 3 ? * MON *)", "cron(0/15 * * * ? *)"]
)
def test_schedules(schedule: str) -> None:
    assert Spec.parse(small(retrain={"on": ["schedule"], "schedule": schedule}))


@pytest.mark.parametrize(
    "schedule",
    ["daily", "rate(1 days)", "rate(0 days)", "rate(2 day)", "cron(0 3 * * *)",
     "cron(0 3 * * * *)", "cron(0 3 ? * ? *)", "rate(1 day); rm"],
)  # fmt: skip
def test_a_schedule_that_eventbridge_would_refuse_is_refused_here(schedule: str) -> None:
    (line,) = refusal(small(retrain={"on": ["schedule"], "schedule": schedule}))
    assert line.startswith(f"s.yaml: retrain.schedule: {schedule!r} is no schedule; write ")


def test_yamls_on_is_the_word(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump(SMALL) + "retrain:\n  on: [upload]\n")
    assert Spec.load(path).retrain.on == ["upload"]


def test_yamls_dates_are_moments(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    bounds = "  earliest: 2013-01-31\n  latest: 2013-02-01T01:00:00+02:00\n"
    path.write_text(yaml.safe_dump(SMALL) + "data:\n" + bounds)
    data = Spec.load(path).data
    assert data.earliest == datetime(2013, 1, 31, tzinfo=UTC)
    assert data.latest == datetime(2013, 1, 31, 23, tzinfo=UTC)


def test_one_comparison_may_stand_without_a_list() -> None:
    expect = Spec.parse(small(data={"expect": {"rows": ">= 1", "mean": {"hour": ["> 1"]}}})).data
    assert (expect.expect.rows, expect.expect.mean) == ([">= 1"], {"hour": ["> 1"]})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "there is no such file"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"a: [", "is not the YAML of a spec: "),
        (b"name: a\nname: b\n", "the key 'name' stands there twice (line 2)"),
        (b"features:\n  x: {type: number}\n  x: {type: number}\n", "'x' stands there twice"),
        (b"!!python/object:os.system {}", "could not determine a constructor"),
        (b"[" * 5000, "is not the YAML of a spec"),
        (b"at: 2013-99-99", "is not the YAML of a spec"),
        (b"#" * (MAX_BYTES + 1), "is over 64 KiB"),
        (b"", "should be a mapping of keys"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, data: bytes | None, said: str) -> None:
    path = tmp_path / "s.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        Spec.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert said in str(caught.value)


def test_a_bomb_of_aliases_is_told_briefly(tmp_path: Path) -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join([*layers, "name: *a11", "target: *a11"]))
    with pytest.raises(SpecError) as caught:
        Spec.load(path)
    assert len(str(caught.value)) < 5000


def test_a_spec_too_large_for_its_layer_is_refused() -> None:
    features = {f"x{i}": {"type": "category", "categories": ["y" * 200]} for i in range(400)}
    assert refusal(small(features=features)) == ["s.yaml: is over 64 KiB as JSON"]


def test_the_layers_json_is_the_same_spec(tmp_path: Path) -> None:
    spec = Spec.load(FLIGHTS)
    path = tmp_path / "spec.json"
    path.write_bytes(spec.to_json())
    again = Spec.read(path)
    assert again == spec
    assert list(again.features) == list(spec.features)
    assert again.to_json() == spec.to_json()


def test_a_broken_layer_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    for text in ("{", "[]", '{"name": "a"}'):
        path.write_text(text)
        with pytest.raises(SpecError):
            Spec.read(path)


# --- properties ---------------------------------------------------------------------------------

names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
numbers = st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.booleans()).map(
    lambda t: {"type": "number", "min": t[0], "max": t[0] + t[1], "nullable": t[2]}
)
categories = st.one_of(
    st.integers(1, 1000).map(lambda n: {"type": "category", "max_categories": n}),
    st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True).map(
        lambda c: {"type": "category", "categories": c}
    ),
)
durations = st.builds("{}{}".format, st.integers(1, 500), st.sampled_from("mhdw"))


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    features = draw(st.dictionaries(names.map("f_".__add__), numbers | categories, min_size=1))
    task = draw(st.sampled_from(["classification", "regression"]))
    metric = {"classification": "brier", "regression": "mae"}[task]
    return {
        "name": draw(st.from_regex(r"[a-z]([a-z0-9-]{0,29}[a-z0-9])?", fullmatch=True)),
        "task": task, "target": "y", "time": "at", "features": features,
        "data": {
            "holdout": draw(st.floats(0.01, 0.99)), "window": draw(durations),
            "mode": draw(st.sampled_from(["append", "replace"])), "future": draw(durations),
            "earliest": draw(st.datetimes(min_value=datetime(1, 1, 2))).isoformat(),
            "rules": draw(st.dictionaries(names, st.just("y is not null or at > '2013-01-01'"))),
            "expect": {"rows": draw(st.sampled_from([">= 1", ["> 0", "<= 1e6"]]))},
            "split": {"by": "hash", "group": draw(st.sampled_from(sorted(features)))},
        },
        "training": {"metric": metric, "seed": draw(st.integers(0, 2**31 - 1))},
        "monitor": {"window": draw(durations), "performance": {"metric": metric}},
        "gates": {"slices": [draw(st.sampled_from(sorted(features)))]},
    }  # fmt: skip


@given(specs())
def test_law_2_a_right_spec_goes_through_json_and_yaml_unchanged(raw: dict[str, Any]) -> None:
    spec = Spec.parse(raw)
    data = spec.to_json()
    assert Spec.model_validate_json(data).to_json() == data
    assert Spec.parse(yaml.safe_load(yaml.safe_dump(raw, sort_keys=False))).to_json() == data
    assert Spec.parse(json.loads(data)).to_json() == data  # written out in full


@given(specs(), st.data())
def test_a_misspelt_key_is_named_wherever_it_stands(
    raw: dict[str, Any], data: st.DataObject
) -> None:
    part = data.draw(st.sampled_from(["data", "training", "monitor", "gates"]))
    key = data.draw(st.sampled_from(sorted(raw[part])))
    raw[part][key + "x"] = raw[part].pop(key)
    assert f"s.yaml: {part}.{key}x: unknown key; did you mean {key!r}?" in refusal(raw)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(specs(), st.data())
def test_whatever_stands_anywhere_a_spec_is_right_or_refused_with_its_path(
    raw: dict[str, Any], data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from([(k,) for k in raw] + [("data", "window"), ("gates", "slices"),
                                     ("monitor", "window"), ("training", "metric")]))  # fmt: skip
    target = raw
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = data.draw(values)
    try:
        Spec.parse(raw, "s.yaml")
    except SpecError as error:
        assert all(line.startswith("s.yaml: ") for line in str(error).split("\n"))


@given(
    st.timedeltas(timedelta(0), timedelta(days=3000)).map(lambda t: t - t % timedelta(seconds=1))
)
def test_durations_come_back_as_written(span: timedelta) -> None:
    assert parse_duration(format_duration(span)) == span


def test_as_many_features_as_are_allowed_fit_into_a_spec() -> None:
    features = {f"a_feature_of_this_name_{i:03d}": {"type": "number"} for i in range(500)}
    spec = Spec.parse({"name": "wide", "task": "regression", "target": "y", "features": features})
    assert Spec.model_validate_json(spec.to_json()) == spec


def test_a_date_that_is_none_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    file.write_text("name: x\ndata:\n  earliest: 2026-99-01\n")
    with pytest.raises(SpecError, match=r"'2026-99-01' is no date.*\(line 3\)"):
        Spec.load(file)


def test_a_bare_number_is_no_expectation() -> None:
    raw = {"name": "x", "task": "regression", "target": "y", "features": {"a": {"type": "number"}}}
    with pytest.raises(SpecError, match=r"data.expect.rows: 1000 is no rule; .*'>= 1000'"):
        Spec.parse({**raw, "data": {"expect": {"rows": 1000}}})
