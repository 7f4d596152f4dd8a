"""Bins: whatever is counted over them comes from sketches alone, and is exact."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.drift import psi
from driftloop.sketches import bins
from driftloop.sketches.bins import NumberBins, TextBins
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch

numbers = st.lists(
    st.one_of(st.integers(-9, 9).map(float), st.floats(-1e6, 1e6), st.just(math.nan)), max_size=60
)
words = st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=60)
NAMES = ["d", "c", "b", "a"]


def sketched(values: Any) -> NumberSketch:
    sketch = NumberSketch()
    sketch.update_numbers(np.array(values, dtype=float))
    return sketch


def codes(values: list[str | None]) -> np.ndarray[Any, Any]:
    return np.array([-1 if v is None else NAMES.index(v) for v in values], np.int64)


def coded(values: list[str | None]) -> TextSketch:
    sketch = TextSketch()
    sketch.update_codes(codes(values), NAMES)
    return sketch


@given(numbers)
def test_the_outer_bins_are_empty_in_what_the_edges_come_from(values: list[float]) -> None:
    sketch = sketched(values)
    over = NumberBins.of(sketch)
    counts = over.counts(sketch)
    assert sum(counts) == sketch.present and len(counts) == len(over.edges) + 1
    assert list(over.edges) == sorted(set(over.edges))
    if over.edges:
        assert counts[0] == counts[-1] == 0
        assert all(counts[1:-1]) and len(counts) <= bins.MOST_BINS + 2


@given(numbers, numbers)
def test_counts_from_a_sketch_are_those_of_its_values(base: list[float], seen: list[float]) -> None:
    """Where the window spans no more octaves than what the edges come from."""
    whole = sketched(base + seen)
    over = NumberBins.of(whole)
    assigned = over.assign(np.array(seen, dtype=float))
    counts = np.bincount(assigned[assigned >= 0], minlength=len(over.edges) + 1)
    assert over.counts(sketched(seen)) == counts.tolist()
    assert (assigned < 0).sum() == sum(math.isnan(v) for v in seen)
    both = Sketch.merge(sketched(base), sketched(seen))
    assert over.counts(both) == over.counts(whole)


def test_ten_bins_hold_about_a_tenth_each() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=50_000), rng.exponential(size=50_000), 1e4 + rng.random(50_000)):
        sketch = sketched(values)
        counts = NumberBins.of(sketch).counts(sketch)
        assert len(counts) <= 12
        if len(counts) == 12:
            assert np.abs(np.array(counts[1:-1]) - 5000).max() < 400


def test_a_window_with_strays_is_counted_nearly_exactly() -> None:
    """Values of other magnitudes make a sketch coarser than the one the edges come from."""
    rng = np.random.default_rng(1)
    over = NumberBins.of(sketched(1000 + 40 * rng.random(20_000)))
    seen = np.r_[1000 + 40 * rng.random(2_000), 10.0 ** rng.integers(-30, 30, 40)]
    assigned = np.bincount(over.assign(seen), minlength=12)
    counts = over.counts(sketched(seen))
    assert sum(counts) == seen.size
    assert psi(counts, assigned.tolist()) < 0.02


@given(words, words)
def test_texts_beyond_the_frequent_ones_are_others(
    base: list[str | None], seen: list[str | None]
) -> None:
    over = TextBins.of(coded(base), most=2)
    ranked = sorted({v for v in base if v}, key=lambda v: (-base.count(v), v))
    assert list(over.categories) == ranked[:2]
    counts = over.counts(coded(seen))
    assert counts[:-1] == [seen.count(name) for name in over.categories]
    assert sum(counts) == len(seen) - seen.count(None)
    assigned = over.assign(codes(seen), NAMES)
    assert np.bincount(assigned[assigned >= 0], minlength=len(counts)).tolist() == counts


def test_long_texts_find_their_bin() -> None:
    long = ["x" * 200 + str(i) for i in range(3)]
    sketch = Sketch.codes(np.array([0, 1, 1]), long)
    over = bins.bins_of(sketch)
    assert isinstance(over, TextBins)
    assert over.assign(np.array([0, 1, 2, -1]), long).tolist() == [1, 0, 2, -1]
    assert over.counts(sketch) == [2, 1, 0]


@pytest.mark.parametrize(
    "sketch",
    [
        Sketch.numbers(np.array([1.0, 2.5, -3.0])),
        Sketch.numbers(np.array([])),
        Sketch.numbers(np.full(2, 1.7e308)),
        Sketch.codes(np.array([0, 1]), ["a", "b"]),
    ],
)
def test_bins_survive_json_law_10(sketch: Any) -> None:
    over = bins.bins_of(sketch)
    loaded = bins.from_json(json.loads(json.dumps(over.to_json(), allow_nan=False)))
    assert loaded == over and loaded.counts(sketch) == over.counts(sketch)
