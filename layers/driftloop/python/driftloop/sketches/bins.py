"""The bins drift is counted over: chosen once from a sketch, so that any sketch's counts over them
follow from the sketch alone.

Numbers: bins of about equal counts between borders of the sketch's buckets, and two outer ones for
what lies below or above all it saw. They are empty in the sketch the bins come from, so a value
from another world (a unit bug, a stuck sensor) shows even where training was constant. Texts: the
most frequent, and one bin for any other.

The borders are as fine as that sketch's buckets. Counts of a sketch with coarser ones (which it
has when it spans far more octaves) are exact but for the buckets an edge cuts through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.sketches import tally
from driftloop.sketches.sketch import Codes, Floats, NumberSketch, Sketch, TextSketch

Ints = npt.NDArray[np.int64]

MOST_BINS = 10
MOST_CATEGORIES = 30
LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class NumberBins:
    """Bin 0 lies below ``edges[0]``, bin i from ``edges[i - 1]`` (included) to ``edges[i]``, the
    last from the last edge on. No edges: one bin."""

    edges: tuple[float, ...]

    @classmethod
    def of(cls, sketch: NumberSketch, most: int = MOST_BINS) -> NumberBins:
        """Each value (bucket) a bin if there are no more than ``most``, else ``most`` quantiles."""
        buckets, counts = sketch.buckets.filled()
        if not buckets.size:
            return cls(())
        last = buckets
        if buckets.size > most:
            wanted = np.ceil(np.arange(1, most + 1) / most * sketch.present)
            last = np.unique(buckets[np.searchsorted(np.cumsum(counts), wanted)])
        edges = sketch.buckets.border(np.concatenate([buckets[:1], last + 1]))
        return cls(tuple(np.minimum(edges, LARGEST).tolist()))

    def counts(self, sketch: Sketch) -> list[int]:
        """Values of a NumberSketch in each bin."""
        assert isinstance(sketch, NumberSketch)
        below = np.rint(sketch.buckets.below(np.array(self.edges, np.float64))).astype(np.int64)
        counts: list[int] = np.diff(below, prepend=0, append=sketch.present).tolist()
        return counts

    def borders(self, sketch: Sketch) -> list[float]:
        """Where each bin begins, and the last one's end: the edges, and two outer ends, so far out
        that values spread evenly over an outer bin lie as far out in the mean as the sketch's."""
        assert isinstance(sketch, NumberSketch)
        if not self.edges:
            return [sketch.min or 0.0, sketch.max or 0.0]
        counts = self.counts(sketch)
        low, high = self.edges[0], self.edges[-1]
        return [
            max(low - 2 * sketch.buckets.beyond(low, -1) / max(counts[0], 1), -LARGEST),
            *self.edges,
            min(high + 2 * sketch.buckets.beyond(high, 1) / max(counts[-1], 1), LARGEST),
        ]

    def assign(self, values: Floats) -> Ints:
        """The bin of each value; -1 where it is missing (not finite)."""
        found = np.searchsorted(np.array(self.edges, np.float64), values, side="right")
        return np.where(np.isfinite(values), found, -1).astype(np.int64)

    def to_json(self) -> dict[str, Any]:
        return {"edges": list(self.edges)}


@dataclass(frozen=True)
class TextBins:
    """A bin for each of ``categories`` (as the sketch labels them), and one for any other."""

    categories: tuple[str, ...]

    @classmethod
    def of(cls, sketch: TextSketch, most: int = MOST_CATEGORIES) -> TextBins:
        return cls(tuple(name for name, _ in sketch.top(most)))

    def counts(self, sketch: Sketch) -> list[int]:
        """Values of a TextSketch in each bin."""
        assert isinstance(sketch, TextSketch)
        known = sketch.counts(self.categories)
        return [*known, sketch.present - sum(known)]

    def assign(self, codes: Codes, names: Sequence[str]) -> Ints:
        """The bin of each code (-1 is missing); ``names[code]`` is its text."""
        place = {code: i for i, code in enumerate(tally.hashes(self.categories).tolist())}
        found = [place.get(code, len(place)) for code in tally.hashes(names).tolist()]
        return np.array([*found, -1], np.int64)[codes]

    def to_json(self) -> dict[str, Any]:
        return {"categories": list(self.categories)}


Bins = NumberBins | TextBins


def bins_of(sketch: Sketch) -> Bins:
    """The bins that suit a sketch."""
    if isinstance(sketch, NumberSketch):
        return NumberBins.of(sketch)
    assert isinstance(sketch, TextSketch)
    return TextBins.of(sketch)


def from_json(document: Mapping[str, Any]) -> Bins:
    if "edges" in document:
        return NumberBins(tuple(document["edges"]))
    return TextBins(tuple(document["categories"]))
