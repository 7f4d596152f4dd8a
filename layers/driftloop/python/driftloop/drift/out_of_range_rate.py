"""Rate of values out of range."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, shares


def out_of_range_rate(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """Share of the window's rows that lie below or above all of the reference's.

    Parameters
    ----------
    expected, actual
        Counts over bins in order, float64[..., bins]. (The outer bins of ``NumberBins`` are empty
        in what they come from.)

    Returns
    -------
    float64[...], from 0 to 1.

    Examples
    --------
    >>> float(out_of_range_rate([0, 60, 0, 40, 0], [10, 60, 5, 0, 25]))
    0.35
    """
    p, q = shares(expected, actual)
    within = (np.cumsum(p, axis=-1) > 0) & (np.cumsum(p[..., ::-1], axis=-1)[..., ::-1] > 0)
    return np.asarray(np.where(within, 0.0, q).sum(-1))[()]
