"""Statistics of sketches are those of the values, within the bounds they state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from driftloop import drift
from driftloop.drift.paired import shares
from driftloop.sketches.bins import NumberBins
from driftloop.sketches.sketch import NumberSketch

numbers = st.one_of(st.integers(-9, 9).map(float), st.floats(-1e6, 1e6), st.floats(-1e-6, 1e-6))
samples = st.lists(numbers, min_size=1, max_size=60)


def sketched(values: Any) -> NumberSketch:
    sketch = NumberSketch()
    sketch.update_numbers(np.array(values, np.float64))
    return sketch


def ks(first: Any, second: Any) -> float:
    """scipy's; its p-value is not asked for, and of single values it cannot be had."""
    with np.errstate(all="ignore"):
        return float(stats.ks_2samp(first, second, method="asymp").statistic)


def bounds_of_ks(p: Any, q: Any) -> float:
    return float(np.minimum(*shares(p, q)).max(initial=0.0))


@given(samples, samples)
def test_two_sketches_beside_each_other_hold_all_values(a: list[float], b: list[float]) -> None:
    borders, p, q = sketched(a).buckets.beside(sketched(b).buckets)
    assert (p.sum(), q.sum()) == (len(a), len(b))
    assert (borders[0], borders[-1]) == (min(a + b), max(a + b))
    assert (np.diff(borders) >= 0).all() and len(borders) == len(p) + 1


def test_sketches_without_values_have_no_bins() -> None:
    borders, p, q = sketched([]).buckets.beside(sketched([np.nan]).buckets)
    assert borders.size == p.size == q.size == 0
    assert drift.kolmogorov_smirnov(p, q) == 0


@given(samples, samples)
def test_kolmogorov_smirnov_is_within_its_bound(a: list[float], b: list[float]) -> None:
    exact = ks(a, b)
    _, p, q = sketched(a).buckets.beside(sketched(b).buckets)
    assert 0 <= exact - drift.kolmogorov_smirnov(p, q) + 1e-12 <= bounds_of_ks(p, q) + 2e-12
    over = NumberBins.of(sketched(a), most=8)
    p, q = over.counts(sketched(a)), over.counts(sketched(b))
    if len(over.edges) > 1 and sketched(a + b).width == sketched(a).width == sketched(b).width:
        assert 0 <= exact - drift.kolmogorov_smirnov(p, q) + 1e-12 <= bounds_of_ks(p, q) + 2e-12


@given(samples.filter(lambda v: np.std(v) > 0), samples)
def test_wasserstein_is_within_its_bound(a: list[float], b: list[float]) -> None:
    """In the values' own unit: the deviation is tested with everyday columns."""
    borders, p, q = sketched(a).buckets.beside(sketched(b).buckets)
    width, middle = np.diff(borders), (borders[1:] + borders[:-1]) / 2
    of_a = p / p.sum()
    mean = of_a @ middle
    deviation = np.sqrt(of_a @ ((middle - mean) ** 2 + width**2 / 12))
    found = float(drift.wasserstein(p, q, borders)) * deviation
    bound = float((sum(shares(p, q)) * width).sum()) / 2
    exact = stats.wasserstein_distance(a, b)
    if found < 1e8 * deviation:
        assert abs(found - exact) <= bound + 1e-9 * (abs(exact) + max(map(abs, a + b)))


@pytest.mark.parametrize("rows", [100_000])
def test_everyday_columns_are_told_to_four_digits(rows: int) -> None:
    rng = np.random.default_rng(5)
    for a, b in (
        (rng.normal(size=rows), rng.normal(0.1, 1.1, rows)),
        (rng.lognormal(3, 1, rows).round(2), rng.lognormal(3.1, 1, rows).round(2)),
        (rng.integers(0, 24, rows).astype(float), rng.integers(0, 23, rows).astype(float)),
    ):
        borders, p, q = sketched(a).buckets.beside(sketched(b).buckets)
        exact = ks(a, b)
        assert drift.kolmogorov_smirnov(p, q) == pytest.approx(exact, abs=2e-4)
        exact = stats.wasserstein_distance(a, b) / np.std(a)
        assert drift.wasserstein(p, q, borders) == pytest.approx(exact, rel=1e-2, abs=2e-4)


def test_values_beyond_the_edges_count_for_how_far_they_lie() -> None:
    """A feature × 100: nearly all of it is in one outer bin. (The deviation that 64 quantile bins
    tell is 7 % too large for this tail.)"""
    rng = np.random.default_rng(6)
    a = rng.gamma(4, 10, 20_000)
    over = NumberBins.of(sketched(a), most=64)
    for b in (100 * a, -a, a + 1e4, np.r_[a[:19_999], 1e12]):
        seen = sketched(b)
        found = drift.wasserstein(over.counts(sketched(a)), over.counts(seen), over.borders(seen))
        assert found == pytest.approx(stats.wasserstein_distance(a, b) / np.std(a), rel=0.08)


@given(samples, samples)
def test_borders_are_one_more_than_bins_and_ascend_law_10(a: list[float], b: list[float]) -> None:
    over = NumberBins.of(sketched(a))
    borders = over.borders(sketched(b))
    assert len(borders) == len(over.counts(sketched(b))) + 1
    assert np.isfinite(borders).all() and borders == sorted(borders)


@pytest.mark.parametrize(
    "reference, seen", [([1.7e308] * 3, [-1.7e308]), ([0.0], [1e308]), ([], [])]
)
def test_the_ends_of_the_scale_give_numbers_law_10(reference: Any, seen: Any) -> None:
    one, two = sketched(reference), sketched(seen)
    borders, p, q = one.buckets.beside(two.buckets)
    assert np.isfinite(drift.wasserstein(p, q, borders)) if len(p) else True
    over = NumberBins.of(one)
    borders_of = over.borders(two)
    assert np.isfinite(drift.wasserstein(over.counts(one), over.counts(two), borders_of))


@given(samples, samples, samples)
def test_a_window_in_pieces_drifts_as_in_one(
    a: list[float], b: list[float], c: list[float]
) -> None:
    whole, pieces = sketched(b + c), NumberSketch.merge(sketched(b), sketched(c))
    assert isinstance(pieces, NumberSketch)
    over = NumberBins.of(sketched(a))
    assert over.counts(whole) == over.counts(pieces) and over.borders(whole) == over.borders(pieces)
    for one, two in zip(
        sketched(a).buckets.beside(whole.buckets),
        sketched(a).buckets.beside(pieces.buckets),
        strict=True,
    ):
        assert one.tolist() == two.tolist()
