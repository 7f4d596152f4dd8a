"""A bad release: the version that was champion before answers the same rows clearly better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftloop.bootstrap import worse_by
from driftloop.captured import HOUR, Record
from driftloop.diagnosis.found import Floats
from driftloop.ids import id_ms

MARGIN = 0.05  # a difference below a twentieth of the loss is not worth a move
ALPHA = 0.001
FEWEST = 100  # rows
FEWEST_HOURS = 10  # fewer clusters say too little about how hours differ


@dataclass(frozen=True)
class Better:
    """Mean losses of both on the same ``rows``; ``p``: that it is not by chance."""

    now: float
    before: float
    rows: int
    p: float


def better(records: Sequence[Record], now: Floats, before: Floats) -> Better | None:
    """``now`` and ``before``: each row's loss, float64[n], NaN where the earlier version could
    not answer. None unless the earlier one is clearly better (a one-sided paired test, rows of
    an hour drawn together as :mod:`driftloop.bootstrap` does with days)."""
    known = np.isfinite(before)
    if known.sum() < FEWEST:
        return None
    hours = np.array([id_ms(r["id"]) // HOUR for r in records], np.int64)[known]
    if np.unique(hours).size < FEWEST_HOURS:
        hours = np.arange(hours.size)
    p = worse_by(now[known], before[known], hours, MARGIN)
    if not p <= ALPHA:  # nor is it better where that cannot be told
        return None
    return Better(float(now[known].mean()), float(before[known].mean()), int(known.sum()), p)
