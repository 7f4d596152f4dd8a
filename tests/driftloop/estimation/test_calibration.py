"""Calibration: monotone, within bounds, and near what is true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from driftloop.estimation import calibration


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 600),
    digits=st.integers(0, 6),
    share=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_a_curve_rises_within_0_and_1_and_knows_every_score(
    seed: int, rows: int, digits: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random(rows).round(digits)  # few digits: many ties
    curve = calibration.fit(scores, (rng.random(rows) < share).astype(np.float64))
    assert all(a < b for a, b in zip(curve[0], curve[0][1:], strict=False))
    assert all(a <= b for a, b in zip(curve[1], curve[1][1:], strict=False))
    found = calibration.apply(curve, np.array([-1.0, 0.0, 0.5, 1.0, 2.0, *scores]))
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1


def test_few_rows_are_taken_at_their_word() -> None:
    scores = np.linspace(0, 1, calibration.FEWEST - 1)
    curve = calibration.fit(scores, np.zeros(scores.size))
    assert calibration.apply(curve, scores) == pytest.approx(scores)


@pytest.mark.parametrize("sureness", [0.5, 1.0, 2.0])
def test_scores_too_sure_or_not_sure_enough_are_put_right(sureness: float) -> None:
    """Nearer to the true chances than the raw scores are, and than isotonic regression in steps;
    and the mean is what is true."""
    off, raw, steps = [], [], []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        logit = rng.normal(0, 1.5, 4_000)
        chance, score = 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-sureness * logit))
        came_true = (rng.random(4_000) < chance).astype(np.float64)
        found = calibration.apply(calibration.fit(score, came_true), score)
        isotonic = IsotonicRegression(out_of_bounds="clip").fit(score, came_true).predict(score)
        for errors, given_ in ((off, found), (raw, score), (steps, isotonic)):
            errors.append(float(((given_ - chance) ** 2).mean()))
        assert found.mean() == pytest.approx(chance.mean(), abs=0.02)
    assert np.mean(off) < np.mean(steps)
    assert np.mean(off) < 2e-3 and (sureness == 1.0 or np.mean(off) < np.mean(raw) / 5)
