"""Whether the version before answers the same rows better."""

from __future__ import annotations

import numpy as np
import pytest

from driftloop import ids
from driftloop.diagnosis.earlier import better
from driftloop.diagnosis.found import Floats

HOUR = 3_600_000
ROWS = 600
RECORDS = [
    {"id": name}
    for hour in range(12)
    for name in ids.prediction_ids(f"r{hour}", hour * HOUR, ROWS // 12)
]


def losses(mean: float) -> Floats:
    return np.random.default_rng(3).exponential(mean, ROWS)


@pytest.mark.parametrize(("now", "found"), [(2.0, True), (1.04, False), (1.0, False), (0.5, False)])
def test_only_what_is_clearly_better_and_worth_a_move_is(now: float, found: bool) -> None:
    assert (better(RECORDS, losses(now), losses(1.0)) is not None) is found


def test_rows_that_it_could_not_answer_do_not_count() -> None:
    before = losses(1.0)
    before[50:] = np.nan
    assert better(RECORDS, losses(9.0), before) is None  # fifty are too few


def test_what_cannot_be_told_is_no_bad_release_law_10() -> None:
    """A route is moved by it."""
    now = losses(1.0)
    now[:2] = np.inf
    with np.errstate(all="ignore"):
        assert better(RECORDS, now, losses(1.0)) is None
