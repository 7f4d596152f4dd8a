"""Sketches: the same in any cut and order, and as near to the truth as they say."""

from __future__ import annotations

import json
import math
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.sketches import buckets, distinct, tally
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch

Floats = npt.NDArray[np.float64]

tame = st.one_of(st.integers(-50, 50).map(float), st.floats(-1e6, 1e6))
wild = st.one_of(tame, st.floats())  # NaN, infinities, denormals, both zeros
cuts = st.lists(st.integers(0, 60), max_size=4)


def cut(values: Any, at: list[int]) -> list[Any]:
    bounds = [0, *sorted(at), len(values)]
    return [values[a:b] for a, b in pairwise(bounds)]


def content(sketch: Sketch) -> dict[str, Any]:
    """All of it but the moments, whose last digits may differ."""
    document = json.loads(json.dumps(sketch.to_json(), allow_nan=False))
    document.pop("moments", None)
    return dict(document)


def close(one: float | None, two: float | None, rel: float = 1e-9, scale: float = 0.0) -> bool:
    if one is None or two is None:
        return one is two
    return math.isclose(one, two, rel_tol=rel, abs_tol=rel * scale)


@given(st.lists(wild, max_size=60), cuts, st.randoms())
def test_numbers_are_the_same_however_cut_and_in_any_order(
    values: list[float], at: list[int], chance: Any
) -> None:
    whole = Sketch.numbers(np.array(values, dtype=float))
    parts = [Sketch.numbers(np.array(part, dtype=float)) for part in cut(values, at)]
    chance.shuffle(parts)
    merged = reduce(Sketch.merge, parts)
    assert content(merged) == content(whole)
    grown = NumberSketch()
    for part in cut(values, at):
        grown.update_numbers(np.array(part, dtype=float))
    assert content(grown) == content(whole)
    scale = max(abs(whole.min or 0), abs(whole.max or 0))
    if scale < 1e150:
        assert close(merged.mean, whole.mean, scale=scale)
        assert close(merged.deviation, whole.deviation, scale=scale)


@given(st.lists(tame, min_size=1, max_size=60), st.lists(tame, min_size=1, max_size=60))
def test_moments_are_numpys(first: list[float], second: list[float]) -> None:
    both = Sketch.merge(Sketch.numbers(np.array(first)), Sketch.numbers(np.array(second)))
    values = np.array(first + second)
    scale = float(np.abs(values).max())
    assert close(both.mean, float(values.mean()), scale=scale)
    assert close(both.deviation, float(values.std(ddof=1)), scale=scale)
    assert (both.min, both.max) == (values.min(), values.max())


def test_moments_keep_their_digits_far_from_zero() -> None:
    values = 1e9 + np.random.default_rng(0).normal(size=200_000)
    merged = reduce(Sketch.merge, map(Sketch.numbers, np.array_split(values, 37)))
    assert close(merged.mean, float(values.mean()))
    assert close(merged.deviation, float(values.std(ddof=1)))


@given(st.lists(wild, max_size=60))
def test_a_sketch_of_numbers_survives_json_and_goes_on_counting_law_10(
    values: list[float],
) -> None:
    sketch = Sketch.numbers(np.array(values, dtype=float))
    loaded = Sketch.from_json(json.loads(json.dumps(sketch.to_json(), allow_nan=False)))
    assert loaded.to_json() == sketch.to_json()
    for each in (sketch, loaded):
        each.update_numbers(np.array([1.5, np.nan, -2e300]))
    assert loaded.to_json() == sketch.to_json()


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=80),
       st.floats(0, 1))  # fmt: skip
def test_a_quantile_errs_by_no_more_than_the_width_of_a_bucket(
    values: list[float], q: float
) -> None:
    sketch = NumberSketch()
    sketch.update_numbers(np.array(values))
    found = sketch.quantile(q)
    truth = sorted(values)[max(math.ceil(q * len(values)), 1) - 1]
    assert found is not None
    assert abs(found - truth) <= abs(truth) * sketch.width + 2.0**-1022
    assert min(values) <= found <= max(values)


def test_quantiles_of_everyday_columns_are_within_a_five_hundredth_and_short() -> None:
    rng = np.random.default_rng(1)
    for values in (
        rng.normal(size=300_000),
        rng.lognormal(3, 2, 300_000).round(2),
        rng.exponential(size=300_000),
    ):
        sketch = NumberSketch()
        sketch.update_numbers(values)
        assert sketch.width <= 1 / 512
        for q in (0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999):
            truth = float(np.quantile(values, q, method="inverted_cdf"))
            assert close(sketch.quantile(q), truth, rel=1 / 512)
    hours = Sketch.numbers(rng.integers(0, 24, 10_000).astype(float))
    assert [hours.quantile(q) for q in (0, 0.5, 1)] == [0.0, 11.0, 23.0]
    years = Sketch.numbers(np.array([2013.0, 2014.0, 2014.0]))  # far from zero, close together
    assert years.quantile(0.1) == 2013.0 and years.top(2) == [(2014.0, 2), (2013.0, 1)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60),
       st.data())  # fmt: skip
def test_counts_below_a_buckets_border_are_exact(values: list[float], data: Any) -> None:
    sketch = NumberSketch()
    sketch.update_numbers(np.array(values))
    found, _ = sketch.buckets.filled()
    near = data.draw(st.lists(st.sampled_from(found.tolist()), min_size=1))
    borders = sketch.buckets.border(np.array(near) + data.draw(st.integers(0, 1)))
    borders = borders[np.isfinite(borders)]
    below = sketch.buckets.below(borders)
    assert below.tolist() == [sum(v < edge for v in values) for edge in borders.tolist()]


@given(st.lists(tame, max_size=60), st.integers(1, 12))
def test_a_histogram_holds_every_value(values: list[float], bins: int) -> None:
    edges, counts = Sketch.numbers(np.array(values, dtype=float)).histogram(bins)
    if not values:
        assert edges.size == counts.size == 0
        return
    assert (edges[0], edges[-1]) == (min(values), max(values))
    assert (counts >= -1e-9).all() and counts.sum() == pytest.approx(len(values))


def test_a_histogram_is_near_the_true_one() -> None:
    values = np.random.default_rng(2).gamma(2, 30, 100_000)
    sketch = NumberSketch()
    sketch.update_numbers(values)
    edges, counts = sketch.histogram(25)
    truth, _ = np.histogram(values, edges)
    assert np.abs(counts - truth).max() < 0.002 * values.size


def test_buckets_get_coarser_before_the_table_gets_large() -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2**64, 200_000, dtype=np.uint64).view(np.float64)
    values = bits[np.isfinite(bits)]
    whole = NumberSketch()
    whole.update_numbers(values)
    assert whole.buckets.bits == 3 and whole.buckets.counts.size <= buckets.TABLE
    parts = [Sketch.numbers(part) for part in np.array_split(np.sort(values), 9)]
    assert content(reduce(Sketch.merge, reversed(parts))) == content(whole)
    assert (whole.mean, whole.deviation) == (None, None)  # beyond a float's range
    assert len(json.dumps(whole.to_json(), allow_nan=False)) < 250_000


@pytest.mark.parametrize("n", [0, 1, 1000, 1023, 1024, 5000, 100_000])
def test_distinct_values_are_exact_below_a_bound_and_near_beyond(n: int) -> None:
    values = np.random.default_rng(n).permutation(np.repeat(np.arange(n) * 0.1, 3))
    sketch = Sketch.numbers(values)
    assert sketch.exact == (n < distinct.MOST)
    error = 0 if sketch.exact else 4 / math.sqrt(distinct.MOST - 2)
    assert abs(sketch.distinct - n) <= error * n


def test_values_of_one_bucket_are_told_apart() -> None:
    values = np.random.default_rng(6).permutation(np.repeat(7 + np.arange(900) * 1e-9, 4))
    sketch = NumberSketch()
    for part in np.array_split(values, 50):
        sketch.update_numbers(part)
    assert len(sketch.top(9)) == 1 and (sketch.distinct, sketch.exact) == (900, True)


def test_the_distinct_estimate_is_unbiased() -> None:
    rng = np.random.default_rng(4)
    found = [Sketch.numbers(np.tile(rng.random(9_000), 2)).distinct / 9_000 for _ in range(60)]
    assert abs(float(np.mean(found)) - 1) < 4 * 0.031 / math.sqrt(60)
    assert 0.02 < float(np.std(found)) < 0.042  # 1/√(k − 2) is 0.031


def test_both_zeros_are_one_value_and_infinities_are_missing() -> None:
    sketch = Sketch.numbers(np.array([0.0, -0.0, np.inf, -np.inf, np.nan]))
    assert (sketch.rows, sketch.missing, sketch.distinct) == (5, 3, 1)
    assert str(sketch.min) == str(sketch.max) == str(sketch.quantile(0.5)) == "0.0"
    nothing = Sketch.numbers(np.array([np.nan]))
    assert nothing.min is nothing.mean is nothing.deviation is nothing.quantile(0.5) is None
    assert nothing.top(3) == [] and nothing.distinct == 0


words = st.lists(st.one_of(st.none(), st.text(max_size=3), st.text(min_size=119, max_size=140)),
                 max_size=40)  # fmt: skip


def coded(values: list[str | None]) -> tuple[npt.NDArray[np.int64], list[str]]:
    names = sorted({v for v in values if v is not None})
    return np.array([-1 if v is None else names.index(v) for v in values], np.int64), names


@given(words, cuts, st.randoms(), st.sampled_from([3, 8, 8192]))
def test_texts_are_the_same_however_cut_and_in_any_order(
    values: list[str | None], at: list[int], chance: Any, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "MOST", most)
        whole = Sketch.codes(*coded(values))
        parts = [Sketch.codes(*coded(part)) for part in cut(values, at)]
        chance.shuffle(parts)
        assert content(reduce(Sketch.merge, parts)) == content(whole)
        grown = TextSketch()
        for part in cut(values, at):
            grown.update_codes(*coded(part))
        assert content(grown) == content(whole)
        loaded = Sketch.from_json(content(whole))
        loaded.update_codes(*coded(["so", "it", "goes", "on"]))
        whole.update_codes(*coded(["so", "it", "goes", "on"]))
        assert content(loaded) == content(whole)


@given(words)
def test_texts_are_counted_exactly_while_they_are_few(values: list[str | None]) -> None:
    sketch = TextSketch()
    sketch.update_codes(*coded(values))
    seen = sorted({v for v in values if v is not None})
    assert sketch.counts(seen) == [values.count(name) for name in seen]
    assert (sketch.distinct, sketch.exact) == (len(seen), True)
    assert (sketch.rows, sketch.missing) == (len(values), values.count(None))


def test_of_many_texts_a_sample_is_kept_whose_counts_are_exact() -> None:
    rng = np.random.default_rng(5)
    names = [f"N{i:05}" for i in range(30_000)]
    codes = rng.permutation(np.r_[np.arange(30_000), rng.integers(0, 30_000, 60_000)])
    sketch = TextSketch()
    for part in np.array_split(codes, 7):
        sketch.update_codes(part, names)
    truth = np.bincount(codes)
    kept = sketch.top(tally.MOST)
    assert len(kept) == tally.MOST and not sketch.exact
    assert all(count == truth[int(name[1:])] for name, count in kept)
    assert abs(sketch.distinct - 30_000) < 30_000 * 4 / math.sqrt(tally.MOST)
    share = sum(count for _, count in kept) / codes.size
    assert abs(share - tally.MOST / 30_000) < 0.02  # unbiased: as many rows as names


def test_long_texts_stay_different_and_are_kept_short() -> None:
    one, two = "x" * 200 + "1", "x" * 200 + "2"
    sketch = TextSketch()
    sketch.update_codes(np.array([0, 1, 1]), [one, two])
    assert sketch.distinct == 2 and sketch.counts([one, two]) == [1, 2]
    (label, count), _ = sketch.top(2)
    assert len(label) < 140 and sketch.counts([label]) == [count] == [2]


def test_numbers_and_texts_do_not_mix() -> None:
    number, text = NumberSketch(), TextSketch()
    with pytest.raises(ValueError, match="cannot be added"):
        Sketch.merge(number, text)
    with pytest.raises(TypeError, match="takes no texts"):
        number.update_codes(np.array([0]), ["a"])
    with pytest.raises(TypeError, match="takes no numbers"):
        text.update_numbers(np.array([0.0]))
    assert text.min is text.max is text.mean is text.deviation is text.quantile(0.5) is None


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_large_columns_are_the_same_however_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=70_000) * 10.0 ** rng.integers(-3, 4)
    values[rng.random(values.size) < 0.1] = np.nan
    parts = [Sketch.numbers(p) for p in np.split(values, np.sort(rng.integers(0, 70_000, 3)))]
    assert content(reduce(Sketch.merge, parts)) == content(Sketch.numbers(values))
