"""The level that the largest statistic of the next window passes as often as the budget allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from driftloop.thresholds import standing, tail


def test_the_fit_is_the_gumbel_distributions_own() -> None:
    drawn = stats.gumbel_r.rvs(3.0, 2.0, size=200_000, random_state=0)
    assert tail.fit(drawn) == pytest.approx((3.0, 2.0), rel=0.01)


@pytest.mark.parametrize("n", [10, 50])
@pytest.mark.parametrize(("enough", "of"), [(1, 1), (2, 3)])
def test_the_next_window_passes_the_level_as_often_as_asked(n: int, enough: int, of: int) -> None:
    """Over the scatter of the sample as well; a fit taken for the truth is passed too often."""
    rng, asked = np.random.default_rng(1), 0.02
    sample = rng.gumbel(size=(20_000, n))
    to_come = tail.standing_of(rng.gumbel(size=(20_000, of)), enough, of)[:, 0]
    location, scale = tail.fit(tail.standing_of(sample, enough, of))
    passed = (to_come > location + tail.factor(n, asked, enough, of) * scale).mean()
    assert passed == pytest.approx(asked, abs=0.004)  # four deviations of 20,000 trials
    if n == 10 and of == 1:
        naive = (to_come > location - np.log(-np.log1p(-asked)) * scale).mean()
        assert naive > 1.5 * asked


@settings(max_examples=15)
@given(st.integers(5, 500), st.floats(1e-4, 0.2))
def test_rarer_alarms_and_fewer_windows_ask_for_more(n: int, rate: float) -> None:
    assert tail.factor(n, rate / 2) > tail.factor(n, rate)
    assert tail.factor(5, rate) >= tail.factor(n, rate) - 0.2


def test_windows_like_their_neighbours_count_for_fewer() -> None:
    rng = np.random.default_rng(3)
    apart = rng.gumbel(size=60)
    alike = np.repeat(rng.gumbel(size=20), 3)
    assert tail.worth(apart, 1) > 40 > tail.worth(alike, 1)
    assert tail.worth(np.ones(60), 1) == 60


@given(st.lists(st.none() | st.floats(0, 5), max_size=12), st.integers(1, 4), st.integers(0, 3))
def test_an_alarm_stands_just_if_enough_of_the_last_are_over(
    ratios: list[float | None], enough: int, more: int
) -> None:
    last = [ratio for ratio in ratios if ratio is not None][-enough - more :]
    found = standing(ratios, f"{enough} of {enough + more}")
    assert (found is not None and found > 1) == (sum(ratio > 1 for ratio in last) >= enough)
