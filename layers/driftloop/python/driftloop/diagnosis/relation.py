"""A relation that changed: what the model misses lies otherwise along a feature than it did.

The window's mean residual in each bin of a feature, less the holdout's, each with its standard
error, squared and summed: asymptotically χ² with a degree of freedom a bin (a two-sample version of
the goodness-of-fit test by groups of Hosmer and Lemeshow, 1980). The scores are recalibrated
before, so that what a slope and an intercept repair is no changed relation. A difference counts
only if it explains a share of the residuals' variance that is worth something, too: with enough
rows everything is significant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftloop.diagnosis.found import Floats
from driftloop.diagnosis.misses import Along, Misses
from driftloop.drift import chi2_quantile

ALPHA = 1e-4
FEWEST = 8  # rows of a bin, on either side


@dataclass(frozen=True)
class Changed:
    """``explained``: of the residuals' variance, the share that the change along this feature
    makes; 0 where it may be chance."""

    name: str
    explained: float


def changes(before: Misses, now: Misses) -> list[Changed]:
    """Of every feature, the largest first."""
    alpha = ALPHA / max(len(before.features), 1)
    found = [
        Changed(name, _explained(along, now.features[name], alpha))
        for name, along in before.features.items()
    ]
    return sorted(found, key=lambda c: (-c.explained, c.name))


def _explained(before: Along, now: Along, alpha: float) -> float:
    used = (before.rows >= FEWEST) & (now.rows >= FEWEST)
    if used.sum() < 2:
        return 0.0
    n, m = now.rows[used], before.rows[used]
    differ = now.residual[:, used] / n - before.residual[:, used] / m
    differ -= (differ * n).sum(axis=1, keepdims=True) / n.sum()  # the level is not a relation's
    error = _variance(now, used) / n + _variance(before, used) / m
    statistic = float((differ**2 / np.maximum(error, 1e-12)).sum())
    degrees = differ.shape[0] * (int(used.sum()) - 1)
    if statistic <= chi2_quantile(degrees, 1.0 - alpha):
        return 0.0
    explained = float(((differ**2 - error) * n).sum())
    return max(0.0, explained / max(float(now.square[:, used].sum()), 1e-12))


def _variance(along: Along, used: npt.NDArray[np.bool_]) -> Floats:
    """Of the residuals in each bin; never 0, since a bin of equal residuals is no certain one."""
    rows = along.rows[used]
    within = along.square[:, used] / rows - (along.residual[:, used] / rows) ** 2
    overall = along.square.sum(axis=1, keepdims=True) / max(float(along.rows.sum()), 1.0)
    return np.asarray(np.maximum(within, 0.1 * overall))
