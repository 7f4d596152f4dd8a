"""Hellinger distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, shares


def hellinger(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """``√(½ Σ (√p − √q)²)``.

    Parameters
    ----------
    expected, actual
        Counts, float64[..., bins].

    Returns
    -------
    float64[...], from 0 (equal) to 1 (no bin in common); a metric. Its square is at most the total
    variation, half the sum of ``|p − q|``, and that at most √2 times the distance.

    References
    ----------
    Hellinger, "Neue Begründung der Theorie quadratischer Formen von unendlichvielen
    Veränderlichen", J. reine angew. Math. 136, 1909. Scaled to 1 as NannyML's and Evidently's.

    Examples
    --------
    >>> float(hellinger([10, 0], [0, 5]))
    1.0
    >>> round(float(hellinger([500, 500], [250, 750])), 3)
    0.185
    """
    p, q = shares(expected, actual)
    square = ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(-1) / 2
    return np.asarray(np.sqrt(np.minimum(square, 1.0)))[()]
