"""Which stretches of the training data stand for windows."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.thresholds.blocks import FEWEST, MOST, blocks

DAY = 86_400_000


def times(days: float, rows: int) -> np.ndarray:
    return np.sort(np.random.default_rng(0).integers(0, round(days * DAY), rows))


@pytest.mark.parametrize(
    ("days", "rows", "how", "windows"),
    [
        (30, 9000, "windows", 30),
        (3, 9000, "parts of windows", 3),
        (400, 9000, "runs of rows", 90),
        (400, 700, "rows drawn by chance", 0),
    ],
)
def test_they_are_what_the_data_have(days: float, rows: int, how: str, windows: int) -> None:
    found = blocks(times(days, rows), rows, timedelta(days=1), 100, 0.01)
    assert found is not None
    assert (found.how, found.windows) == (how, windows)
    assert found.count >= FEWEST


def test_without_times_rows_are_drawn_and_count_as_windows() -> None:
    found = blocks(None, 5000, timedelta(days=1), 100, 0.0002)
    assert found is not None and found.drawn
    assert found.windows == found.count == 500  # as many as that rate needs
    assert blocks(None, 3, timedelta(days=1), 100, 0.01) is None


@given(st.integers(200, 4000), st.integers(20, 200), st.booleans())
def test_a_block_is_of_one_window_and_thinned_by_chance(
    rows: int, fewest: int, timed: bool
) -> None:
    time = times(10, rows) if timed else None
    found = blocks(time, rows, timedelta(days=1), fewest, 0.01)
    assert found is not None
    before = np.zeros(0, np.int64)
    for size, (taken, block) in zip(found.sizes, found.taken(), strict=True):
        counts = np.bincount(block, minlength=found.count)
        assert counts.max() <= size and counts.min() >= min(size, fewest, rows // 5)
        for each in range(0, found.count, 50):
            assert len(set(taken[block == each].tolist())) == counts[each]
        if found.how == "windows":
            assert time is not None and len(set(zip(block, time[taken] // DAY, strict=True))) <= 10
        assert set(before.tolist()) <= set(taken.tolist())
        before = taken


def test_days_with_too_few_rows_are_no_windows() -> None:
    time = np.concatenate([times(30, 9000), np.arange(50) + 40 * DAY])
    found = blocks(time, time.size, timedelta(days=1), 100, 0.01)
    assert found is not None and found.windows == 30 and found.rows.max() < 9000


def test_very_many_windows_are_seen_in_runs() -> None:
    rows = 3 * 100_000
    found = blocks(times(100_000 / 1440, rows), rows, timedelta(minutes=1), 1, 0.01)
    assert found is not None and MOST / 2 < found.count <= MOST


def test_a_holdout_at_the_end_is_a_stretch_and_one_from_everywhere_is_none() -> None:
    time = times(30, 9000)
    found = blocks(time, 9000, timedelta(days=1), 100, 0.01)
    assert found is not None
    chosen = found.stretches(np.flatnonzero(time >= 24 * DAY))
    assert chosen is not None
    assert (chosen.sum(1) == 6).all() and not chosen.diagonal().any()
    assert found.stretches(np.arange(0, 9000, 5)) is None
