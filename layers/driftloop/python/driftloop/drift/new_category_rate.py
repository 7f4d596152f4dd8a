"""Rate of new categories."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, shares


def new_category_rate(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """Share of the window's rows that lie in bins in which the reference has none.

    Parameters
    ----------
    expected, actual
        Counts, float64[..., bins]. Over ``TextBins`` the last bin is that of all categories
        without a bin of their own, so it is new as long as training's categories all have one.

    Returns
    -------
    float64[...], from 0 to 1.

    Examples
    --------
    >>> float(new_category_rate([60, 40, 0], [50, 25, 25]))
    0.25
    """
    p, q = shares(expected, actual)
    return np.asarray(np.where(p > 0, 0.0, q).sum(-1))[()]
