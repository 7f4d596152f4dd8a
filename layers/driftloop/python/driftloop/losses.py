"""Quality of served predictions once the truth is known (numpy only).

``predictions`` are what a plan scores: P(second class) for two classes, a row of probabilities for
more, the value itself for regression. ``target`` holds class codes, or numbers. Definitions are
scikit-learn's; probabilities are clipped at 1e-15 in ``log_loss`` as they were there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
AnyArray = npt.NDArray[np.generic]

GREATER_IS_BETTER = {"roc_auc", "accuracy", "f1", "r2"}


def as_loss(metric: str, value: float) -> float:
    """Turn a metric into something that is 0 at best: itself, or its distance from 1."""
    return 1.0 - value if metric in GREATER_IS_BETTER else value


def row_losses(metric: str, target: AnyArray, predictions: Floats) -> Floats:
    """Loss of each row whose mean is (or, for metrics without rows, stands in for) the metric's."""
    if metric in ("rmse", "mae", "r2"):
        error = predictions - target.astype(np.float64)
        return np.abs(error) if metric == "mae" else error**2
    probabilities = by_class(predictions)
    codes = target.astype(np.int64)
    rows = np.arange(codes.size)
    if metric == "brier":
        if probabilities.shape[1] == 2:
            return np.asarray((probabilities[:, 1] - codes) ** 2)
        truth = np.zeros_like(probabilities)
        truth[rows, codes] = 1.0
        return np.asarray(((probabilities - truth) ** 2).sum(axis=1))
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(probabilities[rows, codes], 1e-15, 1.0)))
    return np.asarray((probabilities.argmax(axis=1) != codes).astype(np.float64))


def parts(metric: str, target: AnyArray, predictions: Floats) -> Floats:
    """Each row's part in the loss (:func:`as_loss`), but for a constant: from one sample to the
    next the loss scatters as the mean of these does.

    Where a metric is no mean of rows these are its influence function (the delta method; of
    ``roc_auc`` as DeLong, DeLong & Clarke-Pearson, Biometrics 44(3), 1988). Zeros where the metric
    is undefined.
    """
    if metric in ("rmse", "r2"):
        truth = target.astype(np.float64)
        squares, spread = (predictions - truth) ** 2, (truth - truth.mean()) ** 2
        if metric == "rmse":
            return np.asarray(squares / (2 * max(float(squares.mean()) ** 0.5, 1e-150)))
        mean = float(spread.mean())
        return (squares - squares.mean() / mean * spread) / mean if mean > 0 else 0 * squares
    if metric not in ("roc_auc", "f1"):
        return row_losses(metric, target, predictions)
    codes, probabilities = target.astype(np.int64), by_class(predictions)
    picked = _judged_classes(probabilities)
    chosen = probabilities.argmax(axis=1)
    each = (
        _area_parts(codes == c, probabilities[:, c])
        if metric == "roc_auc"
        else _f1_parts(codes == c, chosen == c)
        for c in picked
    )
    return np.asarray(-sum(each) / len(picked))


def value(metric: str, target: AnyArray, predictions: Floats) -> float | None:
    """The metric over all rows; None where it is undefined (no rows, one class in roc_auc …)."""
    if target.size == 0:
        return None
    if metric in ("log_loss", "brier", "mae"):
        return float(row_losses(metric, target, predictions).mean())
    if metric == "rmse":
        return float(row_losses(metric, target, predictions).mean() ** 0.5)
    if metric == "accuracy":
        return 1.0 - float(row_losses(metric, target, predictions).mean())
    if metric == "r2":
        truth = target.astype(np.float64)
        spread = float(((truth - truth.mean()) ** 2).sum())
        return 1.0 - float(((predictions - truth) ** 2).sum()) / spread if spread > 0 else None
    codes, probabilities = target.astype(np.int64), by_class(predictions)
    picked = _judged_classes(probabilities)
    if metric == "roc_auc":
        areas = [_area(codes == c, probabilities[:, c]) for c in picked]
        known = [a for a in areas if a is not None]
        return float(np.mean(known)) if len(known) == len(areas) else None
    chosen = probabilities.argmax(axis=1)
    return float(np.mean([_f1(codes == c, chosen == c) for c in picked]))


def by_class(predictions: Floats) -> Floats:
    """``(n, classes)``, of two classes too."""
    if predictions.ndim == 2:
        return predictions
    return np.column_stack([1.0 - predictions, predictions])


def _judged_classes(probabilities: Floats) -> list[int]:
    """Of two classes the second, of more all."""
    classes = probabilities.shape[1]
    return [1] if classes == 2 else list(range(classes))


def _area(truth: npt.NDArray[np.bool_], score: Floats) -> float | None:
    """Area under the ROC curve as the Mann-Whitney statistic, ties counted half."""
    positive = int(truth.sum())
    negative = truth.size - positive
    if not positive or not negative:
        return None
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((rank[truth].sum() - positive * (positive + 1) / 2) / (positive * negative))


def _f1(truth: npt.NDArray[np.bool_], chosen: npt.NDArray[np.bool_]) -> float:
    both = int((truth & chosen).sum())
    total = int(truth.sum()) + int(chosen.sum())
    return 2 * both / total if total else 0.0


def _area_parts(truth: npt.NDArray[np.bool_], score: Floats) -> Floats:
    """Of each row, by how much its placement among those of the other class is off the mean."""
    positive = float(truth.mean())
    if not 0 < positive < 1:
        return np.zeros(truth.size)
    found = np.empty(truth.size)
    for mine, share in ((truth, positive), (~truth, 1 - positive)):
        others = np.sort(score[~mine])
        below = np.searchsorted(others, score[mine], "left")
        placed = (below + np.searchsorted(others, score[mine], "right")) / (2 * others.size)
        found[mine] = (placed - placed.mean()) / share
    return np.where(truth, found, -found)


def _f1_parts(truth: npt.NDArray[np.bool_], chosen: npt.NDArray[np.bool_]) -> Floats:
    total = truth + chosen.astype(np.float64)
    mean = float(total.mean()) or 1.0
    return np.asarray((2 * (truth & chosen) - _f1(truth, chosen) * total) / mean)
