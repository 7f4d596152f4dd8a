"""Confidence-based estimation: what is certain is what is realised; what is not, is its mean."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import losses
from driftloop.estimation import cbpe

METRICS = ("log_loss", "brier", "accuracy", "f1", "roc_auc")


def scores_of(rng: np.random.Generator, rows: int, classes: int) -> np.ndarray:
    drawn = rng.dirichlet(np.ones(classes), rows).round(2) + 1e-3  # with ties
    drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn[:, 1] if classes == 2 else drawn


@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 60),
    classes=st.integers(2, 5),
    metric=st.sampled_from(METRICS),
)
@settings(max_examples=150, deadline=None)
def test_chances_of_0_and_1_give_the_realised_metric(
    seed: int, rows: int, classes: int, metric: str
) -> None:
    rng = np.random.default_rng(seed)
    served, truth = scores_of(rng, rows, classes), rng.integers(0, classes, rows)
    found = cbpe.value({}, metric, np.eye(classes)[truth], served)
    assert found == pytest.approx(losses.value(metric, truth, served))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("metric", METRICS)
def test_the_estimate_is_the_mean_over_what_may_come_true(metric: str, classes: int) -> None:
    rng = np.random.default_rng(7)
    served = scores_of(rng, 500, classes)
    chances = rng.dirichlet(np.ones(classes) * 0.7, 500)
    draws = rng.random((300, 500, 1)) < chances.cumsum(axis=1)
    realised = [losses.value(metric, draw.argmax(axis=1), served) for draw in draws]
    error = 4 * np.std(realised) / len(realised) ** 0.5
    assert cbpe.value({}, metric, chances, served) == pytest.approx(np.mean(realised), abs=error)


@pytest.mark.parametrize("classes", [2, 3])
def test_calibrated_chances_add_up_to_1(classes: int) -> None:
    rng = np.random.default_rng(1)
    served, truth = scores_of(rng, 900, classes), rng.integers(0, classes, 900)
    document = json.loads(json.dumps(cbpe.fit("log_loss", truth, served), allow_nan=False))
    chances = cbpe.chances(document, served)
    assert chances.shape == (900, classes)
    assert chances.sum(axis=1) == pytest.approx(1.0) and chances.min() >= 0


def test_where_every_class_is_ruled_out_the_scores_hold() -> None:
    nothing = [[0.0, 1.0], [0.0, 0.0]]
    served = np.array([[0.2, 0.3, 0.5]])
    assert cbpe.chances({"curves": [nothing] * 3}, served).tolist() == served.tolist()


def test_what_is_undefined_is_said_to_be() -> None:
    sure = np.array([[0.0, 1.0]] * 5)
    assert cbpe.value({}, "roc_auc", sure, np.full(5, 0.7)) is None
    assert cbpe.value({}, "f1", sure[:, ::-1], np.full(5, 0.2)) == 0.0
