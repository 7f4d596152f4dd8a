"""One column as training saw it, and how far a window's may lie from it.

Its sketch, the bins that windows are compared over, and the thresholds of the statistics
(``driftloop.drift``) for a window of ``Null.rows`` rows; a smaller one gets wider ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

import numpy as np

from driftloop import thresholds
from driftloop.drift import missing_shift, psi
from driftloop.sketches import bins
from driftloop.sketches.bins import Bins, Ints
from driftloop.sketches.sketch import Sketch


class Measure(TypedDict):
    """A statistic's value, its threshold (above 0) and value ÷ threshold."""

    value: float
    threshold: float
    ratio: float


class Score(TypedDict):
    """``ratio``: the largest of the statistics', above 1 is drift; ``statistic``: which it was
    (None, and 0, where no statistic is asked for that suits the column)."""

    statistics: dict[str, Measure]
    ratio: float
    statistic: str | None


@dataclass(frozen=True)
class Null:
    """What thresholds were set for: windows of ``rows`` rows, of which ``blocks`` were found in
    the training data; ``alpha``: the probability with which one test may be wrong."""

    rows: int
    blocks: int
    alpha: float


@dataclass(frozen=True)
class Reference:
    """``limits``: statistic (``psi``, ``missing``) → its threshold at ``Null.rows`` rows; a
    statistic without one is not judged."""

    sketch: Sketch
    bins: Bins
    limits: dict[str, float]

    @classmethod
    def of(
        cls, sketch: Sketch, over: Bins, assigned: Ints, blocks: Sequence[Ints], null: Null
    ) -> Reference:
        """``assigned``: the bin of each row, -1 where it is missing; ``blocks``: positions of the
        rows that make a window each."""
        counts, missing = over.counts(sketch), sketch.missing_share
        parts = [assigned[index] for index in blocks]
        shifts = np.array([psi(counts, _tally(part, len(counts))) for part in parts])
        misses = np.array([missing_shift(missing, float((part < 0).mean())) for part in parts])
        n, filled = max(sketch.rows, 1), _filled(counts)
        farthest = max(missing, 1 - missing)  # all values missing, or (where most were) none
        in_reach = thresholds.psi_in_range(counts, null.rows)
        limits = {
            "psi": max(
                thresholds.PSI_FLOOR,
                thresholds.tail(shifts, null.alpha, in_reach),
                thresholds.psi_sampling(filled, null.alpha, n, null.rows),
            ),
            "missing": max(
                thresholds.MISSING_FLOOR,
                thresholds.tail(misses, null.alpha, (float(misses.max(initial=0)) + farthest) / 2),
                thresholds.missing_sampling(missing, null.alpha, n, null.rows),
            ),
        }
        return cls(sketch, over, limits)

    @cached_property
    def counts(self) -> list[int]:
        """Training's values in each bin."""
        return self.bins.counts(self.sketch)

    def score(self, seen: Sketch, null: Null) -> Score:
        """The statistics of a window, their thresholds at its size and their ratios; ``ratio`` is
        the largest, and above 1 means drift."""
        n, rows = max(self.sketch.rows, 1), max(seen.rows, 1)

        def widened(
            statistic: str, sampling: Callable[[float, float, int, int], float], shape: float
        ) -> float:
            """A smaller window scatters more: add what independent rows add at its size."""
            extra = sampling(shape, null.alpha, n, rows) - sampling(shape, null.alpha, n, null.rows)
            return float(self.limits[statistic] + max(0.0, extra))

        value = float(psi(self.counts, self.bins.counts(seen)))
        found = {
            "psi": _measure(value, widened("psi", thresholds.psi_sampling, _filled(self.counts)))
        }
        if "missing" in self.limits:
            shift = float(missing_shift(self.sketch.missing_share, seen.missing_share))
            limit = widened("missing", thresholds.missing_sampling, self.sketch.missing_share)
            found["missing"] = _measure(shift, limit)
        worst = max(found, key=lambda name: found[name]["ratio"])
        score: Score = {"statistics": found, "ratio": found[worst]["ratio"], "statistic": worst}
        return score

    def to_json(self) -> dict[str, Any]:
        return {**self.bins.to_json(), "sketch": self.sketch.to_json(), "limits": self.limits}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Reference:
        sketch = Sketch.from_json(document["sketch"])
        return cls(sketch, bins.from_json(document), dict(document["limits"]))


def _tally(assigned: Ints, size: int) -> list[int]:
    counts: list[int] = np.bincount(assigned[assigned >= 0], minlength=size).tolist()
    return counts


def _filled(counts: Sequence[int]) -> int:
    return sum(1 for count in counts if count)


def _measure(value: float, threshold: float) -> Measure:
    return {"value": value, "threshold": threshold, "ratio": value / threshold}
