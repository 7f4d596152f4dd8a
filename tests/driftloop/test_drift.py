"""Thresholds and losses against simulation and scikit-learn."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from driftloop import drift, losses, thresholds


def test_psi_between_samples_scatters_as_its_bound_says() -> None:
    rng = np.random.default_rng(0)
    shares, reference, rows = np.full(10, 0.1), 20_000, 500
    limit = thresholds.psi_sampling(10, 0.05, reference, rows)
    over = [
        drift.psi(rng.multinomial(reference, shares).tolist(),
                  rng.multinomial(rows, shares).tolist()) > limit
        for _ in range(2000)
    ]  # fmt: skip
    assert 0.03 < np.mean(over) < 0.07


def test_alpha_shares_the_budget_among_windows_and_tests() -> None:
    assert thresholds.alpha("4/year", timedelta(days=1)) == pytest.approx(4 / 365.25)
    assert thresholds.alpha("1/week", timedelta(hours=1), 10) == pytest.approx(1 / 168 / 10)
    assert thresholds.alpha("9/day", timedelta(days=30)) == 0.25


def test_blocks_hold_every_row_once_and_enough_each() -> None:
    time = np.sort(np.random.default_rng(0).integers(0, 30 * 86_400_000, 5000))
    for window in (timedelta(hours=1), timedelta(days=1), timedelta(days=90)):
        found = thresholds.blocks(time, 5000, window, 100)
        assert sorted(np.concatenate(found).tolist()) == list(range(5000))
        assert all(block.size >= 100 for block in found)
        assert len(found) >= thresholds.FEWEST_BLOCKS
    assert thresholds.blocks(None, 0, timedelta(days=1), 100) == []


def test_a_threshold_beyond_reach_is_brought_back() -> None:
    wild = np.array([0.001, 2.0, 0.5, 4.0, 0.01, 3.0, 0.2, 1.0])
    assert thresholds.tail(wild, 1e-5, 6.0) == 6.0
    assert thresholds.tail(wild, 1e-5, 3.0) == 4.0


@given(st.integers(2, 40), st.integers(0, 10_000))
def test_losses_are_scikit_learns(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.r_[0, 1, rng.integers(0, 2, n)]
    score = np.round(rng.uniform(0.01, 0.99, truth.size), 1).clip(0.05, 0.95)
    assert losses.value("log_loss", truth, score) == pytest.approx(metrics.log_loss(truth, score))
    assert losses.value("brier", truth, score) == pytest.approx(
        metrics.brier_score_loss(truth, score)
    )
    assert losses.value("roc_auc", truth, score) == pytest.approx(
        metrics.roc_auc_score(truth, score)
    )
    chosen = score > 0.5
    assert losses.value("accuracy", truth, score) == pytest.approx((chosen == truth).mean())
    assert losses.value("f1", truth, score) == pytest.approx(
        metrics.f1_score(truth, chosen, zero_division=0)
    )
    numbers, guess = rng.normal(size=truth.size), rng.normal(size=truth.size)
    assert losses.value("rmse", numbers, guess) == pytest.approx(
        metrics.root_mean_squared_error(numbers, guess)
    )
    assert losses.value("mae", numbers, guess) == pytest.approx(
        metrics.mean_absolute_error(numbers, guess)
    )
    assert losses.value("r2", numbers, guess) == pytest.approx(metrics.r2_score(numbers, guess))


def test_many_classes_are_scikit_learns() -> None:
    rng = np.random.default_rng(3)
    truth = np.r_[0, 1, 2, rng.integers(0, 3, 60)]
    score = rng.dirichlet([1, 1, 1], truth.size)
    assert losses.value("log_loss", truth, score) == pytest.approx(metrics.log_loss(truth, score))
    assert losses.value("roc_auc", truth, score) == pytest.approx(
        metrics.roc_auc_score(truth, score, multi_class="ovr")
    )
    assert losses.value("f1", truth, score) == pytest.approx(
        metrics.f1_score(truth, score.argmax(axis=1), average="macro")
    )


def test_what_is_undefined_is_none_law_10() -> None:
    nothing = np.array([])
    for metric in ("log_loss", "roc_auc", "rmse", "r2"):
        assert losses.value(metric, nothing, nothing) is None
    assert losses.value("roc_auc", np.array([1, 1]), np.array([0.2, 0.4])) is None
    assert losses.value("r2", np.array([2.0, 2.0]), np.array([1.0, 3.0])) is None
