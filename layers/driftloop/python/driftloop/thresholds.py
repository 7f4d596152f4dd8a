"""Thresholds from a budget of false alarms.

The user says how many false alarms a year are bearable. A year has so many windows, a window so
many tests (two per feature and one for the predictions), so each single test may be wrong with
probability ``alpha`` (Bonferroni: safe however the features depend on each other). A threshold is
the upper ``alpha`` point of the statistic between the training data and contiguous blocks of it as
long as a window: consecutive rows resemble each other, and blocks keep that.

The tail: ``alpha`` mostly lies far beyond the few dozen blocks a training set holds, so a
log-normal is fitted to the block statistics and read at ``1 - alpha``, widened by ``√(1 + 1/k)``
for its estimated centre. It is never below what independent rows alone would give, nor below the
worst block seen, nor out of any window's reach. Limits, honestly: with too few blocks even of a
64th of the window, only the independent-rows bound is left, which autocorrelated data will
exceed; and blocks from within the training span know nothing of seasons longer than it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from driftloop.drift import chi2_quantile, psi

DAYS = {"day": 1, "week": 7, "month": 30.44, "year": 365.25}
FEWEST_BLOCKS = 8
MOST_HALVINGS = 6
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


def tail(null: npt.NDArray[np.float64], probability: float, most: float) -> float:
    """Upper ``probability`` point of block statistics, by a log-normal; 0 with too few blocks.

    ``most``: the largest value that still could pass for normal. The fit knows no bound, and far
    beyond the sample it may lie where nothing could ever reach it; then ``most`` is taken.
    """
    if null.size < FEWEST_BLOCKS:
        return 0.0
    worst = float(null.max())
    logs = np.log(np.maximum(null, 1e-9))
    spread = float(logs.std(ddof=1)) * (1 + 1 / null.size) ** 0.5
    fitted = float(np.exp(min(float(logs.mean()) + upper_normal(probability) * spread, 50.0)))
    return max(worst, min(fitted, most))


def psi_in_range(counts: Sequence[int], rows: int) -> float:
    """The largest PSI of ``rows`` rows that keep to bins the training data fills: all of them in
    its rarest bin. Beyond it lies only what training never saw."""
    filled = [i for i, count in enumerate(counts) if count]
    if not filled:
        return 0.0
    rarest = min(filled, key=lambda i: counts[i])
    return float(psi(counts, [rows if i == rarest else 0 for i in range(len(counts))]))


def blocks(
    time: npt.NDArray[np.int64] | None, rows: int, window: timedelta, fewest: int
) -> list[npt.NDArray[np.int64]]:
    """Row indices of contiguous blocks of at least ``fewest`` rows, each as long as a window.

    Where that gives fewer than ``FEWEST_BLOCKS``, blocks of a half, a quarter … of the window:
    they scatter more than whole windows do, so thresholds get too high rather than too low.
    Without ``time`` a block is a thirtieth of the rows.
    """
    if not rows:
        return []
    order = np.arange(rows) if time is None else np.argsort(time, kind="stable")
    if time is None:
        size = max(fewest, rows // 30, 1)
        return _cut(order, np.arange(size, rows, size), fewest)
    since = time[order] - time[order][0]
    found: list[npt.NDArray[np.int64]] = []
    for halvings in range(MOST_HALVINGS + 1):
        span = max(1, round(window.total_seconds() * 1000) >> halvings)
        found = _cut(order, np.flatnonzero(np.diff(since // span)) + 1, fewest)
        if len(found) >= FEWEST_BLOCKS:
            break
    return found


def _cut(
    order: npt.NDArray[np.int64], edges: npt.NDArray[np.int64], fewest: int
) -> list[npt.NDArray[np.int64]]:
    """Cut at ``edges``, but only where a block has ``fewest`` rows by then; the rest goes to the
    last one."""
    found: list[npt.NDArray[np.int64]] = []
    start = 0
    for edge in edges.tolist():
        if edge - start >= fewest:
            found.append(order[start:edge])
            start = edge
    rest = order[start:]
    if found and rest.size < fewest:
        found[-1] = np.concatenate([found[-1], rest])
    else:
        found.append(rest)
    return found
