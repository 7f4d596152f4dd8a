"""Prepare: the split leaks nothing, and the same dataset gives the same bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import dataset, keys
from driftloop.contract import check
from driftloop.errors import NotEnoughData
from driftloop.frame import Frame
from driftloop.framing import build
from driftloop.prepare import prepare
from driftloop.rows import Rows
from driftloop.spec import Spec
from tests.driftloop.memory import Memory

NOW = "2013-02-01T00:00:00.000Z"


def make_spec(task: str = "classification", timed: bool = True, **data: Any) -> Spec:
    return Spec.parse(
        {
            "name": "toy",
            "task": task,
            "target": "y",
            "key": "id",
            **({"time": "at"} if timed else {}),
            "features": {
                "x": {"type": "number", "nullable": True},
                "c": {"type": "category", "nullable": True},
            },
            "data": data,
        }
    )


def rows(spec: Spec, n: int = 200, start: int = 0, **changed: Any) -> Rows:
    number = range(start, start + n)
    columns: dict[str, list[Any]] = {
        "x": [None if i % 7 == 0 else float(i) for i in number],
        "c": ["abc"[i % 3] if i % 5 else None for i in number],
        "y": [i % 2 for i in number],
        "at": [i * 3_600_000 for i in reversed(number)],
        "id": [f"k{i}" for i in number],
    }
    columns |= changed
    accepted, faults = check(spec, {name: columns[name] for name in spec.columns})
    assert not faults
    return accepted


def ids(frame: Frame, mask: Any) -> set[float]:
    return set(frame.columns["x"][mask].tolist())


def test_holdout_is_the_newest_share_in_time_order() -> None:
    spec = make_spec(holdout=0.25)
    frame, counts, _ = build([rows(spec)], spec)
    assert frame.time is not None and (np.diff(frame.time) >= 0).all()
    assert frame.time[frame.train].max() < frame.time[frame.holdout].min()
    assert (counts["train_rows"], counts["holdout_rows"]) == (150, 50)
    assert frame.classes == ["0", "1"]
    assert frame.columns["c"].dtype == np.int32 and frame.columns["c"].min() == -1


def test_same_dataset_same_bytes_law_2() -> None:
    spec, store = make_spec(), Memory()
    dataset.add_part(store, spec, rows(spec), NOW, "upload", {})
    found = dataset.current(store, spec)
    assert found is not None
    answer = prepare(store, spec, found.digest)
    writes = len(store.writes)
    assert prepare(store, spec, found.digest) == answer
    assert len(store.writes) == writes
    assert Frame.from_bytes(store.get(answer["key"])).rows == answer["rows"] == 200
    assert keys.frame_recipe("toy", answer["frame"]) == answer["recipe"]


def test_a_later_part_corrects_an_earlier_one() -> None:
    spec = make_spec()
    first = rows(spec)
    second = rows(spec, 50, y=["1"] * 50)
    frame, counts, _ = build([first, second], spec)
    assert counts["repeated"] == 50 and frame.rows == 200
    assert int(frame.target.sum()) == 100 + 25


def test_the_window_cuts_rows() -> None:
    spec = make_spec(window="5d")
    frame, counts, _ = build([rows(spec)], spec)
    assert frame.rows == 121 and counts["outside_window"] == 79


@settings(max_examples=30, deadline=None)
@given(st.integers(200, 400), st.integers(0, 1000))
def test_a_row_keeps_its_side_as_data_grows(n: int, start: int) -> None:
    spec = make_spec(timed=False)
    few, _, _ = build([rows(spec, n, start)], spec)
    many, _, _ = build([rows(spec, n, start), rows(spec, n, start + n)], spec)
    seen = ids(few, few.train) - {float("nan")}
    assert not {v for v in seen if v == v} & {v for v in ids(many, many.holdout) if v == v}


def test_a_key_is_never_on_both_sides() -> None:
    spec = make_spec(duplicates="keep")
    doubled = rows(spec, id=[f"k{i % 180}" for i in range(200)])
    frame, counts, _ = build([doubled], spec)
    assert counts["on_both_sides"] == 200 - frame.rows > 0


@pytest.mark.parametrize(
    ("n", "changed", "words"),
    [
        (30, {}, "to learn from"),
        (200, {"y": ["1"] * 200}, "one class only in the rows to learn from: y = '1'"),
        (200, {"y": ["0"] * 50 + [str(i % 2) for i in range(150)]}, "rows to judge by"),
        (200, {"y": [str(i) for i in range(200)]}, "160 different values"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_by_name(
    n: int, changed: dict[str, Any], words: str
) -> None:
    spec = make_spec()
    with pytest.raises(NotEnoughData, match=words):
        build([rows(spec, n, **changed)], spec)


def test_a_class_never_learned_leaves_the_holdout_and_is_counted() -> None:
    spec = make_spec()
    typo = rows(spec, y=["2"] + [str(i % 2) for i in range(199)])  # the first row is the newest
    frame, counts, _ = build([typo], spec)
    assert frame.classes == ["0", "1"] and counts["class_too_rare"] == 1


def test_a_mistyped_class_among_the_rows_to_learn_from_makes_no_third_one() -> None:
    spec = make_spec()
    labels = [str(i % 2) for i in range(200)]
    frame, counts, _ = build([rows(spec, y=[*labels[:-4], *["l"] * 4])], spec)  # the oldest rows
    assert frame.classes == ["0", "1"] and counts["class_too_rare"] == 4
    assert counts["train_rows"] == 156
    frame, _, _ = build([rows(spec, y=[*labels[:50], *["l"] * 5, *labels[55:]])], spec)
    assert frame.classes == ["0", "1", "l"]


def test_no_dataset_and_one_value_are_refused() -> None:
    with pytest.raises(NotEnoughData, match="no data yet"):
        prepare(Memory(), make_spec(), None)
    spec = make_spec("regression")
    with pytest.raises(NotEnoughData, match="one value only"):
        build([rows(spec, y=[3.0] * 200)], spec)


def test_a_part_of_an_older_shape_is_left_out_and_named() -> None:
    store, spec = Memory(), make_spec()
    old = dataset.add_part(store, make_spec(timed=False), rows(make_spec(timed=False)), NOW,
                           "upload", {})  # fmt: skip
    assert dataset.current(store, spec) is None
    dataset.add_part(store, spec, rows(spec), NOW, "upload", {})
    found = dataset.current(store, spec)
    assert found is not None and found.skipped == (old,) and found.rows == 200
