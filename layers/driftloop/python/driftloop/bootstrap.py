"""Is one model better than another on the same rows? Paired, seeded, by resampling.

B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13 (percentile interval), and
A. C. Cameron, D. L. Miller, A Practitioner's Guide to Cluster-Robust Inference, 2015: rows of one
day resemble each other (the same weather, the same strike), so with a time column whole days are
drawn, not rows; resampling rows would find differences that are one bad day's.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from driftloop import losses

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY_MS = 86_400_000
FEWEST_DAYS = 10  # fewer clusters say too little about how days differ
RESAMPLES = 1_000
_ROWS_AT_ONCE = 2_000_000  # bounds memory: 16 MB of draws
_BY_ROW = ("log_loss", "brier", "accuracy", "mae", "rmse")


@dataclass(frozen=True)
class Comparison:
    """``gain``: how much lower the new model's loss is (``losses.as_loss``; higher is better), its
    two-sided interval at ``confidence``, and in what share of the resamples it was above 0."""

    gain: float
    low: float
    high: float
    share: float
    resamples: int
    clusters: int
    by: str


def clusters(time: npt.NDArray[np.int64] | None, rows: int) -> tuple[Ints, str]:
    """The cluster of each row, numbered from 0, and what one is: ``days`` or ``rows``."""
    if time is not None:
        _, number = np.unique(time // DAY_MS, return_inverse=True)
        if number.size and number.max() + 1 >= FEWEST_DAYS:
            return number.astype(np.int64), "days"
    return np.arange(rows, dtype=np.int64), "rows"


def compare(
    metric: str,
    target: npt.NDArray[np.generic],
    new: Floats,
    old: Floats,
    cluster: Ints,
    by: str,
    *,
    confidence: float,
    seed: int,
) -> Comparison | None:
    """Compare scores of the same rows; None where the metric is undefined."""
    ours, theirs = losses.value(metric, target, new), losses.value(metric, target, old)
    if ours is None or theirs is None:
        return None
    count = int(cluster.max()) + 1
    draw = np.random.default_rng(seed)
    if metric in _BY_ROW:
        gains = _by_sums(metric, target, new, old, cluster, count, draw)
    else:
        gains = _by_rows(metric, target, new, old, cluster, count, draw)
    low, high = np.quantile(gains, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Comparison(
        gain=losses.as_loss(metric, theirs) - losses.as_loss(metric, ours),
        low=float(low),
        high=float(high),
        share=float((gains > 0).mean()),
        resamples=len(gains),
        clusters=count,
        by=by,
    )


def _by_sums(
    metric: str,
    target: npt.NDArray[np.generic],
    new: Floats,
    old: Floats,
    cluster: Ints,
    count: int,
    draw: np.random.Generator,
) -> Floats:
    """Means over rows: only each cluster's sums are needed."""
    sums = [np.bincount(cluster, losses.row_losses(metric, target, p), count) for p in (new, old)]
    sizes = np.bincount(cluster, minlength=count)
    gains = []
    step = max(1, _ROWS_AT_ONCE // count)
    for start in range(0, RESAMPLES, step):
        picked = draw.integers(0, count, (min(step, RESAMPLES - start), count))
        rows = sizes[picked].sum(axis=1)
        ours, theirs = (s[picked].sum(axis=1) / rows for s in sums)
        gains.append(np.sqrt(theirs) - np.sqrt(ours) if metric == "rmse" else theirs - ours)
    return np.concatenate(gains)


def _by_rows(
    metric: str,
    target: npt.NDArray[np.generic],
    new: Floats,
    old: Floats,
    cluster: Ints,
    count: int,
    draw: np.random.Generator,
) -> Floats:
    """Metrics of the whole sample (areas, F1, R²): computed anew for each, so fewer of them."""
    order = np.argsort(cluster, kind="stable")
    ends = np.cumsum(np.bincount(cluster, minlength=count))
    members = np.split(order, ends[:-1])
    gains = []
    for _ in range(RESAMPLES // 5):
        rows = np.concatenate([members[c] for c in draw.integers(0, count, count)])
        ours = losses.value(metric, target[rows], new[rows])
        theirs = losses.value(metric, target[rows], old[rows])
        if ours is not None and theirs is not None:
            gains.append(losses.as_loss(metric, theirs) - losses.as_loss(metric, ours))
    return np.array(gains or [0.0])


def worse_by(new: Floats, old: Floats, cluster: Ints, margin: float) -> float:
    """One-sided p-value that the mean loss ``new`` is not above ``old`` by more than the share
    ``margin``, from cluster sums (normal approximation). 1 with fewer than two clusters."""
    excess = new - (1.0 + margin) * old
    _, number = np.unique(cluster, return_inverse=True)
    sums = np.bincount(number, excess)
    count = len(sums)
    if count < 2:
        return 1.0
    centred = sums - np.bincount(number) * excess.mean()
    deviation = float(np.sqrt((centred**2).sum() * count / (count - 1)))
    total = float(excess.sum())
    if deviation == 0.0:
        return 0.0 if total > 0 else 1.0
    return 1.0 - NormalDist().cdf(total / deviation)
