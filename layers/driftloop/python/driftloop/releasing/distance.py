"""How far apart the answers of two versions lie.

``ks``: the largest gap between their distributions (Kolmogorov-Smirnov; of several classes, the
largest of any class), whatever rows each was asked. ``shift``: where both answered the same rows,
the mean of how far apart the two answers to a row are, from 0 to 1: the total variation between
two probability distributions, the difference of two numbers in units of ``scale`` (at most one).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftloop.releasing.bounds import Floats


@dataclass(frozen=True)
class Distance:
    """Between version ``champion`` and a newer one on ``rows`` rows of holdout.

    ``scale``: the standard deviation of the champion's answers for a regression, else 1.
    """

    champion: int
    rows: int
    ks: float
    shift: float
    scale: float = 1.0


def between(champion: int, ours: Floats, theirs: Floats, regression: bool) -> Distance:
    """The distance that validation records."""
    spread = float(theirs.std()) if regression else 1.0
    scale = spread if spread > 0 else 1.0
    return Distance(
        champion, len(ours), ks(ours, theirs), float(shifts(ours, theirs, scale).mean()), scale
    )


def ks(ours: Floats, theirs: Floats) -> float:
    """Of answers ``(n,)`` and ``(m,)``, or ``(n, classes)`` and ``(m, classes)``."""
    if ours.ndim == 2:
        return max(ks(a, b) for a, b in zip(ours.T, theirs.T, strict=True))
    both = np.concatenate([ours, theirs])
    a = np.searchsorted(np.sort(ours), both, side="right") / len(ours)
    b = np.searchsorted(np.sort(theirs), both, side="right") / len(theirs)
    return float(np.abs(a - b).max())


def shifts(ours: Floats, theirs: Floats, scale: float) -> Floats:
    """Of each row, from 0 to 1."""
    if ours.ndim == 2:
        return np.asarray(np.abs(ours - theirs).sum(axis=1) / 2)
    return np.minimum(np.abs(ours - theirs) / scale, 1.0)
