"""Prepare: the split leaks nothing, and the same dataset gives the same bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import frame, keys
from driftloop.captured import pack
from driftloop.checking.contract import check
from driftloop.data import dataset
from driftloop.data.rows import Rows
from driftloop.errors import DataError, IntegrityError, NotEnoughData, NotFound
from driftloop.frame import Frame
from driftloop.framing import build
from driftloop.ids import prediction_ids
from driftloop.monitoring.state import State
from driftloop.prepare import prepare, rebuild
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


# --- groups, classes, leaks -----------------------------------------------------------------------


def split_spec(task: str = "classification", **data: Any) -> Spec:
    """A spec with a feature ``n`` that is a row's own, to see afterwards which rows are where."""
    return Spec.parse({
        "name": "toy", "task": task, "target": "y", "key": "id", "time": "at",
        "features": {"n": {"type": "number"}, "g": {"type": "category", "nullable": True}},
        "data": data,
    })  # fmt: skip


def test_a_group_is_on_one_side() -> None:
    spec = split_spec(split={"by": "hash", "group": "g"}, duplicates="keep")
    number = range(400)
    many = Rows(spec.kinds, {
        "n": np.array(number, float), "g": np.array([f"g{i % 40}" for i in number], object),
        "y": np.array([str(i // 40 % 2) for i in number], object),
        "at": np.array(number), "id": np.array([f"k{i}" for i in number], object),
    })  # fmt: skip
    built, counts, _ = build([many], spec)
    sides = [set(built.columns["g"][side].tolist()) for side in (built.train, built.holdout)]
    assert not sides[0] & sides[1] and all(sides) and counts["on_both_sides"] == 0


def test_stratified_classes_have_their_shares_on_both_sides() -> None:
    spec = make_spec(split={"by": "hash", "stratify": True}, holdout=0.3)
    built, counts, _ = build([rows(spec, y=[int(i % 5 == 0) for i in range(200)])], spec)
    assert counts["holdout_rows"] == 60
    assert built.target[built.holdout].sum() == 12 and built.target[built.train].sum() == 28


@st.composite
def datasets(draw: st.DrawFn) -> tuple[Spec, list[Rows]]:
    """Parts with keys and groups that come again and again, and any way to split them."""
    way = draw(st.sampled_from(["time", "hash", "stratify"]))
    split: dict[str, Any] = {"by": "hash" if way == "stratify" else way}
    split |= (
        {"stratify": True} if way == "stratify" else {"group": draw(st.sampled_from([None, "g"]))}
    )
    spec = split_spec(
        split=split, holdout=draw(st.sampled_from([0.2, 0.5])),
        duplicates=draw(st.sampled_from(["drop", "keep"])),
        window=draw(st.sampled_from([None, "1d"])),
    )  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    parts, begun = [], 0
    for size in draw(st.lists(st.integers(1, 200), min_size=1, max_size=3)):
        n = np.arange(begun, begun + size)
        words = np.array([*(f"g{i}" for i in range(draw(st.sampled_from([3, 60, 400])))), None])
        at = rng.integers(0, 40, size) * 3_600_000 + draw(st.sampled_from([0, 400_000])) * n
        key = rng.integers(0, draw(st.sampled_from([50, 10_000])), size)
        parts.append(Rows(spec.kinds, {
            "n": n.astype(float), "g": words[np.minimum(n // 3, rng.integers(0, len(words), size))
                                             % len(words)],
            "y": np.array(["0", "1"], object)[rng.integers(0, 2, size)], "at": at,
            "id": np.array([f"k{k}" for k in key], object),
        }))  # fmt: skip
        begun += size
    return spec, parts


@settings(max_examples=150, deadline=None)
@given(datasets())
def test_neither_key_nor_group_is_on_both_sides_whatever_the_data(
    made: tuple[Spec, list[Rows]],
) -> None:
    spec, parts = made
    try:
        built, counts, _ = build(parts, spec)
    except NotEnoughData:
        return
    number = built.columns["n"].astype(int)
    for name in ("id", "g") if spec.data.split.group else ("id",):
        values = np.concatenate([part.columns[name] for part in parts])
        learned, judged = (set(values[number[side]]) for side in (built.train, built.holdout))
        assert not learned & judged - {None}
    left_out = ("breaks_contract", "repeated", "outside_window", "on_both_sides", "class_too_rare")
    assert counts["read"] == sum(counts[reason] for reason in left_out) + counts["rows"]
    assert counts["rows"] == counts["train_rows"] + counts["holdout_rows"] == built.rows
    if spec.data.split.by == "time":
        assert built.time is not None
        assert built.time[built.train].max() <= built.time[built.holdout].min()


# --- older parts, and frames built again ----------------------------------------------------------


def test_rows_that_break_a_contract_made_stricter_since_are_left_out_and_counted() -> None:
    before = make_spec()
    raw = make_spec().model_dump(mode="json")
    raw["features"]["x"]["max"] = 280
    raw["features"]["c"] |= {"pattern": "[ab]", "nullable": False}
    raw["data"] |= {"latest": "1970-01-13T05:00:00Z", "rules": {"pairs": "x != 31 or c == 'a'"}}
    store, strict = Memory(), Spec.parse(raw)
    dataset.add_part(store, before, rows(before, 300), NOW, "upload", {})
    found = dataset.current(store, strict)
    assert found is not None
    answer = prepare(store, strict, found.digest)
    recipe = json.loads(store.get(answer["recipe"]))
    number = range(300)
    above = [i for i in number if i > 280 and i % 7]
    unset = [i for i in number if i % 5 == 0 and i not in above]
    other = [i for i in number if i % 3 == 2 and i not in above + unset]
    late = [i for i in number if 299 - i > 293 and i not in above + unset + other]
    assert recipe["breaks_contract"] == {
        "above_max|x": len(above), "null|c": len(unset), "breaks_pattern|c": len(other),
        "too_late|at": len(late), "breaks_rule|pairs": 1,
    }  # fmt: skip
    with pytest.raises(NotEnoughData, match="of 20 rows were left out: 9 breaks_contract, 6 class"):
        build([rows(before, 20)], strict)
    assert recipe["counts"]["breaks_contract"] == 300 - answer["rows"]
    assert dataset.current(store, before) == found  # the part itself stays as it is


def kept_frame(store: Memory, **data: Any) -> tuple[dict[str, Any], bytes]:
    spec = make_spec(**data)
    for part in (rows(make_spec()), rows(make_spec(), 60, y=["1"] * 60)):
        dataset.add_part(store, spec, part, NOW, "upload", {})
    found = dataset.current(store, spec)
    assert found is not None
    answer = prepare(store, spec, found.digest)
    return json.loads(store.get(answer["recipe"])), store.get(answer["key"])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"window": "5d", "earliest": "1970-01-02", "rules": {"r": "x > 3"}},
        {"split": {"by": "hash", "stratify": True}, "duplicates": "keep"},
        {"split": {"by": "hash", "group": "id"}, "holdout": 0.3},
    ],
)
def test_law_2_a_frame_is_built_again_to_the_same_bytes_after_the_spec_changed(
    data: dict[str, Any],
) -> None:
    store = Memory()
    recipe, frame_bytes = kept_frame(store, **data)
    kept_frame(store, holdout=0.5, latest="1970-01-05")  # another spec, and newer frames
    assert rebuild(store, recipe) == frame_bytes


def test_rows_of_windows_held_back_or_not_judged_yet_are_left_out_and_law_2_holds() -> None:
    store, spec, day = Memory(), make_spec(timed=False), 86_400_000
    names = [prediction_ids(f"r{i}", i * day // 40, 1)[0] for i in range(200)]  # 40 a day
    joined = rows(spec)
    for of in range(5):
        mine = joined.take(np.arange(40 * of, 40 * of + 40))
        origin = {"labels": f"1970-01-{of + 1:02d}"}
        name = dataset.add_part(store, spec, mine, NOW, "labels", origin)
        sources = [{"id": i, "version": 1 + of % 2, "labels": "f"} for i in names[40 * of :][:40]]
        store.put(keys.joined_sources("toy", name), pack(sources))
    found = dataset.current(store, spec)
    assert found is not None

    def made(now: str | None = None) -> tuple[int, dict[str, Any]]:
        answer = prepare(store, spec, found.digest, now)
        recipe = json.loads(store.get(answer["recipe"]))
        assert rebuild(store, recipe) == store.get(answer["key"])
        return recipe["counts"]["read"], recipe

    assert made()[0] == made("1970-01-06T03:00:00Z")[0] == 200  # nobody watches
    marks = [[day, 2 * day, 2], [2 * day, 3 * day, 2]]  # the third day was version 1's
    store.put(keys.quarantined_windows("toy"), json.dumps(marks).encode())
    read, recipe = made()
    assert read == 160 and len(recipe["held_back"]) == 2
    State(day, asked=4 * day + 10 * 3_600_000).write(store, "toy")  # judged the first four
    assert made("1970-01-05T12:00:00Z")[0] == 120
    assert made("1970-01-09T12:00:00Z")[0] == 160  # it is silent: not waited for
    store.put(keys.quarantined_windows("toy"), b"[]")
    assert made()[0] == 200
    assert rebuild(store, recipe) == store.get(keys.frame("toy", recipe["frame"]))


def test_a_frame_that_cannot_be_built_again_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Memory()
    recipe, _ = kept_frame(store)
    with pytest.raises(IntegrityError, match="cannot be built again: other bytes came out"):
        rebuild(store, recipe | {"frame": "0" * 64})
    with pytest.raises(DataError, match=r"it is \['driftloop.recipe/1', 'driftloop.frame/1'\]"):
        rebuild(store, recipe | {"format": "driftloop.recipe/1"})
    with pytest.raises(DataError, match=r"recipe: data\.holdout: 2: input should be less than 1"):
        rebuild(store, recipe | {"spec": recipe["spec"] | {"data": {"holdout": 2}}})
    monkeypatch.setattr(frame, "FORMAT", "driftloop.frame/2")
    with pytest.raises(DataError, match=r"this code makes .*'driftloop.frame/2'"):
        rebuild(store, recipe)
    monkeypatch.undo()
    del store.objects[keys.part("toy", recipe["parts"][0])]
    with pytest.raises(NotFound, match="a part of it is no longer kept"):
        rebuild(store, recipe)
