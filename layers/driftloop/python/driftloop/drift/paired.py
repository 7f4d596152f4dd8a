"""Two rows of counts over the same bins, made ready to be compared."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def counted(expected: npt.ArrayLike, actual: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Both as float64[..., bins] of one shape; zeros on both sides where one has no rows.
    Raises ValueError where they have not the same bins."""
    p, q = np.asarray(expected, np.float64), np.asarray(actual, np.float64)
    if p.shape[-1:] != q.shape[-1:]:
        raise ValueError(f"two distributions over {p.shape[-1:]} and {q.shape[-1:]} bins")
    comparable = (p.sum(-1, keepdims=True) > 0) & (q.sum(-1, keepdims=True) > 0)
    return np.where(comparable, p, 0.0), np.where(comparable, q, 0.0)


def shares(expected: npt.ArrayLike, actual: npt.ArrayLike) -> tuple[Floats, Floats]:
    """:func:`counted`, each as shares of its rows."""
    p, q = counted(expected, actual)
    return normed(p), normed(q)


def normed(counts: Floats) -> Floats:
    """Counts as shares of their sum; zeros where there are none."""
    total = counts.sum(-1, keepdims=True)
    return np.asarray(counts / np.where(total > 0, total, 1.0))
