"""Wasserstein distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, shares

FARTHEST = 1e9
"""More deviations than that say no more (and a ratio to any threshold stays a finite number)."""


def wasserstein(expected: npt.ArrayLike, actual: npt.ArrayLike, borders: npt.ArrayLike) -> Floats:
    """The area between the two distribution functions, in deviations of the reference: how far
    values moved, in the mean.

    Parameters
    ----------
    expected, actual
        Counts over bins in order, float64[..., bins].
    borders
        Finite, ascending, float64[..., bins + 1]: bin i lies from the i-th to the next
        (``NumberBins.borders`` gives them).

    Returns
    -------
    float64[...], from 0 to ``FARTHEST``.

    Notes
    -----
    Values count as spread evenly over their bin, for the deviation as well. Of the values
    themselves (``scipy.stats.wasserstein_distance``, undivided) the distance differs by no more
    than half of ``Σ (p + q) · width``, for evening a bin out moves its values by half its width in
    the mean at most. Evidently divides by the reference's deviation too, NannyML by nothing.

    References
    ----------
    Vallender, "Calculation of the Wasserstein distance between probability distributions on the
    line", Theory Probab. Appl. 18(4), 1974.

    Examples
    --------
    Of two values one apart, half the rows change sides; the deviation is about a half:

    >>> round(float(wasserstein([1, 0, 1], [0, 0, 2], [0, 1e-3, 1, 1.001])), 3)
    1.0
    """
    p, q = shares(expected, actual)
    ends = np.asarray(borders, np.float64)
    held = p > 0
    size = np.maximum(np.abs(ends[..., :-1]), np.abs(ends[..., 1:]))
    unit = np.where(held, size, 0.0).max(-1, keepdims=True, initial=0.0)
    with np.errstate(over="ignore"):  # beyond FARTHEST anyway
        ends = np.clip(ends / np.where(unit > 0, unit, 1.0), -1e300, 1e300)
    width = np.diff(ends, axis=-1)
    middle = np.where(held, ends[..., :-1] + width / 2, 0.0)
    mean = (p * middle).sum(-1, keepdims=True)
    inside = np.where(held, (middle - mean) ** 2 + np.where(held, width, 0.0) ** 2 / 12, 0.0)
    deviation = np.sqrt((p * inside).sum(-1))
    after = np.cumsum(p - q, axis=-1)
    before = np.concatenate([np.zeros_like(after[..., :1]), after[..., :-1]], axis=-1)
    area = (_mean_size(before, after) * width).sum(-1)
    far = np.full_like(area, FARTHEST)  # of a reference without any spread
    with np.errstate(over="ignore"):
        np.divide(area, deviation, out=far, where=deviation > 0)
    return np.asarray(np.where(area > 0, np.minimum(far, FARTHEST), 0.0))[()]


def _mean_size(start: Floats, end: Floats) -> Floats:
    """Mean of the size of a line from ``start`` to ``end``, which may cross zero."""
    a, b = np.abs(start), np.abs(end)
    both = a + b
    crossing = np.divide(a * a + b * b, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(np.where(start * end < 0, crossing, both) / 2)
