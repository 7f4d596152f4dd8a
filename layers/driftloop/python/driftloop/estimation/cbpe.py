"""Confidence-based performance estimation, of classes (numpy only).

NannyML's definitions, docs/how_it_works/performance_estimation: with calibrated probabilities of
each class, every row counts as each class by its probability; so an expected confusion matrix, and
of it the metric. Of more than two classes, each is calibrated against the rest, the probabilities
then brought to a sum of 1, and F1 and the area are means over the classes. Log loss and Brier score
are the expectation of a row's loss over its classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from driftloop import losses
from driftloop.estimation import calibration
from driftloop.estimation.calibration import Floats

METHOD = "cbpe"


def fit(metric: str, target: Floats, served: Floats) -> dict[str, Any]:
    """The document of it, from the holdout.

    ``target``: codes of classes, ``(n,)``; ``served``: P(second class), or ``(n, classes)``."""
    scores = losses.by_class(served)
    codes = range(1, 2) if scores.shape[1] == 2 else range(scores.shape[1])
    curves = [calibration.fit(scores[:, c], (target == c).astype(np.float64)) for c in codes]
    return {"method": METHOD, "metric": metric, "curves": curves}


def chances(document: Mapping[str, Any], served: Floats) -> Floats:
    """Calibrated probabilities, ``(n, classes)``."""
    scores, curves = losses.by_class(served), document["curves"]
    if len(curves) == 1:
        yes = calibration.apply(curves[0], scores[:, 1])
        return np.column_stack([1.0 - yes, yes])
    found = np.column_stack(
        [calibration.apply(c, s) for c, s in zip(curves, scores.T, strict=True)]
    )
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), scores)


def row_losses(metric: str, chances: Floats, served: Floats) -> Floats:
    """The expectation of ``losses.row_losses`` of each row."""
    rows, classes = chances.shape
    every = (losses.row_losses(metric, np.full(rows, c), served) for c in range(classes))
    return np.asarray(sum(chances[:, c] * loss for c, loss in enumerate(every)), np.float64)


def value(
    document: Mapping[str, Any], metric: str, chances: Floats, served: Floats
) -> float | None:
    """The metric that is to be expected; None where it is undefined."""
    if metric in ("log_loss", "brier", "accuracy"):
        mean = float(row_losses(metric, chances, served).mean())
        return 1.0 - mean if metric == "accuracy" else mean
    scores = losses.by_class(served)
    codes = [1] if scores.shape[1] == 2 else list(range(scores.shape[1]))
    if metric == "roc_auc":
        areas = [_area(chances[:, c], scores[:, c]) for c in codes]
        known = [area for area in areas if area is not None]
        return float(np.mean(known)) if len(known) == len(areas) else None
    chosen = scores.argmax(axis=1)
    return float(np.mean([_f1(chances[:, c], chosen == c) for c in codes]))


def _area(chance: Floats, score: Floats) -> float | None:
    """Mann-Whitney's, each row being positive and negative by its chance; ties count half."""
    _, place = np.unique(score, return_inverse=True)
    positive, negative = np.bincount(place, chance), np.bincount(place, 1.0 - chance)
    pairs = float(positive.sum() * negative.sum())
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum()) / pairs if pairs > 0 else None


def _f1(chance: Floats, chosen: Any) -> float:
    total = float(chance.sum() + chosen.sum())
    return 2 * float(chance[chosen].sum()) / total if total else 0.0
