"""Pearson's chi-squared between two samples."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, counted


def chi_squared(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """``χ²`` of the table of two rows, the reference's counts and the window's.

    Parameters
    ----------
    expected, actual
        Counts, float64[..., bins].

    Returns
    -------
    float64[...], from 0 (equal shares) to the number of all rows; the same either way round.

    Notes
    -----
    ``scipy.stats.chi2_contingency([p, q], correction=False)`` without its p-value. Between
    independent samples of one distribution it follows χ² of one degree less than there are filled
    bins, however many rows there are (five expected in each bin, by the usual rule); a shift of a
    given size makes it grow with the rows.

    References
    ----------
    Pearson, "On the criterion that a given system of deviations …", Phil. Mag. 50, 1900.

    Examples
    --------
    >>> float(chi_squared([10, 10, 20], [20, 20, 40]))
    0.0
    >>> round(float(chi_squared([10, 10, 20], [20, 20, 20])), 4)
    2.7778
    """
    p, q = counted(expected, actual)
    n, m = p.sum(-1, keepdims=True), q.sum(-1, keepdims=True)
    both = p + q
    # In shares, lest the products of counts lose digits: n·m · Σ (p/n − q/m)² / (p + q).
    apart = p / np.where(n > 0, n, 1.0) - q / np.where(m > 0, m, 1.0)
    cells = np.divide(apart**2, both, out=np.zeros_like(both), where=both > 0)
    return np.asarray((n * m)[..., 0] * cells.sum(-1))[()]


def chi2_quantile(degrees: int, probability: float) -> float:
    """Quantile of χ²: exact for one and two degrees, else by Wilson & Hilferty (PNAS 17, 1931),
    which in the far tail (1e-5) errs by up to 6 %, upwards."""
    if degrees < 1:
        return 0.0
    if degrees == 1:
        return NormalDist().inv_cdf((1 + probability) / 2) ** 2
    if degrees == 2:
        return -2 * math.log1p(-probability)
    z = NormalDist().inv_cdf(probability)
    spread = 2 / (9 * degrees)
    root: float = max(0.0, 1.0 - spread + z * math.sqrt(spread))
    return degrees * math.pow(root, 3)
