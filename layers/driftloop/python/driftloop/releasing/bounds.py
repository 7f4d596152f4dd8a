"""How far chance alone may carry what was seen. No assumption but independent requests.

- :func:`at_least`: the exact binomial test (Clopper & Pearson 1934, *Biometrika* 26), and
  :func:`at_least_of`: the exact test of two rates given all hits (Fisher 1935, *J. R. Stat. Soc.*
  98). A handful of errors in a few requests is what is met first, and there the usual intervals
  (Wilson's, Newcombe's) are broken several times as often as they say.
- :func:`dkw`: the Dvoretzky-Kiefer-Wolfowitz inequality with the constant of Massart, P. (1990),
  *Annals of Probability* 18: ``P(sup|F_n - F| > e) <= 2 exp(-2 n e^2)``.
- :func:`hoeffding`: Hoeffding, W. (1963), *JASA* 58, for the mean of values in [0, 1].
- :func:`weights`: rows of one request may all be alike, so requests are what is counted and
  weighed, one like another whatever their size. The mean over a request's rows varies no more than
  one of them drawn at random (Jensen), so both inequalities hold with the number of requests.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def normal(alpha: float) -> float:
    """The normal quantile that ``alpha`` lies above."""
    return NormalDist().inv_cdf(1 - alpha)


def at_least(hits: int, n: int, rate: float) -> float:
    """The chance of ``hits`` or more in ``n`` at this rate; 1 of no more than are expected."""
    if hits <= n * rate:
        return 1.0
    log = _choices(n, hits) + hits * math.log(rate) + (n - hits) * math.log1p(-rate)
    odds = rate / (1 - rate)
    return _sum_from(hits, log, lambda k: (n - k) / (k + 1) * odds)


def at_least_of(ours: tuple[int, int], theirs: tuple[int, int]) -> float:
    """The chance that so many or more of all hits are ours, each (hits, n), were the rates one; 1
    of no more than our part."""
    (hits, n), (others, m) = ours, theirs
    both = hits + others
    if hits * (n + m) <= both * n:
        return 1.0
    log = _choices(n, hits) + _choices(m, others) - _choices(n + m, both)
    return _sum_from(hits, log, lambda k: (both - k) * (n - k) / ((k + 1) * (m - both + k + 1)))


def _choices(n: int, k: int) -> float:
    """The logarithm of their number."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _sum_from(k: int, log: float, ratio: Callable[[int], float]) -> float:
    """Of the terms from ``k`` on: the first by its logarithm, then each by its ratio to the one
    before, until they add nothing."""
    total = term = 1.0
    while term > total * 1e-12:
        term *= ratio(k)
        total += term
        k += 1
    return min(1.0, math.exp(log) * total)


def dkw(n: float, alpha: float) -> float:
    """What the empirical distribution of ``n`` values may be off by, but with chance ``alpha``."""
    return math.sqrt(math.log(2 / alpha) / (2 * n))


def hoeffding(n: float, alpha: float) -> float:
    """What the mean of ``n`` values in [0, 1] may exceed its expectation by."""
    return math.sqrt(math.log(1 / alpha) / (2 * n))


def weights(requests: Sequence[str]) -> Floats:
    """Of each row, so that every request weighs the same and all together 1."""
    sizes = Counter(requests)
    return np.array([1 / (sizes[name] * len(sizes)) for name in requests])


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
