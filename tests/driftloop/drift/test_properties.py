"""What holds for every statistic, whatever the counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import drift
from driftloop.drift.wasserstein import FARTHEST

BINS = 5
BORDERS = [-2.0, -1.0, 0.0, 0.5, 3.0, 10.0]
ROWS = 10_000

Statistic = Callable[[Any, Any], Any]
STATISTICS: dict[str, tuple[Statistic, float]] = {
    "psi": (drift.psi, np.inf),
    "jensen_shannon": (drift.jensen_shannon, 1.0),
    "hellinger": (drift.hellinger, 1.0),
    "chi_squared": (drift.chi_squared, np.inf),
    "kolmogorov_smirnov": (drift.kolmogorov_smirnov, 1.0),
    "wasserstein": (partial(drift.wasserstein, borders=BORDERS), FARTHEST),
    "new_category_rate": (drift.new_category_rate, 1.0),
    "out_of_range_rate": (drift.out_of_range_rate, 1.0),
}
SYMMETRIC = ["psi", "jensen_shannon", "hellinger", "chi_squared", "kolmogorov_smirnov"]
METRICS = ["jensen_shannon", "hellinger", "kolmogorov_smirnov"]
PADDED = [name for name in STATISTICS if name != "wasserstein"]

counts = st.lists(st.integers(0, ROWS), min_size=BINS, max_size=BINS)
some = counts.filter(any)
each = pytest.mark.parametrize("name", STATISTICS)
few = settings(max_examples=30)  # of each of the statistics


def value(name: str, expected: Any, actual: Any) -> float:
    return float(STATISTICS[name][0](expected, actual))


@each
@few
@given(counts, counts)
def test_it_is_finite_and_within_its_bounds_law_10(name: str, p: list[int], q: list[int]) -> None:
    found = value(name, p, q)
    assert np.isfinite(found)
    assert 0 <= found <= STATISTICS[name][1]


@each
@few
@given(some, st.integers(1, 9))
def test_equal_shares_are_no_drift(name: str, p: list[int], times: int) -> None:
    assert value(name, p, p) == 0
    if name != "psi":  # half a row weighs less among more of them
        assert value(name, p, [times * n for n in p]) == pytest.approx(0, abs=1e-7)


@each
@few
@given(counts)
def test_nothing_to_compare_is_no_drift(name: str, p: list[int]) -> None:
    assert value(name, p, [0] * BINS) == value(name, [0] * BINS, p) == 0


@pytest.mark.parametrize("name", SYMMETRIC)
@few
@given(some, some)
def test_it_is_the_same_either_way_round(name: str, p: list[int], q: list[int]) -> None:
    assert value(name, p, q) == pytest.approx(value(name, q, p), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
@few
@given(some, some, some)
def test_a_detour_is_no_shorter(name: str, p: list[int], q: list[int], r: list[int]) -> None:
    assert value(name, p, r) <= value(name, p, q) + value(name, q, r) + 1e-7


@each
@few
@given(st.lists(counts, min_size=2, max_size=4), st.lists(counts, min_size=3, max_size=3))
def test_many_at_once_are_each_alone(name: str, ps: list[Any], qs: list[Any]) -> None:
    both = STATISTICS[name][0](np.array(ps)[:, None], np.array(qs))
    alone = [[value(name, p, q) for q in qs] for p in ps]
    assert both.shape == (len(ps), len(qs))
    np.testing.assert_allclose(both, alone, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", PADDED)
@few
@given(some, some, st.integers(0, BINS))
def test_bins_empty_on_both_sides_change_nothing(
    name: str, p: list[int], q: list[int], at: int
) -> None:
    padded = value(name, [*p[:at], 0, *p[at:]], [*q[:at], 0, *q[at:]])
    assert padded == pytest.approx(value(name, p, q), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", [n for n in STATISTICS if n != "psi"])
@few
@given(some, some, st.floats(0, 1))
def test_a_smaller_share_of_the_same_shift_is_no_larger(
    name: str, p: list[int], q: list[int], share: float
) -> None:
    """Monotone: of windows of one size, mixed of training's rows and strange ones."""
    usual, strange = (np.array(c) / sum(c) * ROWS for c in (p, q))
    part = value(name, p, (1 - share) * usual + share * strange)
    assert part <= value(name, p, strange) + 1e-6


@pytest.mark.parametrize("name", PADDED)
@few
@given(some, some)
def test_merged_bins_never_tell_more(name: str, p: list[int], q: list[int]) -> None:
    """Data processing: of f-divergences, and of what is looked at between bins."""
    if name != "psi":  # the half rows of a merged bin are one
        merged = value(name, [p[0] + p[1], *p[2:]], [q[0] + q[1], *q[2:]])
        assert merged <= value(name, p, q) * (1 + 1e-9) + 1e-7


@each
def test_other_bins_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="bins"):
        STATISTICS[name][0]([1, 2, 3], [1, 2, 3, 4])


@given(some, some, st.floats(-6, 6), st.floats(-1e3, 1e3))
def test_wasserstein_knows_no_units(p: list[int], q: list[int], power: float, zero: float) -> None:
    scale = 10.0**power
    other = [scale * b + zero * scale for b in BORDERS]
    assert drift.wasserstein(p, q, other) == pytest.approx(
        float(drift.wasserstein(p, q, BORDERS)), rel=1e-6
    )
    backwards = [-b for b in reversed(BORDERS)]
    assert drift.wasserstein(p[::-1], q[::-1], backwards) == pytest.approx(
        float(drift.wasserstein(p, q, BORDERS)), rel=1e-9
    )


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=6), some, some
)
def test_wasserstein_is_finite_over_any_borders_law_10(
    borders: list[float], p: list[int], q: list[int]
) -> None:
    found = float(drift.wasserstein(p, q, sorted(borders)))
    assert 0 <= found <= FARTHEST


@given(st.floats(0, 1), st.floats(0, 1))
def test_missing_shift_is_the_difference_either_way(p: float, q: float) -> None:
    assert drift.missing_shift(p, q) == drift.missing_shift(q, p) == abs(p - q)
    assert drift.missing_shift([p, q], q).tolist() == [abs(p - q), 0.0]
