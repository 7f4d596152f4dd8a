"""How high the largest of a window's statistics may go, read from those of few windows.

The largest of many dependent standardised statistics is taken for Gumbel distributed, the limit
for tails that fall as an exponential does (Fisher & Tippett, Proc. Camb. Phil. Soc. 24, 1928).
Location and scale are fitted by probability-weighted moments, which serve small samples better
than likelihood does (Landwehr, Matalas & Wallis, Water Resources Research 15(5), 1979; Hosking,
J. R. Statist. Soc. B 52(1), 1990): ``scale = λ₂ / ln 2``, ``location = λ₁ − 0.5772 scale``.

A level read off a fit to thirty days as if the fit were the truth would be passed too often. What
is wanted is a *predictive* one, passed by the next window with the probability asked for, over the
scatter of the sample too. (next − location) / scale has a distribution that does not depend on the
true parameters, so it can be simulated once and for all (a pivot: Lawless, *Statistical Models and
Methods for Lifetime Data*, 2003, §5.1). An alarm of "M of N" windows is on if the M-th largest of
the last N exceeds the level; it is these that are fitted then, in the data and in the simulation.
Nor need that level be above the one that single windows pass M / N as often, since of N windows at
least M are over it (Markov's inequality): that holds however alike neighbours are.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EULER = 0.5772156649015329
DRAWN = 200_000
FEWEST = 5
"""Values that a location and a scale can be told from."""


def level(maxima: npt.ArrayLike, rate: float, enough: int = 1, of: int = 1) -> float:
    """What the ``enough``-th largest of the next ``of`` windows passes with probability ``rate``.

    ``maxima``: of windows in order, float64[n]; neighbours that are alike count for fewer:
    ``n (1 − r) / (1 + r)``, r being the correlation of one with the next.
    """
    values = np.asarray(maxima, dtype=np.float64)
    location, scale = fit(standing_of(values, enough, of))
    found = float(location + factor(worth(values, of), rate, enough, of) * scale)
    if of == 1:
        return found
    return min(found, level(values, rate * enough / of))


def standing_of(values: Floats, enough: int, of: int) -> Floats:
    """The ``enough``-th largest of each ``of`` values in a row (last axis)."""
    if of == 1:
        return values
    runs = np.lib.stride_tricks.sliding_window_view(values, of, axis=-1)
    return np.asarray(np.partition(runs, of - enough, axis=-1)[..., of - enough])


def fit(values: Floats) -> tuple[Floats, Floats]:
    """Location and scale of a Gumbel distribution, of each row (last axis)."""
    ordered = np.sort(values, axis=-1)
    n = ordered.shape[-1]
    first = ordered.mean(-1)
    weighted = (ordered * np.arange(n)).sum(-1) / (n * (n - 1))
    scale = np.maximum(2 * weighted - first, 0.0) / np.log(2)
    return first - EULER * scale, scale


@lru_cache(maxsize=64)
def factor(n: int, rate: float, enough: int = 1, of: int = 1) -> float:
    """How many fitted scales above the fitted location the level lies, for ``n`` windows."""
    samples = max(500, min(10_000, DRAWN // n))
    drawn = np.random.default_rng(0).gumbel(size=(samples, n))
    location, scale = fit(standing_of(drawn, enough, of))
    low, high = -5.0, 200.0
    for _ in range(40):
        middle = (low + high) / 2
        over = -np.expm1(-np.exp(-(location + middle * scale)))  # the next window passes it
        if _at_least(over, enough, of).mean() > rate:
            low = middle
        else:
            high = middle
    return high


def _at_least(p: Floats, enough: int, of: int) -> Floats:
    """Probability of ``enough`` or more of ``of`` independent windows."""
    total, ways = np.zeros_like(p), 1.0
    for k in range(of + 1):
        if k >= enough:
            total += ways * p**k * (1 - p) ** (of - k)
        ways *= (of - k) / (k + 1)
    return total


def worth(values: Floats, of: int) -> int:
    """Independent windows that say as much as these."""
    apart = values - values.mean()
    square = float(apart @ apart)
    alike = float(apart[:-1] @ apart[1:]) / square if square > 0 else 0.0
    alike = min(max(alike, 0.0), 0.9)
    return max(round(values.size * (1 - alike) / (1 + alike)), FEWEST + of - 1)
