"""Counts of numbers in buckets as wide as their values are large: quantiles from a bounded table.

A float64's bits, taken as an integer, sort as its value does. Their first 12 name the *octave*
(sign and power of two), the next ``bits`` the bucket within it, so a bucket spans at most
``2**-bits`` of its value: quantiles of bounded relative error, as in DDSketch (Masson, Rim and Lee,
VLDB 2019), on borders that cost no logarithm. The table is bounded by making all buckets coarser
as octaves appear (as in UDDSketch, Epicoco et al., IEEE Access 2020): the finest at which
``octaves · 2**bits`` fits. More values never need fewer octaves, so it is the same however they are
cut and merged.
"""

from __future__ import annotations

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
    """``bits``: of the value's magnitude told apart within its octave; ``octaves``: int64,
    ascending; ``counts``: int64, ``2**bits`` for each octave in turn."""

    def __init__(self, octaves: Ints | None = None) -> None:
        self.octaves: Ints = np.empty(0, np.int64) if octaves is None else octaves
        self.bits = _bits(self.octaves.size)
        self.counts: Ints = np.zeros(self.octaves.size << self.bits, np.int64)
        self._shift: Ints = np.full(4096, _UNKNOWN)  # octave (negative ones from the end) →
        row = np.arange(self.octaves.size)  # … what leads from a bucket to its counter
        self._shift[self.octaves] = (row - self.octaves) << self.bits

    def update(self, values: Floats) -> None:
        """Add finite numbers (float64[n], n > 0); -0.0 is 0.0."""
        order = _order(values)
        octave = order >> 52
        place = self._shift[octave]
        if place.min() == _UNKNOWN:
            self._take(self._over(octave))
            place = self._shift[octave]
        order >>= 52 - self.bits
        place += order
        self.counts += np.bincount(place, minlength=self.counts.size)

    def merge(self, other: Buckets) -> Buckets:
        """Of the values of both together."""
        merged = self._over(other.octaves)
        merged._add(other)
        return merged

    def filled(self) -> tuple[Ints, Ints]:
        """The buckets that hold anything, ascending, and their counts."""
        at = np.flatnonzero(self.counts)
        row = at >> self.bits
        return at + ((self.octaves[row] - row) << self.bits), self.counts[at]

    def border(self, buckets: Ints) -> Floats:
        """The least value of each bucket; inf above the last."""
        order = buckets << (52 - self.bits)
        return (order ^ ((order >> 63) & _MAGNITUDE)).view(np.float64)

    def to_json(self) -> dict[str, Any]:
        """``runs``: ``[first bucket, count, count …]`` of those next to each other."""
        buckets, counts = self.filled()
        cuts = np.flatnonzero(np.diff(buckets) > 1) + 1
        return {
            "bits": self.bits,
            "runs": [
                [int(some[0]), *found.tolist()]
                for some, found in zip(np.split(buckets, cuts), np.split(counts, cuts), strict=True)
                if some.size
            ],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Buckets:
        bits = document["bits"]
        pairs = [
            (first + i, count)
            for first, *counts in document["runs"]
            for i, count in enumerate(counts)
        ]
        buckets, counts = np.array(pairs, np.int64).reshape(-1, 2).T
        loaded = cls(np.unique(buckets >> bits))
        loaded.counts[buckets + loaded._shift[buckets >> bits]] = counts
        return loaded

    def _over(self, octaves: Ints) -> Buckets:
        """The same counts, with room for these octaves too."""
        wider = Buckets(np.union1d(self.octaves, octaves))
        wider._add(self)
        return wider

    def _add(self, other: Buckets) -> None:
        rows = np.searchsorted(self.octaves, other.octaves)
        shape = (rows.size, 1 << self.bits, 1 << (other.bits - self.bits))
        self.counts.reshape(-1, 1 << self.bits)[rows] += other.counts.reshape(shape).sum(axis=2)

    def _take(self, other: Buckets) -> None:
        self.octaves, self.bits = other.octaves, other.bits
        self.counts, self._shift = other.counts, other._shift


def _bits(octaves: int) -> int:
    return min(FINEST, (TABLE // max(octaves, 1)).bit_length() - 1)


def _order(values: Floats) -> Ints:
    """Integers that sort as the values do."""
    bits = (values + 0.0).view(np.int64)  # -0.0 + 0.0 is 0.0
    return bits ^ ((bits >> 63) & _MAGNITUDE)
