"""How much two columns say of each other, from 0 (nothing) to 1 (all), from a sample of rows.

``rank_correlations``
    Spearman's ρ between numbers: Pearson's correlation of ranks, so neither scale nor outliers
    matter; negative where one falls as the other rises. Spearman, Am. J. Psychology 15 (1904).
``cramers_v``
    Between categories: √(χ² / n / (k - 1)), with the bias correction of Bergsma, "A bias-correction
    for Cramér's V and Tschuprow's T", J. Korean Statistical Society 42 (2013).
``correlation_ratio``
    η between a category and a number: the root of the share of the number's variance that lies
    between the categories. Fisher, *Statistical Methods for Research Workers* (1925), §45; less
    what chance gives (ε²: Kelley, PNAS 21, 1935).

A row counts as often as its weight says; a row that lacks a value of the pair does not count.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.profiling.groups import size

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST = 30
"""With fewer rows that have both values, nothing is said (NaN)."""


def rank_correlations(values: Floats, weights: Floats) -> Floats:
    """ρ between all columns of ``values`` (n, p), NaN = missing → (p, p). NaN where a column is
    constant or too few rows have both."""
    ranks = np.column_stack([_ranks(column, weights) for column in values.T])
    seen = np.isfinite(ranks)
    filled = np.where(seen, ranks, 0.0)
    mask, heavy = seen.astype(np.float64), filled * weights[:, None]
    rows = mask.T @ mask
    total = (mask * weights[:, None]).T @ mask
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (heavy.T @ mask) / total  # of the row's column where the other column is seen
        square = ((heavy * filled).T @ mask) / total - mean**2
        product = (heavy.T @ filled) / total - mean * mean.T
        rho = product / np.sqrt(square * square.T)
    rho[(rows < FEWEST) | (square < 1e-12) | (square.T < 1e-12)] = np.nan
    return np.clip(rho, -1.0, 1.0)


def cramers_v(first: Ints, second: Ints, weights: Floats) -> float:
    """V between two columns of codes (-1 missing); NaN where one is constant."""
    seen = (first >= 0) & (second >= 0)
    if seen.sum() < FEWEST:
        return np.nan
    table = _table(first[seen], second[seen], weights[seen])
    n = _size(weights[seen])
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    table = table[rows > 0][:, columns > 0] / table.sum()
    r, k = table.shape
    if min(r, k) < 2:
        return np.nan
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    phi = float(((table - expected) ** 2 / expected).sum())
    phi = max(0.0, phi - (r - 1) * (k - 1) / (n - 1))
    r_less, k_less = r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1)
    bound = min(r_less, k_less) - 1
    return float(min(1.0, np.sqrt(phi / bound))) if bound > 0 else np.nan


def correlation_ratio(codes: Ints, values: Floats, weights: Floats) -> float:
    """η between codes (-1 missing) and numbers (NaN missing); NaN where one is constant."""
    seen = (codes >= 0) & np.isfinite(values)
    if seen.sum() < FEWEST:
        return np.nan
    codes, values, weights = codes[seen], values[seen], weights[seen]
    values = values / size(values)
    total = np.bincount(codes, weights)
    sums = np.bincount(codes, weights * values)
    filled = total > 0
    k, n = int(filled.sum()), _size(weights)
    centre = np.average(values, weights=weights)
    spread = float((weights * (values - centre) ** 2).sum())
    if k < 2 or n <= k or spread <= 1e-12 * float((weights * values**2).sum()):
        return np.nan
    between = float((total[filled] * (sums[filled] / total[filled] - centre) ** 2).sum())
    share = 1.0 - (1.0 - between / spread) * (n - 1) / (n - k)
    return float(np.sqrt(max(0.0, share)))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Mid-ranks, a row counting ``weight`` times; NaN stays."""
    seen = np.isfinite(values)
    found, place = np.unique(values[seen], return_inverse=True)
    if not found.size:
        return values
    counts = np.bincount(place, weights[seen])
    middle = np.cumsum(counts) - counts / 2
    ranks = np.full(len(values), np.nan)
    ranks[seen] = middle[place] / counts.sum() - 0.5
    return ranks


def _table(first: Ints, second: Ints, weights: Floats) -> Floats:
    wide = int(second.max()) + 1
    flat = np.bincount(first * wide + second, weights, minlength=(int(first.max()) + 1) * wide)
    return flat.astype(np.float64).reshape(-1, wide)


def _size(weights: Floats) -> float:
    """How many independent rows so weighted ones are worth (Kish, *Survey Sampling*, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())
