"""Quality by parts of the holdout: is the candidate worse somewhere, with evidence?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import losses
from driftloop.answers import Floats
from driftloop.bootstrap import Ints, worse_by
from driftloop.frame import Frame
from driftloop.spec import Spec

FEWEST_ROWS = 100  # a smaller slice is not reported: its loss is mostly chance
MARGIN = 0.05  # worse by less than a twentieth is not worth a rejection
CONFIDENCE = 0.95  # over all slices together (Bonferroni)


@dataclass(frozen=True)
class Slice:
    """``value``: a category, or the range of a number's quarter. ``p``: how likely a loss so much
    above the champion's (by more than the margin) is by chance; None without a champion."""

    column: str
    value: str
    rows: int
    metric: str
    loss: float
    champion_loss: float | None = None
    p: float | None = None
    worse: bool = False


def judged(
    spec: Spec, holdout: Frame, ours: Floats, theirs: Floats | None, cluster: Ints
) -> list[Slice]:
    """The slices of ``gates.slices`` that are features, largest first."""
    metric = _row_metric(spec)
    mine = losses.row_losses(metric, holdout.target, ours)
    rival = None if theirs is None else losses.row_losses(metric, holdout.target, theirs)
    parts = [
        (name, value, rows)
        for name in spec.gates.slices
        if name in holdout.columns
        for value, rows in _parts(holdout, name)
        if rows.sum() >= FEWEST_ROWS
    ]
    found = []
    for name, value, rows in parts:
        common: dict[str, Any] = {
            "column": name,
            "value": value,
            "rows": int(rows.sum()),
            "metric": metric,
            "loss": float(mine[rows].mean()),
        }
        if rival is not None:
            p = worse_by(mine[rows], rival[rows], cluster[rows], MARGIN)
            common |= {
                "champion_loss": float(rival[rows].mean()),
                "p": p,
                "worse": p < (1 - CONFIDENCE) / len(parts),
            }
        found.append(Slice(**common))
    return sorted(found, key=lambda s: (-s.rows, s.column, s.value))


def _row_metric(spec: Spec) -> str:
    """A loss that is a mean over rows, nearest to what the spec ranks by."""
    if spec.metric in ("log_loss", "brier", "mae"):
        return spec.metric
    return "log_loss" if spec.task == "classification" else "mae"


def _parts(holdout: Frame, name: str) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    column = holdout.columns[name]
    if name in holdout.vocabulary:
        words = holdout.vocabulary[name]
        return [("missing" if c < 0 else words[c], column == c) for c in np.unique(column).tolist()]
    parts = [("missing", np.isnan(column))]
    known = column[~np.isnan(column)]
    edges = np.unique(np.quantile(known, [0, 0.25, 0.5, 0.75, 1])) if known.size else known
    for low, high in pairwise(edges.tolist()):
        last = high == edges[-1]
        rows = (column >= low) & ((column <= high) if last else (column < high))
        parts.append((f"{low:g} to {high:g}", rows))
    return parts
