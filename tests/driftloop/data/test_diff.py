"""Diffs count what a person would count by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import keys
from driftloop.data.dataset import Dataset, Part
from driftloop.data.diff import diff, profile_of
from driftloop.data.parquet import write
from driftloop.data.rows import Rows
from driftloop.sketches.sketch import Sketch
from tests.driftloop.memory import Memory

KINDS: dict[str, Any] = {"id": "text", "x": "number"}
Pairs = list[tuple[str, float]]


def store_of(store: Memory, *parts: Pairs, key: str | None = None,
             also: dict[str, Any] | None = None) -> Dataset:  # fmt: skip
    """A dataset of these parts."""
    made: dict[str, Part] = {}
    shape = {**KINDS, **(also or {})}
    for pairs in filter(None, parts):
        columns = {"id": np.array([i for i, _ in pairs], object),
                   "x": np.array([x for _, x in pairs])}  # fmt: skip
        rows = Rows(shape, columns | dict.fromkeys(also or {}, columns["x"]))
        name = rows.digest()
        store.put(keys.part("toy", name), write(rows))
        made[name] = Part(name, len(rows), intake="i", ingested="", source="upload", origin={})
    digest = str(sorted(made))
    return Dataset(digest, shape, key, tuple(made.values()))


def compare(store: Memory, first: Dataset, second: Dataset) -> Any:
    sides = [profile_of(store, "toy", side) for side in (first, second)]
    return diff(store, "toy", first, second, (sides[0], sides[1]))


def statements(found: Dataset, parts: tuple[Pairs, ...]) -> list[tuple[str, float]]:
    """Rows of the dataset, where the same part twice is one."""
    distinct = dict.fromkeys(map(tuple, parts))
    return [row for part in distinct for row in part]


pairs = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1.0, 2.0])), max_size=4)
datasets = st.tuples(pairs, pairs, pairs)


@settings(deadline=None, max_examples=60)
@given(datasets, datasets)
def test_rows_without_a_key_are_counted_as_they_are(one: Any, other: Any) -> None:
    store = Memory()
    first, second = store_of(store, *one), store_of(store, *other)
    found = compare(store, first, second)
    assert found.removed + found.same == first.rows
    assert found.added + found.same == second.rows
    if not {p.sha256 for p in first.parts} & {p.sha256 for p in second.parts}:
        a, b = (Counter(statements(d, p)) for d, p in ((first, one), (second, other)))
        assert (found.added, found.removed) == ((b - a).total(), (a - b).total())


@settings(deadline=None, max_examples=60)
@given(datasets, datasets)
def test_with_a_key_changes_are_keys_said_otherwise(one: Any, other: Any) -> None:
    store = Memory()
    first, second = store_of(store, *one, key="id"), store_of(store, *other, key="id")
    found = compare(store, first, second)
    ours, theirs = ({i for part in side for i, _ in part} for side in (one, other))
    assert (found.added == 0) == (theirs <= ours)
    assert (found.removed == 0) == (ours <= theirs)
    assert found.changed is not None and found.changed <= len(ours & theirs)
    if {p.sha256 for p in first.parts} == {p.sha256 for p in second.parts}:
        assert (found.added, found.removed, found.changed) == (0, 0, 0)


def test_columns_that_came_and_went_are_told_and_rows_compared_by_the_others() -> None:
    store = Memory()
    rows = [("a", 1.0), ("b", 2.0)]
    found = compare(store, store_of(store, rows), store_of(store, rows, also={"y": "number"}))
    assert found.columns_added == {"y": "number"} and not found.columns_removed
    assert (found.added, found.removed, found.same) == (0, 0, 2)


def test_shifts_are_of_the_rows_not_of_the_parts_and_largest_first() -> None:
    store = Memory()
    many: Pairs = [("a", float(i % 50)) for i in range(500)]
    same = compare(store, store_of(store, many), store_of(store, many[:260], many[260:]))
    assert [s.psi for s in same.shifts] == [0.0, 0.0]
    moved = compare(
        store, store_of(store, many), store_of(store, [("z", x + 100) for _, x in many])
    )
    assert [s.name for s in moved.shifts] and all(s.psi > 1 for s in moved.shifts)
    text = next(s for s in moved.shifts if s.name == "id")
    assert (text.new, text.gone) == (["z"], ["a"])
    number = next(s for s in moved.shifts if s.name == "x")
    assert number.mean == (24.5, 124.5) and number.missing == (0.0, 0.0)


def test_a_column_without_a_value_on_one_side_has_no_mean_and_no_shift() -> None:
    store = Memory()
    some, none = [("a", 1.0)], [("a", float("nan"))]
    found = compare(store, store_of(store, some), store_of(store, none))
    number = next(s for s in found.shifts if s.name == "x")
    assert (number.psi, number.mean, number.missing) == (0.0, (1.0, None), (0.0, 1.0))


def test_the_profile_of_a_dataset_leaves_its_key_out() -> None:
    store = Memory()
    found = profile_of(store, "toy", store_of(store, [("a", 1.0)], key="id"))
    assert list(found.kinds) == ["x"] and isinstance(found.sketches["x"], Sketch)
