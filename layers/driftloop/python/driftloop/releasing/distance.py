"""How far apart the answers of two versions lie, as shares from 0 to 1.

``gap``, whatever rows each was asked: the largest difference of their distributions that a small
move of every answer (:data:`SLACK` of the scale) does not explain. It is the Kolmogorov-Smirnov
distance with the horizontal tolerance of Lévy's (Huber, P. J. 1981, *Robust Statistics*, 2.3): the
answers of trees are few distinct numbers, and the least retraining moves all of them a little,
which the bare distance takes for 1. Of several classes, the largest of any class.

``shift``, where both answered the same rows: the mean of how far apart the two answers to a row
are, in units of the scale, at most one; of several classes, the total variation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftloop.releasing.bounds import Floats

SLACK = 0.05


@dataclass(frozen=True)
class Distance:
    """Between version ``champion`` and a newer one on ``rows`` rows of holdout.

    ``scale``: the span in which 98 % of the champion's answers lay there, since 0.02 is much
    where all answers are below 0.05; 1 for several classes.
    """

    champion: int
    rows: int
    gap: float
    shift: float
    scale: float = 1.0


def between(champion: int, ours: Floats, theirs: Floats) -> Distance:
    """The distance that validation records; of answers ``(n,)``, or ``(n, classes)``."""
    scale = 1.0
    if theirs.ndim == 1:
        low, high = np.quantile(theirs, [0.01, 0.99])
        scale = float(high - low) or 1.0
    return Distance(
        champion,
        len(ours),
        gap(ours, theirs, scale),
        float(shifts(ours, theirs, scale).mean()),
        scale,
    )


def gap(
    ours: Floats,
    theirs: Floats,
    scale: float,
    here: Floats | None = None,
    there: Floats | None = None,
) -> float:
    """Of answers ``(n,)`` and ``(m,)``, or ``(n, classes)`` and ``(m, classes)``. ``here`` and
    ``there``: what each of them weighs, in all 1; None: the same."""
    if ours.ndim == 2:
        pairs = zip(ours.T, theirs.T, strict=True)
        return max(gap(a, b, scale, here, there) for a, b in pairs)
    a, b, slack = _distribution(ours, here), _distribution(theirs, there), SLACK * scale
    return max(0.0, _above(a, b, slack), _above(b, a, slack))


def _distribution(values: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Values in order, and the share of all up to each, from 0 before the first."""
    n, order = len(values), np.argsort(values, kind="stable")
    shares = np.arange(1, n + 1) / n if weights is None else np.cumsum(weights[order])
    return values[order], np.concatenate([[0.0], shares])


def _above(a: tuple[Floats, Floats], b: tuple[Floats, Floats], slack: float) -> float:
    """The most that the distribution ``a`` is above ``b`` moved left by ``slack``."""
    (values, here), (others, there) = a, b
    # at the last of equal values a share is what it should be
    return float((here[1:] - there[np.searchsorted(others, values + slack, side="right")]).max())


def shifts(ours: Floats, theirs: Floats, scale: float) -> Floats:
    """Of each row, from 0 to 1."""
    if ours.ndim == 2:
        return np.asarray(np.abs(ours - theirs).sum(axis=1) / 2)
    return np.minimum(np.abs(ours - theirs) / scale, 1.0)
