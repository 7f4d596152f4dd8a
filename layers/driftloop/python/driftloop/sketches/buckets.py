"""Numbers counted in buckets as wide as the numbers are large: quantiles of bounded relative error.

A float64's bits, taken as an integer, sort as its value does. Their first 12 name the *octave*
(sign and power of two), the next ``bits`` the bucket within it, so a bucket spans at most
``2**-bits`` of its values: as in DDSketch (Masson, Rim and Lee, VLDB 2019), on borders that cost no
logarithm. The table is bounded by making all buckets coarser as octaves appear (as in UDDSketch,
Epicoco et al., IEEE Access 2020): the finest at which ``octaves · 2**bits`` fits. More values never
need fewer octaves, so it is the same however they are cut and merged.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TABLE = 1 << 15
"""Most counters: 9 bits (0.2 %) for up to 64 octaves, 3 bits for all 4,094 there are."""
FINEST = 12
_MAGNITUDE = np.int64(0x7FFF_FFFF_FFFF_FFFF)
_UNKNOWN = np.int64(-(1 << 40))


class Buckets:
    """``bits``: how finely an octave is cut; ``octaves``: int64, ascending; ``counts``: int64,
    ``2**bits`` of each octave in turn; ``min``, ``max``: None without values."""

    def __init__(self, octaves: Ints | None = None) -> None:
        self.min: float | None = None
        self.max: float | None = None
        self._lay(np.empty(0, np.int64) if octaves is None else octaves)

    def update(self, values: Floats) -> Ints:
        """Add finite numbers (float64[n], n > 0; no -0.0). Returns each one's place in
        ``counts``, as the table now lies."""
        self._span(float(values.min()), float(values.max()))
        order = _order(values)
        octave = order >> 52
        place: Ints = self._shift[octave]
        if place.min() == _UNKNOWN:
            before = copy.copy(self)
            self._lay(np.union1d(self.octaves, octave[place == _UNKNOWN]))
            self._add(before)
            place = self._shift[octave]
        order >>= 52 - self.bits
        place += order
        self.counts += np.bincount(place, minlength=self.counts.size)
        return place

    def merge(self, other: Buckets) -> Buckets:
        """Of the values of both together."""
        merged = Buckets(np.union1d(self.octaves, other.octaves))
        merged._add(self)
        merged._add(other)
        return merged

    def beside(self, other: Buckets) -> tuple[Floats, Ints, Ints]:
        """Both over the same bins, as fine as the coarser: borders (ascending, finite, one more
        than bins) and how many values each of the two has between them. No bins without values."""
        both = self.merge(other)
        if both.min is None or both.max is None:
            return np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64)
        buckets, held = both.filled()
        starts = both.border(buckets)
        borders = np.union1d(starts, both.border(buckets + 1))  # gaps are bins as well
        total, ours = np.zeros((2, borders.size - 1), np.int64)
        place = np.searchsorted(borders, starts)
        alone = Buckets(both.octaves)
        alone._add(self)
        total[place], ours[place] = held, alone.counts[both.counts > 0]
        return np.clip(borders, both.min, both.max), ours, total - ours

    def filled(self) -> tuple[Ints, Ints]:
        """The buckets that hold anything, ascending, and their counts."""
        at = np.flatnonzero(self.counts)
        row = at >> self.bits
        return at + ((self.octaves[row] - row) << self.bits), self.counts[at]

    def border(self, buckets: Ints) -> Floats:
        """The least value of each bucket; inf above the last."""
        return _value(buckets << (52 - self.bits))

    def at(self, rank: int) -> float | None:
        """The ``rank``-th smallest value (from 1), as its bucket is :meth:`named`."""
        buckets, counts = self.filled()
        if not buckets.size:
            return None
        i = int(np.searchsorted(np.cumsum(counts), rank))
        return self.named(buckets[i : i + 1])[0]

    def named(self, buckets: Ints) -> list[float]:
        """For each bucket the number with the fewest digits that its values may have."""
        ends = zip(self.border(buckets).tolist(), self.border(buckets + 1).tolist(), strict=True)
        least, most = self.min or 0.0, self.max or 0.0
        return [
            _roundest(max(low, least), min(math.nextafter(high, low), most)) for low, high in ends
        ]

    def below(self, edges: Floats) -> Floats:
        """How many values lie below each edge: exact where it is a bucket's border, else as if
        values were spread evenly within the bucket."""
        if self.min is None or self.max is None:
            return np.zeros(len(edges))
        buckets, counts = self.filled()
        low = np.maximum(self.border(buckets), self.min)
        high = np.minimum(self.border(buckets + 1), math.nextafter(self.max, math.inf))
        at = np.maximum(np.searchsorted(low, edges, side="right") - 1, 0)
        low, high = low[at], high[at]
        within = (np.clip(edges, low, high) - low) / (high - low)
        return np.asarray((np.cumsum(counts) - counts)[at] + within * counts[at])

    def beyond(self, edge: float, side: int) -> float:
        """How far the values above an edge (``side`` 1) or below it (−1) lie from it, summed, each
        taken for its bucket's middle; up to infinity."""
        buckets, counts = self.filled()
        with np.errstate(over="ignore"):
            middle = self.border(buckets) / 2 + self.border(buckets + 1) / 2
            return float(counts @ np.maximum(side * (middle - edge), 0.0))

    def to_json(self) -> dict[str, Any]:
        """``counts``: from bucket ``first`` on, one behind the other; ``-n`` stands for ``n``
        empty ones."""
        buckets, counts = self.filled()
        gaps = np.diff(buckets, prepend=buckets[:1]) - 1
        both = np.stack([-gaps, counts], axis=1).ravel()
        return {
            "min": self.min,
            "max": self.max,
            "bits": self.bits,
            "first": int(buckets[0]) if buckets.size else None,
            "counts": both[np.stack([gaps > 0, counts > 0], axis=1).ravel()].tolist(),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Buckets:
        counts = np.array(document["counts"], np.int64)
        held = counts > 0
        steps = np.where(held, 1, -counts)
        buckets = (np.cumsum(steps) - steps)[held] + (document["first"] or 0)
        octaves = buckets >> document["bits"]
        loaded = cls(np.unique(octaves))
        loaded.counts[buckets + loaded._shift[octaves]] = counts[held]
        loaded.min, loaded.max = document["min"], document["max"]
        return loaded

    def _lay(self, octaves: Ints) -> None:
        """An empty table for these octaves."""
        self.octaves = octaves
        self.bits = min(FINEST, (TABLE // max(octaves.size, 1)).bit_length() - 1)
        self.counts: Ints = np.zeros(octaves.size << self.bits, np.int64)
        self._shift: Ints = np.full(4096, _UNKNOWN)  # by octave (the negative ones from the end):
        self._shift[octaves] = (np.arange(octaves.size) - octaves) << self.bits  # to the counter

    def _add(self, other: Buckets) -> None:
        """Count in what a table no coarser holds."""
        if other.min is None or other.max is None:
            return
        self._span(other.min, other.max)
        rows = np.searchsorted(self.octaves, other.octaves)
        shape = (rows.size, 1 << self.bits, 1 << (other.bits - self.bits))
        self.counts.reshape(-1, 1 << self.bits)[rows] += other.counts.reshape(shape).sum(axis=2)

    def _span(self, least: float, most: float) -> None:
        self.min = least if self.min is None else min(self.min, least)
        self.max = most if self.max is None else max(self.max, most)


def _order(values: Floats) -> Ints:
    """Integers that sort as the values do."""
    bits = values.view(np.int64)
    order = bits >> 63
    order &= _MAGNITUDE
    order ^= bits
    return order


def _value(order: Ints) -> Floats:
    return (order ^ ((order >> 63) & _MAGNITUDE)).view(np.float64)


def _roundest(low: float, high: float) -> float:
    """The number from ``low`` to ``high`` with the fewest digits."""
    if low <= 0.0 <= high:
        return 0.0
    middle = low / 2 + high / 2
    for digits in range(17):
        rounded = float(f"{middle:.{digits}e}")
        if low <= rounded <= high:
            return rounded
    return low
