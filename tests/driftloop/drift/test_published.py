"""The statistics against scipy and published figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from driftloop import drift

counts = st.lists(st.integers(0, 10_000), min_size=4, max_size=4).filter(any)
filled = st.lists(st.integers(1, 10_000), min_size=4, max_size=4)


def test_psi_is_the_sum_of_both_divergences() -> None:
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])
    wanted = stats.entropy(p, q) + stats.entropy(q, p)
    assert drift.psi(p * 1e9, q * 1e9) == pytest.approx(wanted, rel=1e-6)


@given(counts, counts)
def test_jensen_shannon_is_scipys_to_base_2(p: list[int], q: list[int]) -> None:
    wanted = jensenshannon(p, q, base=2)
    assert drift.jensen_shannon(p, q) == pytest.approx(float(np.nan_to_num(wanted)), abs=1e-7)


@given(filled, filled)
def test_chi_squared_is_scipys_without_correction(p: list[int], q: list[int]) -> None:
    wanted = stats.chi2_contingency([p, q], correction=False).statistic
    assert drift.chi_squared(p, q) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_chi_squared_of_a_textbook_table() -> None:
    """Agresti, *Categorical Data Analysis* (2nd ed., 2002), table 3.1: aspirin and heart attacks,
    fatal, not fatal and none, of 11,034 and 11,037 physicians; X² = 26.9."""
    assert drift.chi_squared([18, 171, 10_845], [5, 99, 10_933]) == pytest.approx(26.9, abs=0.05)


@given(counts, counts)
def test_hellinger_is_what_the_affinity_says(p: list[int], q: list[int]) -> None:
    a, b = np.array(p) / sum(p), np.array(q) / sum(q)
    affinity = float(np.sqrt(a * b).sum())  # Bhattacharyya's
    assert float(drift.hellinger(p, q)) ** 2 == pytest.approx(1 - affinity, abs=1e-9)
    total_variation = float(np.abs(a - b).sum()) / 2
    distance = float(drift.hellinger(p, q))
    assert distance**2 - 1e-9 <= total_variation <= np.sqrt(2) * distance + 1e-9


values = st.lists(st.integers(0, 9), min_size=1, max_size=40)


def ks(first: Any, second: Any) -> float:
    """scipy's; its p-value is not asked for, and of single values it cannot be had."""
    with np.errstate(all="ignore"):
        return float(stats.ks_2samp(first, second, method="asymp").statistic)


@given(values, values)
def test_kolmogorov_smirnov_of_single_values_is_scipys(first: list[int], second: list[int]) -> None:
    p, q = (np.bincount(side, minlength=10) for side in (first, second))
    assert drift.kolmogorov_smirnov(p, q) == pytest.approx(ks(first, second), abs=1e-12)


@given(values.filter(lambda v: len(set(v)) > 1), values)
def test_wasserstein_of_single_values_is_scipys(first: list[int], second: list[int]) -> None:
    """Values as narrow bins with gaps between."""
    wide, borders = 1e-9, np.repeat(np.arange(10.0), 2)
    borders[1::2] += 1e-9
    p, q = np.zeros(19), np.zeros(19)
    p[::2], q[::2] = (np.bincount(side, minlength=10) for side in (first, second))
    wanted = stats.wasserstein_distance(first, second) / np.std(first)
    assert drift.wasserstein(p, q, borders) == pytest.approx(wanted, abs=100 * wide)


def test_wasserstein_of_a_moved_normal_is_the_move() -> None:
    borders = np.linspace(-8, 10, 2_000)
    p, q = (np.diff(stats.norm.cdf(borders, mean)) for mean in (0, 1.5))
    assert drift.wasserstein(p, q, borders) == pytest.approx(1.5, rel=1e-4)
    assert drift.kolmogorov_smirnov(p, q) == pytest.approx(2 * stats.norm.cdf(0.75) - 1, abs=1e-4)


def test_new_categories_and_values_out_of_range_are_counted() -> None:
    assert drift.new_category_rate([5, 0, 5, 0], [1, 2, 3, 4]) == pytest.approx(0.6)
    assert drift.out_of_range_rate([0, 5, 0, 5, 0], [1, 2, 3, 4, 10]) == pytest.approx(0.55)


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 30])
@pytest.mark.parametrize("probability", [0.95, 0.999, 0.99999])
def test_chi2_quantile_is_scipys(degrees: int, probability: float) -> None:
    wanted = stats.chi2.ppf(probability, degrees)
    assert drift.chi2_quantile(degrees, probability) == pytest.approx(wanted, rel=0.06)


@pytest.mark.parametrize("bins", [2, 10])
def test_chi_squared_between_samples_scatters_as_it_says(bins: int) -> None:
    rng = np.random.default_rng(0)
    shares = np.full(bins, 1 / bins)
    found = drift.chi_squared(
        rng.multinomial(20_000, shares, 4000), rng.multinomial(500, shares, 4000)
    )
    limit = stats.chi2.ppf(0.95, bins - 1)
    assert 0.04 < (found > limit).mean() < 0.06


def test_psi_between_samples_scatters_as_published() -> None:
    """Yurdakul & Naranjo (2020): as ``(1/n + 1/N) · χ²`` of one degree less than bins."""
    rng = np.random.default_rng(1)
    shares, reference, rows = np.full(10, 0.1), 20_000, 500
    found = drift.psi(
        rng.multinomial(reference, shares, 4000), rng.multinomial(rows, shares, 4000)
    ) / (1 / rows + 1 / reference)
    assert found.mean() == pytest.approx(9, rel=0.03)
    assert 0.04 < (found > stats.chi2.ppf(0.95, 9)).mean() < 0.06
