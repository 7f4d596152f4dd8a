"""Thresholds from a budget of false alarms.

The user says how many false alarms a year are bearable. A year has so many windows, a window so
many tests (two per feature and one for the predictions), so each single test may be wrong with
probability ``alpha`` (Bonferroni: safe however the features depend on each other). A threshold is
the upper ``alpha`` point of the statistic between the training data and contiguous blocks of it as
long as a window: consecutive rows resemble each other, and blocks keep that.

The tail: ``alpha`` mostly lies far beyond the few dozen blocks a training set holds, so a
log-normal is fitted to the block statistics and read at ``1 - alpha``, widened by ``√(1 + 1/k)``
for its estimated centre. It is never below what independent rows alone would give, nor below the
largest block seen. Limits, honestly: with fewer than five blocks only the independent-rows bound
is left; blocks from within the training span know nothing of seasons longer than it.
"""

from __future__ import annotations

import math
from datetime import timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from driftloop.drift import chi2_quantile

DAYS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}
FEWEST_BLOCKS = 5
PSI_FLOOR = 0.02  # below this a shift is of no practical weight, however significant
MISSING_FLOOR = 0.01


def alpha(budget: str, window: timedelta, tests: int = 1) -> float:
    """Probability with which one test of one window may be wrong under ``budget`` (``4/year``)."""
    count, unit = budget.split("/")
    windows = timedelta(days=DAYS[unit]) / window
    return min(0.25, max(int(count), 0.01) / windows / tests)


def upper_normal(probability: float) -> float:
    """z with ``P(Z > z) = probability``."""
    return -NormalDist().inv_cdf(probability)


def psi_sampling(bins: float, probability: float, reference: int, rows: int) -> float:
    """Upper point of PSI between independent samples of one distribution (see ``drift.psi``)."""
    if bins < 2 or rows < 1 or reference < 1:
        return 0.0
    return (1 / rows + 1 / reference) * chi2_quantile(int(bins) - 1, 1 - probability)


def missing_sampling(share: float, probability: float, reference: int, rows: int) -> float:
    """Upper point of the difference of two independent shares, normal approximation."""
    if rows < 1 or reference < 1:
        return 0.0
    variance = max(share * (1 - share), 1 / reference)
    return upper_normal(probability / 2) * math.sqrt(variance * (1 / rows + 1 / reference))


def tail(null: npt.NDArray[np.float64], probability: float) -> float:
    """Upper ``probability`` point of block statistics, by a log-normal; 0 with too few blocks."""
    if null.size < FEWEST_BLOCKS:
        return 0.0
    logs = np.log(np.maximum(null, 1e-9))
    spread = float(logs.std(ddof=1)) * (1 + 1 / null.size) ** 0.5
    fitted = float(np.exp(min(float(logs.mean()) + upper_normal(probability) * spread, 50.0)))
    # A column that hardly ever misses gives zeros and one spike; its logs fit nothing.
    return max(float(null.max()), min(fitted, 10 * float(null.max())))


def blocks(
    time: npt.NDArray[np.int64] | None, rows: int, window: timedelta, fewest: int
) -> list[npt.NDArray[np.int64]]:
    """Row indices of contiguous blocks: a window long (without ``time``: a thirtieth of the rows),
    neighbours joined until each has ``fewest`` rows."""
    if time is None:
        size = max(fewest, rows // 30, 1)
        order, edges = np.arange(rows), np.arange(size, rows, size)
    else:
        order = np.argsort(time, kind="stable")
        span = max(1, round(window.total_seconds() * 1000))
        number = (time[order] - time[order][0]) // span if rows else time
        edges = np.flatnonzero(np.diff(number)) + 1
    found: list[npt.NDArray[np.int64]] = []
    start = 0
    for edge in [*edges.tolist(), rows]:
        if edge - start >= fewest or (edge == rows and not found):
            found.append(order[start:edge])
            start = edge
    if start < rows and found:
        found[-1] = np.concatenate([found[-1], order[start:rows]])
    return [b for b in found if b.size]
