"""What a column's values look like, in some kilobytes: the one summary for profiles, baselines and
drift.

    >>> one = Sketch.numbers(np.array([1.0, 2.0, 2.0, np.nan]))
    >>> two = Sketch.merge(one, Sketch.numbers(np.array([7.0])))
    >>> two.rows, two.missing, two.distinct, two.quantile(0.5), two.mean
    (5, 1, 3, 2.0, 3.0)

Sketches add up: however the rows are cut, and in whatever order the sketches are merged, the same
comes out (of ``mean`` and ``deviation`` the last digits may differ). Two kinds:

``NumberSketch``
    rows, missing, least, greatest, mean and deviation (Chan, Golub and LeVeque, "Updating formulae
    and a pairwise algorithm for computing sample variances", 1979), counts in buckets of bounded
    relative width (``driftloop.buckets``), distinct values (``driftloop.distinct``).
``TextSketch``
    rows, missing, counts of the texts (``driftloop.tally``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from driftloop import rowhash
from driftloop.buckets import Buckets
from driftloop.distinct import Distinct
from driftloop.tally import Tally

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer[Any]]

BLOCK = 1 << 16
"""Values looked at in one go: few enough to stay in the processor's cache."""


class Sketch:
    """``rows``: all of them; ``missing``: those without a value."""

    type: ClassVar[str]
    min: float | None = None
    max: float | None = None
    mean: float | None = None
    deviation: float | None = None
    """Of a sample (divided by n − 1); None below two values. These four are None of texts, too."""

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
        return self._merge(other)

    def _merge(self, other: Any) -> Sketch:
        raise NotImplementedError

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """Different values: their number if ``exact``, else an estimate."""
        raise NotImplementedError

    @property
    def exact(self) -> bool:
        raise NotImplementedError

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
    type = "number"

    def __init__(self, rows: int = 0, missing: int = 0) -> None:
        super().__init__(rows, missing)
        self.buckets = Buckets()
        self._distinct = Distinct()
        self._mean = self._squares = 0.0  # NaN once out of a float's range

    def update_numbers(self, values: Floats) -> None:
        for start in range(0, len(values), BLOCK):
            self._update(values[start : start + BLOCK])

    def _update(self, values: Floats) -> None:
        self.rows += len(values)
        finite = np.isfinite(values)
        found = values if finite.all() else values[finite]
        self.missing += len(values) - len(found)
        if not len(found):
            return
        low, high = float(found.min()) + 0.0, float(found.max()) + 0.0
        self.min = low if self.min is None else min(self.min, low)
        self.max = high if self.max is None else max(self.max, high)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = found.mean()
            squares = np.square(found - mean).sum()
        self._pool(self.present - len(found), len(found), float(mean), float(squares))
        self.buckets.update(found)
        self._distinct.update(rowhash.values(found + 0.0))

    def _pool(self, before: int, n: int, mean: float, squares: float) -> None:
        """Mean and sum of squared deviations of ``before`` values and of ``n`` more."""
        share, apart = n / (before + n), mean - self._mean
        self._mean += apart * share
        self._squares += squares + apart * apart * before * share
        if not math.isfinite(self._squares) or not math.isfinite(self._mean):
            self._mean = self._squares = math.nan

    def _merge(self, other: Any) -> NumberSketch:
        if not isinstance(other, NumberSketch):
            raise ValueError("a sketch of numbers and one of texts cannot be added")
        merged = NumberSketch(self.rows + other.rows, self.missing + other.missing)
        merged.buckets = self.buckets.merge(other.buckets)
        merged._distinct = self._distinct.merge(other._distinct)
        before = 0
        for part in (self, other):
            if part.min is None or part.max is None:
                continue
            merged.min = part.min if merged.min is None else min(merged.min, part.min)
            merged.max = part.max if merged.max is None else max(merged.max, part.max)
            merged._pool(before, part.present, part._mean, part._squares)
            before += part.present
        return merged

    @property
    def distinct(self) -> int:
        return min(self._distinct.count, self.present)

    @property
    def exact(self) -> bool:
        return self._distinct.exact

    @property
    def mean(self) -> float | None:  # type: ignore[override]
        return self._mean if self.present and math.isfinite(self._mean) else None

    @property
    def deviation(self) -> float | None:  # type: ignore[override]
        if self.present < 2 or not math.isfinite(self._squares):
            return None
        return math.sqrt(self._squares / (self.present - 1))

    @property
    def width(self) -> float:
        """Of a bucket, as a share of its values: 0.2 % and less for values that differ by up to
        32 powers of two on either side of zero."""
        return math.ldexp(1.0, -self.buckets.bits)

    def quantile(self, q: float) -> float | None:
        buckets, counts = self.buckets.filled()
        if not buckets.size:
            return None
        ranks = np.cumsum(counts)
        at = int(np.searchsorted(ranks, max(math.ceil(q * self.present), 1)))
        return self._named(buckets[at : at + 1])[0]

    def top(self, k: int) -> list[tuple[float, int]]:
        buckets, counts = self.buckets.filled()
        order = np.argsort(-counts, kind="stable")[:k]
        return list(zip(self._named(buckets[order]), counts[order].tolist(), strict=True))

    def below(self, edges: Floats) -> Floats:
        """How many values lie below each edge: exact where it is a bucket's border, else as if
        values were spread evenly within the bucket."""
        buckets, counts = self.buckets.filled()
        if self.min is None or self.max is None:
            return np.zeros(len(edges))
        low = np.maximum(self.buckets.border(buckets), self.min)
        high = np.minimum(self.buckets.border(buckets + 1), np.nextafter(self.max, np.inf))
        at = np.searchsorted(low, edges, side="right") - 1
        within = np.clip((np.minimum(edges, high[at]) - low[at]) / (high[at] - low[at]), 0.0, 1.0)
        ranks = np.cumsum(counts) - counts
        return np.where(at < 0, 0.0, ranks[at] + within * counts[at])

    def histogram(self, bins: int) -> tuple[Floats, Floats]:
        """``bins + 1`` edges from the least value to the greatest, equally far apart, and how
        many values lie between them (the last bin includes its upper edge; counts need not be
        whole, see :meth:`below`). Both empty without values."""
        if self.min is None or self.max is None:
            return np.empty(0), np.empty(0)
        edges = np.linspace(self.min, self.max, bins + 1)
        below = self.below(edges)
        below[-1] = self.present
        return edges, np.diff(below)

    def to_json(self) -> dict[str, Any]:
        moments = None if math.isnan(self._mean) else [self._mean, self._squares]
        return {
            **super().to_json(),
            "min": self.min,
            "max": self.max,
            "moments": moments,
            "buckets": self.buckets.to_json(),
            "distinct": self._distinct.to_json(),
        }

    @classmethod
    def _load(cls, document: Mapping[str, Any]) -> NumberSketch:
        sketch = cls(document["rows"], document["missing"])
        sketch.min, sketch.max = document["min"], document["max"]
        sketch._mean, sketch._squares = document["moments"] or (math.nan, math.nan)
        sketch.buckets = Buckets.from_json(document["buckets"])
        sketch._distinct = Distinct.from_json(document["distinct"])
        return sketch

    def _named(self, buckets: npt.NDArray[np.int64]) -> list[float]:
        """For each bucket the number in it that has the fewest digits."""
        low, high = self.buckets.border(buckets).tolist(), self.buckets.border(buckets + 1).tolist()
        least, most = self.min or 0.0, self.max or 0.0
        return [
            _shortest(max(a, least), most) if b > most else _shortest(max(a, least), b, False)
            for a, b in zip(low, high, strict=True)
        ]


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
        if not isinstance(other, TextSketch):
            raise ValueError("a sketch of texts and one of numbers cannot be added")
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


def _shortest(low: float, high: float, inclusive: bool = True) -> float:
    """The number from ``low`` to ``high`` with the fewest decimal digits."""
    middle = low / 2 + high / 2
    if low <= 0.0 <= high and (inclusive or high):
        return 0.0
    for digits in range(17):
        rounded = float(f"{middle:.{digits}e}")
        if low <= rounded < high or (inclusive and rounded == high):
            return rounded
    return low
