"""How far chance alone may carry what was seen. No assumption but independent requests.

- :func:`rate_gap`: Newcombe, R. G. (1998), Interval estimation for the difference between
  independent proportions, *Statistics in Medicine* 17, method 10: two Wilson (1927) intervals.
- :func:`dkw`: the Dvoretzky-Kiefer-Wolfowitz inequality with the constant of Massart, P. (1990),
  *Annals of Probability* 18: ``P(sup|F_n - F| > e) <= 2 exp(-2 n e^2)``.
- :func:`hoeffding`: Hoeffding, W. (1963), *JASA* 58, for the mean of values in [0, 1].
- :func:`effective`: Kish, L. (1965), *Survey Sampling*: rows of one request may all be alike, so
  they count as one in the worst case, and requests of unequal size count for less than their
  number.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal(alpha: float) -> float:
    """The normal quantile that ``alpha`` lies above."""
    return NormalDist().inv_cdf(1 - alpha)


def wilson(hits: int, n: int, z: float) -> tuple[float, float]:
    """The Wilson score interval of ``hits`` in ``n``; (0, 1) of nothing."""
    if not n:
        return 0.0, 1.0
    p, zz = hits / n, z * z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    spread = z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return max(0.0, middle - spread), min(1.0, middle + spread)


def rate_gap(ours: tuple[int, int], theirs: tuple[int, int], z: float) -> float:
    """Lower end of the interval of our rate less theirs, each (hits, n) with n > 0."""
    (k, n), (j, m) = ours, theirs
    p, q = k / n, j / m
    return (p - q) - math.hypot(p - wilson(k, n, z)[0], wilson(j, m, z)[1] - q)


def dkw(n: float, alpha: float) -> float:
    """What the empirical distribution of ``n`` values may be off by, but with chance ``alpha``."""
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def hoeffding(n: float, alpha: float) -> float:
    """What the mean of ``n`` values in [0, 1] may exceed its expectation by."""
    return math.sqrt(math.log(1 / alpha) / (2 * n))


def effective(requests: Sequence[str]) -> float:
    """The rows' number as if each request were one: (sum of sizes)² / sum of squared sizes."""
    sizes = Counter(requests).values()
    return sum(sizes) ** 2 / sum(size * size for size in sizes) if sizes else 0.0


def mean(values: Floats, requests: Sequence[str]) -> tuple[float, float]:
    """Mean of all rows and its standard error, rows of a request taken as a cluster (the ratio
    estimator; Cochran 1977, *Sampling Techniques*, 11.5). One request gives an infinite error."""
    names: dict[str, int] = {}
    cluster = [names.setdefault(name, len(names)) for name in requests]
    average, k = float(values.mean()), len(names)
    if k < 2:
        return average, math.inf
    off = np.bincount(cluster, weights=values - average)
    return average, float(np.sqrt(k / (k - 1) * (off**2).sum()) / values.size)
