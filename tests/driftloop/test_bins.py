"""Sketches count every value once and add up in any order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop import bins as sketch

numbers = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), max_size=60)
words = st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=60)


def tally(bins: dict[str, Any], values: list[Any]) -> dict[str, Any]:
    if bins["type"] == "number":
        return sketch.tally(bins, sketch.assign_numbers(bins, np.array(values, dtype=float)))
    return sketch.tally(bins, sketch.assign_names(bins, values))


@given(numbers, numbers, numbers)
def test_numbers_merge_as_if_counted_together(base: Any, first: Any, second: Any) -> None:
    bins = sketch.number_bins(np.array(base, dtype=float))
    both = sketch.merge(tally(bins, first), tally(bins, second))
    assert both == tally(bins, first + second) == tally(bins, second + first)
    assert sum(both["counts"]) + both["missing"] == both["rows"] == len(first) + len(second)


@given(words, words)
def test_categories_merge_as_if_counted_together(first: Any, second: Any) -> None:
    bins = sketch.category_bins(["a", "b", "c"], np.array([3, 9, 0]), most=2)
    assert bins["categories"] == ["b", "a"]
    both = sketch.merge(tally(bins, first), tally(bins, second))
    assert both == tally(bins, first + second)
    assert both["counts"][-1] == sum(w in ("c", "d") for w in first + second)


@given(numbers)
def test_the_outer_bins_are_empty_in_what_the_edges_come_from(base: Any) -> None:
    bins = sketch.number_bins(np.array(base, dtype=float))
    counted = tally(bins, base)
    if len(bins["edges"]):
        assert counted["counts"][0] == counted["counts"][-1] == 0
        assert len(bins["edges"]) <= sketch.MOST_BINS + 1


def test_codes_and_names_are_assigned_alike() -> None:
    names = ["x", "y", "z"]
    bins = sketch.category_bins(names, np.array([1, 5, 2]), most=2)
    codes = np.array([0, 1, 2, -1, 1], dtype=np.int32)
    by_code = sketch.assign_codes(bins, codes, names)
    by_name = sketch.assign_names(bins, [None if c < 0 else names[c] for c in codes])
    assert by_code.tolist() == by_name.tolist() == [2, 0, 1, -1, 0]


def test_sketches_of_different_bins_do_not_merge() -> None:
    one, two = (sketch.number_bins(np.array(v)) for v in ([1.0, 2.0], [1.0, 3.0]))
    with pytest.raises(ValueError, match="different bins"):
        sketch.merge(one, two)
