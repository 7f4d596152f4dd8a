"""Jensen-Shannon distance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.drift.paired import Floats, shares


def jensen_shannon(expected: npt.ArrayLike, actual: npt.ArrayLike) -> Floats:
    """The root of the mean divergence (Kullback-Leibler, base 2) of both from their mixture.

    Parameters
    ----------
    expected, actual
        Counts, float64[..., bins].

    Returns
    -------
    float64[...], from 0 (equal) to 1 (no bin in common); a metric.

    Notes
    -----
    ``scipy.spatial.distance.jensenshannon(p, q, base=2)``, and NannyML's, on bins of our own.
    Evidently's is of base e: ours times ``√ln 2``.

    References
    ----------
    Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Information Theory 37(1),
    1991. Endres & Schindelin, "A new metric for probability distributions", ibid. 49(7), 2003.

    Examples
    --------
    >>> float(jensen_shannon([10, 0], [0, 5]))
    1.0
    >>> round(float(jensen_shannon([500, 500], [250, 750])), 3)
    0.221
    """
    p, q = shares(expected, actual)
    middle = (p + q) / 2
    divergence = (_divergence(p, middle) + _divergence(q, middle)) / 2
    return np.asarray(np.sqrt(np.clip(divergence, 0.0, 1.0)))[()]


def _divergence(p: Floats, middle: Floats) -> Floats:
    p, middle = np.broadcast_arrays(p, middle)
    ratio = np.divide(p, middle, out=np.ones(p.shape), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(-1))
