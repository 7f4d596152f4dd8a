"""Kolmogorov-Smirnov distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, shares


def kolmogorov_smirnov(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """The largest difference of the two distribution functions, looked at between bins.

    Parameters
    ----------
    expected, actual
        Counts over bins in order, float64[..., bins].

    Returns
    -------
    float64[...], from 0 to 1; a metric.

    Notes
    -----
    Of the values themselves (``scipy.stats.ks_2samp``, of which this is the ``statistic``) the
    distance may be larger, by no more than the largest share that *both* sides have in one bin,
    ``max min(p, q)``: within a bin the functions part by at most what one of them gains there,
    and must come to its end as the bins say.

    References
    ----------
    Smirnov, "Table for estimating the goodness of fit of empirical distributions", Ann. Math.
    Statist. 19(2), 1948.

    Examples
    --------
    >>> float(kolmogorov_smirnov([1, 1, 2], [0, 0, 4]))
    0.5
    """
    p, q = shares(expected, actual)
    apart = np.abs(np.cumsum(p - q, axis=-1))
    return np.asarray(np.minimum(apart.max(-1, initial=0.0), 1.0))[()]
