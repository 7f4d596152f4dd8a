"""Shift of missing values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats


def missing_shift(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """Difference of two shares of missing values, either way.

    Parameters
    ----------
    expected, actual
        Shares of all rows, from 0 to 1, float64[...].

    Returns
    -------
    float64[...], from 0 to 1. It is the total variation, the Kolmogorov-Smirnov and (of 0 and 1)
    the Wasserstein distance of "missing or not".

    Examples
    --------
    >>> float(missing_shift(0.25, 1.0))
    0.75
    """
    return np.asarray(np.abs(np.subtract(actual, expected, dtype=np.float64)))[()]
