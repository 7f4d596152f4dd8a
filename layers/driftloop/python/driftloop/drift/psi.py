"""Population stability index."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, counted, normed


def psi(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """``Σ (q − p) · ln(q / p)``: the symmetric Kullback-Leibler (Jeffreys) divergence.

    Parameters
    ----------
    expected, actual
        Counts, float64[..., bins].

    Returns
    -------
    float64[...], 0 for equal shares, without upper bound; the same either way round for as many
    rows on both sides.

    Notes
    -----
    Half a row is added to each bin that either side has rows in (Jeffreys' prior), so an empty
    bin costs a finite amount, and the less the fewer rows there are. (Evidently fills empty bins
    with a share of 1e-4 and takes missing values as a bin.) Between independent samples of N and n
    rows it scatters as ``(1/n + 1/N) · χ²(bins − 1)``.

    References
    ----------
    Siddiqi, *Credit Risk Scorecards* (2006), ch. 6. Yurdakul & Naranjo, "Statistical properties of
    the population stability index", J. Risk Model Validation 14(4), 2020.

    Examples
    --------
    >>> float(psi([50, 50], [50, 50]))
    0.0
    >>> round(float(psi([500, 500], [250, 750])), 3)
    0.274
    >>> psi([500, 500], [[500, 500], [250, 750]]).round(3).tolist()
    [0.0, 0.274]
    """
    p, q = counted(expected, actual)
    used = p + q > 0
    p, q = normed((p + 0.5) * used), normed((q + 0.5) * used)
    ratio = np.divide(q, p, out=np.ones_like(p), where=used)
    return np.asarray(((q - p) * np.log(ratio)).sum(-1))[()]
