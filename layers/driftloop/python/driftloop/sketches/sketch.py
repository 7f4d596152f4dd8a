"""What a column's values look like, in some kilobytes: the one summary for profiles, baselines and
drift.

    >>> one = Sketch.numbers(np.array([1.0, 2.0, 2.0, np.nan]))
    >>> two = Sketch.merge(one, Sketch.numbers(np.array([7.0])))
    >>> two.rows, two.missing, two.distinct, two.quantile(0.5), two.mean
    (5, 1, 3, 2.0, 3.0)

Sketches add up: however the rows are cut, and in whatever order the sketches are merged, the same
comes out (of ``mean`` and ``deviation`` the last digits may differ). Two kinds:

``NumberSketch``
    least and greatest, mean and deviation (``sketches.moments``), counts in buckets of bounded
    relative width (``sketches.buckets``), distinct values (``sketches.distinct``);
``TextSketch``
    counts of the texts, exact for up to 8,192 of them (``driftloop.sketches.tally``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from driftloop.data import rowhash
from driftloop.sketches.buckets import Buckets
from driftloop.sketches.distinct import Distinct
from driftloop.sketches.moments import Moments
from driftloop.sketches.tally import Tally

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer[Any]]

BLOCK = 1 << 16
"""Values looked at in one go: few enough to stay in the processor's cache."""


class Sketch:
    """``rows``: all of them; ``missing``: those without a value."""

    type: ClassVar[str]

    def __init__(self, rows: int = 0, missing: int = 0) -> None:
        self.rows, self.missing = rows, missing

    @staticmethod
    def numbers(values: Floats) -> NumberSketch:
        """Of float64[n]; NaN and infinities count as missing."""
        sketch = NumberSketch()
        sketch.update_numbers(values)
        return sketch

    @staticmethod
    def codes(codes: Codes, names: Sequence[str]) -> TextSketch:
        """Of int[n] positions in ``names`` (no name twice); -1 is missing."""
        sketch = TextSketch()
        sketch.update_codes(codes, names)
        return sketch

    def update_numbers(self, values: Floats) -> None:
        """Add values as :meth:`numbers` takes them. Raises TypeError for a sketch of texts."""
        raise TypeError("a sketch of texts takes no numbers")

    def update_codes(self, codes: Codes, names: Sequence[str]) -> None:
        """Add values as :meth:`codes` takes them. Raises TypeError for a sketch of numbers."""
        raise TypeError("a sketch of numbers takes no texts")

    def merge(self, other: Sketch) -> Sketch:
        """Of the rows of both together, as a new sketch. Raises ValueError for different kinds."""
        if self.type != other.type:
            raise ValueError("a sketch of numbers and one of texts cannot be added")
        return self._merge(other)

    def _merge(self, other: Any) -> Sketch:
        raise NotImplementedError

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def missing_share(self) -> float:
        """Of the rows, those without a value; 0 without rows."""
        return self.missing / self.rows if self.rows else 0.0

    @property
    def distinct(self) -> int:
        """Different values: their number if ``exact``, else an estimate."""
        raise NotImplementedError

    @property
    def exact(self) -> bool:
        raise NotImplementedError

    @property
    def min(self) -> float | None:
        """None without values; of texts always, as ``max``, ``mean`` and ``deviation`` are."""
        return None

    @property
    def max(self) -> float | None:
        return None

    @property
    def mean(self) -> float | None:
        """None, too, where mean or deviation are beyond a float's range."""
        return None

    @property
    def deviation(self) -> float | None:
        """Of a sample (divided by n − 1); None below two values."""
        return None

    def quantile(self, q: float) -> float | None:
        """The least value that at least the share ``q`` of the values does not exceed
        (numpy's ``inverted_cdf``), up to the width of a bucket (see ``NumberSketch.width``): of
        all numbers in that bucket the one with the fewest digits. None without values."""
        return None

    def top(self, k: int) -> list[tuple[Any, int]]:
        """The ``k`` most frequent values and their counts: of numbers, buckets (as ``quantile``
        names them); of texts exact while ``exact``, then of those in the sample."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """Plain, finite JSON; :meth:`from_json` gives an equal sketch."""
        return {"type": self.type, "rows": self.rows, "missing": self.missing}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> Sketch:
        kind: Callable[[Mapping[str, Any]], Sketch] = (
            NumberSketch._load if document["type"] == NumberSketch.type else TextSketch._load
        )
        return kind(document)


class NumberSketch(Sketch):
    """``buckets``: the distribution (``driftloop.sketches.buckets``)."""

    type = "number"

    def __init__(self, rows: int = 0, missing: int = 0) -> None:
        super().__init__(rows, missing)
        self.buckets, self._moments, self._distinct = Buckets(), Moments(), Distinct()
        self._met: Floats = np.empty(0)  # a value of each bucket that _distinct has counted

    def update_numbers(self, values: Floats) -> None:
        for start in range(0, len(values), BLOCK):
            block = values[start : start + BLOCK]
            finite = np.isfinite(block)
            found = (block if finite.all() else block[finite]) + 0.0  # -0.0 + 0.0 is 0.0
            self.rows += len(block)
            self.missing += len(block) - len(found)
            if len(found):
                self._moments.update(found)
                self._meet(found, self.buckets.update(found))

    def _meet(self, values: Floats, place: npt.NDArray[np.int64]) -> None:
        """Count distinct values; while they are few, most need no hashing to be known again."""
        if self._distinct.exact:
            if self._met.size < self.buckets.counts.size:
                self._met = np.full(self.buckets.counts.size, np.nan)
            fresh = np.flatnonzero(self._met[place] != values)
            values = values[fresh]
            self._met[place[fresh]] = values
        elif self._met.size:
            self._met = np.empty(0)
        if values.size:
            self._distinct.update(rowhash.values(values))

    def _merge(self, other: Any) -> NumberSketch:
        merged = NumberSketch(self.rows + other.rows, self.missing + other.missing)
        merged.buckets = self.buckets.merge(other.buckets)
        merged._moments = self._moments.merge(other._moments)
        merged._distinct = self._distinct.merge(other._distinct)
        return merged

    @property
    def distinct(self) -> int:
        return min(self._distinct.count, self.present)

    @property
    def exact(self) -> bool:
        return self._distinct.exact

    @property
    def min(self) -> float | None:
        return self.buckets.min

    @property
    def max(self) -> float | None:
        return self.buckets.max

    @property
    def mean(self) -> float | None:
        return self._moments.mean

    @property
    def deviation(self) -> float | None:
        return self._moments.deviation

    @property
    def width(self) -> float:
        """Of a bucket, as a share of its values: below 0.2 % as long as they span no more than 64
        octaves (powers of two, counted on either side of zero)."""
        return math.ldexp(1.0, -self.buckets.bits)

    def quantile(self, q: float) -> float | None:
        return self.buckets.at(max(math.ceil(q * self.present), 1))

    def top(self, k: int) -> list[tuple[float, int]]:
        buckets, counts = self.buckets.filled()
        order = np.argsort(-counts, kind="stable")[:k]
        return list(zip(self.buckets.named(buckets[order]), counts[order].tolist(), strict=True))

    def histogram(self, bins: int) -> tuple[Floats, Floats]:
        """``bins + 1`` edges, equally far apart, from the least value to the greatest, and how
        many values lie between them (the last bin includes its upper edge; counts need not be
        whole, see ``Buckets.below``). Both empty without values."""
        if self.min is None or self.max is None:
            return np.empty(0), np.empty(0)
        half = np.arange(bins + 1) / bins * (self.max / 2 - self.min / 2)
        edges = np.minimum(self.min + half + half, self.max)  # in halves: no overflow
        edges[-1] = self.max
        below = self.buckets.below(edges)
        below[-1] = self.present
        return edges, np.diff(below)

    def to_json(self) -> dict[str, Any]:
        return {
            **super().to_json(),
            "moments": self._moments.to_json(),
            "buckets": self.buckets.to_json(),
            "distinct": self._distinct.to_json(),
        }

    @classmethod
    def _load(cls, document: Mapping[str, Any]) -> NumberSketch:
        sketch = cls(document["rows"], document["missing"])
        sketch.buckets = Buckets.from_json(document["buckets"])
        sketch._moments = Moments.from_json(sketch.present, document["moments"])
        sketch._distinct = Distinct.from_json(document["distinct"])
        return sketch


class TextSketch(Sketch):
    type = "text"

    def __init__(self, rows: int = 0, missing: int = 0) -> None:
        super().__init__(rows, missing)
        self.tally = Tally()

    def update_codes(self, codes: Codes, names: Sequence[str]) -> None:
        counts = np.bincount(np.add(codes, 1, dtype=np.int64), minlength=len(names) + 1)
        self.rows += len(codes)
        self.missing += int(counts[0])
        self.tally.update(names, counts[1:])

    def _merge(self, other: Any) -> TextSketch:
        merged = TextSketch(self.rows + other.rows, self.missing + other.missing)
        merged.tally = self.tally.merge(other.tally)
        return merged

    @property
    def distinct(self) -> int:
        return min(self.tally.distinct, self.present)

    @property
    def exact(self) -> bool:
        return self.tally.exact

    def top(self, k: int) -> list[tuple[str, int]]:
        return self.tally.top(k)

    def counts(self, names: Sequence[str]) -> list[int]:
        """How often each of these was seen (0, too, for one that is not in the sample)."""
        return self.tally.of(names)

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), **self.tally.to_json()}

    @classmethod
    def _load(cls, document: Mapping[str, Any]) -> TextSketch:
        sketch = cls(document["rows"], document["missing"])
        sketch.tally = Tally.from_json(document)
        return sketch
