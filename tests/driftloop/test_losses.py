"""How metrics scatter from one sample to the next, by which a window's is judged."""

from __future__ import annotations

import numpy as np
import pytest

from driftloop import losses
from driftloop.losses import AnyArray, Floats


def binary(rng: np.random.Generator, n: int) -> tuple[AnyArray, Floats]:
    """One row in twenty is of the second class."""
    truth = (rng.random(n) < 0.05).astype(np.int32)
    return truth, np.clip(rng.normal(0.3 + 0.25 * truth, 0.15), 0.01, 0.99).round(2)


def many(rng: np.random.Generator, n: int) -> tuple[AnyArray, Floats]:
    truth = rng.choice(3, n, p=[0.7, 0.2, 0.1])
    said = rng.random((n, 3)) + 0.5 * np.eye(3)[truth]
    return truth, said / said.sum(axis=1, keepdims=True)


def numbers(rng: np.random.Generator, n: int) -> tuple[AnyArray, Floats]:
    """In thousands."""
    truth = 1000 * rng.normal(size=n)
    return truth, np.asarray(truth + 600 * rng.normal(size=n))


CASES = [
    *((metric, binary) for metric in ("log_loss", "brier", "accuracy", "f1", "roc_auc")),
    *((metric, many) for metric in ("log_loss", "brier", "accuracy", "f1", "roc_auc")),
    *((metric, numbers) for metric in ("rmse", "mae", "r2")),
]


@pytest.mark.parametrize(("metric", "drawn"), CASES)
def test_a_metric_scatters_as_the_mean_of_its_rows_parts_does(metric: str, drawn) -> None:
    rng, rows = np.random.default_rng(7), 800
    parts = losses.parts(metric, *drawn(rng, 20_000))
    assert parts.shape == (20_000,) and np.isfinite(parts).all()
    found = [losses.value(metric, *drawn(rng, rows)) for _ in range(400)]
    seen = np.std([value for value in found if value is not None])
    assert parts.std() / rows**0.5 == pytest.approx(seen, rel=0.15)


def test_parts_of_a_metric_that_is_all_right_or_of_no_class_are_none_at_all() -> None:
    """law_10: nothing is divided by zero."""
    truth, sure = np.array([0, 0, 1, 1]), np.array([0.0, 0.0, 1.0, 1.0])
    for metric in ("f1", "roc_auc", "accuracy"):
        assert not losses.parts(metric, truth, sure).any()
    assert not losses.parts("f1", truth * 0, sure * 0).any()
    for metric in ("rmse", "r2"):
        assert not losses.parts(metric, truth, truth.astype(float)).any()
    assert np.isfinite(losses.parts("r2", np.ones(4), sure)).all()
