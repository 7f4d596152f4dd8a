"""One column as training saw it, and how far a window's may lie from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict

import numpy as np

from driftloop.sketches import bins
from driftloop.sketches.bins import Bins, NumberBins, TextBins
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch
from driftloop.thresholds.null import Marginal, Null
from driftloop.thresholds.statistics import STATISTICS, Counts, Floats

FINE = 100
"""Bins of statistics that look at the order of numbers: a hundredth is what they may miss."""
CATEGORIES = 500
"""Texts that are known by name where new ones are looked for."""


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
class Reference:
    """``bins``: that windows are compared over and people look at; ``fine``: for statistics of
    order, and for new categories; ``nulls``: of the statistics that are judged, by name."""

    sketch: Sketch
    bins: Bins
    nulls: dict[str, Marginal]

    @cached_property
    def fine(self) -> Bins:
        return fine_bins(self.sketch)

    @cached_property
    def counts(self) -> list[int]:
        """Training's values in each bin."""
        return self.bins.counts(self.sketch)

    def score(self, seen: Sketch, null: Null, levels: Floats) -> Score:
        """The statistics of a window, their thresholds at its size and their ratios; ``levels``
        as ``null.levels`` gives them."""
        found = {
            name: Measure(value=float(value), threshold=float(limit), ratio=float(value / limit))
            for name, (value, limit) in self.measured(self._counted(seen), null, levels).items()
        }
        worst = max(found, key=lambda name: found[name]["ratio"], default=None)
        ratio = found[worst]["ratio"] if worst else 0.0
        return {"statistics": found, "ratio": ratio, "statistic": worst}

    def measured(
        self, windows: Counts, null: Null, levels: Floats
    ) -> dict[str, tuple[Floats, Floats]]:
        """Each statistic and its threshold, of one window or of each of many."""
        base = self._reference
        return {
            name: (
                STATISTICS[name].between(base, windows),
                null.threshold(name, marginal, levels, base, windows),
            )
            for name, marginal in self.nulls.items()
        }

    @cached_property
    def _reference(self) -> Counts:
        return self._counted(self.sketch)

    def _counted(self, sketch: Sketch) -> Counts:
        fine, ends = self.fine, "wasserstein" in self.nulls
        return Counts(
            np.array(self.bins.counts(sketch), np.float64),
            np.array(fine.counts(sketch), np.float64),
            np.array(fine.borders(sketch) if ends and isinstance(fine, NumberBins) else ()),
            np.array(float(sketch.rows)),
        )

    def to_json(self) -> dict[str, Any]:
        nulls = {
            name: {"mean": list(each.mean), "deviation": list(each.deviation)}
            for name, each in self.nulls.items()
        }
        return {**self.bins.to_json(), "sketch": self.sketch.to_json(), "nulls": nulls}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Reference:
        nulls = {
            name: Marginal(tuple(each["mean"]), tuple(each["deviation"]))
            for name, each in document["nulls"].items()
        }
        return cls(Sketch.from_json(document["sketch"]), bins.from_json(document), nulls)


def fine_bins(sketch: Sketch) -> Bins:
    if isinstance(sketch, NumberSketch):
        return NumberBins.of(sketch, FINE)
    assert isinstance(sketch, TextSketch)
    return TextBins.of(sketch, CATEGORIES)
