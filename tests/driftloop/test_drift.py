"""Losses against simulation and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from driftloop import losses


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
