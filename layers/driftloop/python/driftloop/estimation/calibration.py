"""From a score to how often it comes true: a monotone broken line, as plain numbers.

Isotonic regression by pooling adjacent violators (Ayer et al., Annals of Mathematical Statistics
26, 1955; for probabilities Zadrozny and Elkan, KDD 2002) over groups of rows of like score, drawn
through the groups' means instead of in steps: single rows of extreme score then claim no certainty.
Scores that are no worse as they are stay so (NannyML asks the same first): a curve has errors too.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Curve = list[list[float]]  # scores, ascending, and what each stands for

FEWEST = 100  # rows; of fewer, scores are taken as they are
_GROUP, _GROUPS = 20, 200  # rows of a group at least, and groups at most
_FOLDS = 5
_AS_THEY_ARE: Curve = [[0.0, 1.0], [0.0, 1.0]]


def fit(scores: Floats, came_true: Floats) -> Curve:
    """The curve of ``(n,)`` scores and of whether (1, 0) each came true; the scores as they are
    where, by Brier score on rows it was not fitted to, a curve is no better.

    >>> fit(np.repeat([0.2, 0.4], 100), np.r_[np.zeros(90), np.ones(10), np.tile([0.0, 1.0], 50)])
    [[0.2, 0.4], [0.1, 0.5]]
    """
    if scores.size < FEWEST:
        return _AS_THEY_ARE
    fold, better = np.arange(scores.size) % _FOLDS, 0.0
    for k in range(_FOLDS):
        held, curve = fold == k, isotonic(scores[fold != k], came_true[fold != k])
        found = (apply(curve, scores[held]) - came_true[held]) ** 2
        better += float(((scores[held] - came_true[held]) ** 2 - found).sum())
    return isotonic(scores, came_true) if better > 0 else _AS_THEY_ARE


def isotonic(scores: Floats, came_true: Floats) -> Curve:
    """The rising curve through the means of groups of rows of like score."""
    distinct, place = np.unique(scores, return_inverse=True)
    rows = np.bincount(place).astype(np.float64)
    size = max(_GROUP, scores.size / _GROUPS)
    group = ((np.cumsum(rows) - rows / 2) // size).astype(np.int64)  # equal scores stay together
    _, group = np.unique(group, return_inverse=True)
    weight = np.bincount(group, rows)
    at = np.bincount(group, rows * distinct) / weight
    truth = np.bincount(group[place], came_true) / weight
    blocks: list[tuple[float, float, float]] = []  # weight, mean score, mean truth
    for block in zip(weight.tolist(), at.tolist(), truth.tolist(), strict=True):
        blocks.append(block)
        while len(blocks) > 1 and blocks[-2][2] >= blocks[-1][2]:
            blocks[-2:] = [_pooled(*blocks[-2:])]
    return [[block[1] for block in blocks], [block[2] for block in blocks]]


def apply(curve: Curve, scores: Floats) -> Floats:
    """What each of the scores stands for; beyond the curve's ends, what the end does."""
    return np.interp(scores, curve[0], curve[1])


def _pooled(
    a: tuple[float, float, float], b: tuple[float, float, float]
) -> tuple[float, float, float]:
    weight = a[0] + b[0]
    return weight, (a[0] * a[1] + b[0] * b[1]) / weight, (a[0] * a[2] + b[0] * b[2]) / weight
