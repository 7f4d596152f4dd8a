"""When rows happened: counts per hour, or per day, week … once there are too many hours to count.

The width is the finest at which the buckets are few enough. More rows never need fewer buckets, so
it is the same however the rows are cut and merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

HOUR = 3_600_000
DAY = 24 * HOUR
WIDTHS = (HOUR, DAY, 7 * DAY, 28 * DAY, 364 * DAY, 3640 * DAY)
"""Each divides the next (milliseconds)."""
MOST_BUCKETS = 4_000
GAP = 3
"""A gap is a silence so many times as long as nearly all others."""


@dataclass
class Coverage:
    """``counts``: bucket → rows, the bucket being its first moment // ``width`` (milliseconds
    since 1970, UTC); ``first`` and ``last``: epoch milliseconds."""

    width: int = HOUR
    counts: dict[int, int] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None

    def update(self, times: npt.NDArray[np.int64]) -> None:
        """Add event times (epoch milliseconds)."""
        if not len(times):
            return
        found, counts = np.unique(times // self.width, return_counts=True)
        self._add(
            dict(zip(found.tolist(), counts.tolist(), strict=True)),
            int(times.min()),
            int(times.max()),
        )

    def series(self, width: int) -> tuple[int, npt.NDArray[np.int64]]:
        """Rows per ``width`` milliseconds (a multiple of the coverage's own), empty ones too:
        the first bucket's start and the counts. Empty without rows."""
        if not self.counts:
            return 0, np.empty(0, np.int64)
        coarse = _coarser(self.counts, width // self.width)
        start, end = min(coarse), max(coarse)
        filled = np.zeros(end - start + 1, np.int64)
        for bucket, count in coarse.items():
            filled[bucket - start] = count
        return start * width, filled

    def gaps(self) -> list[tuple[int, int]]:
        """Silences out of the ordinary as (start, end) in epoch milliseconds, the longest first:
        thrice as long as 99 in 100 of all steps between filled buckets (nights and weekends are
        ordinary where they are many), over a hundredth of the whole span, and over a day where
        there are too few steps to know what is ordinary."""
        filled = np.array(sorted(self.counts), np.int64)
        if filled.size < 3:
            return []
        steps = np.diff(filled)
        usual = float(np.quantile(steps, 0.99, method="inverted_cdf"))
        least = float(filled[-1] - filled[0]) / 100
        if steps.size < 100:  # the longest is among them: leave it out of what is usual
            usual, least = float(np.sort(steps)[-2]), max(least, DAY / self.width + 1)
        long = max(GAP * usual, least)
        found = [
            (int(filled[i] + 1) * self.width, int(filled[i + 1]) * self.width)
            for i in np.flatnonzero(steps > long)
        ]
        return sorted(found, key=lambda gap: (gap[0] - gap[1], gap[0]))

    def to_json(self) -> dict[str, Any]:
        buckets = sorted(self.counts)
        return {
            "width": self.width,
            "buckets": buckets,
            "counts": [self.counts[b] for b in buckets],
            "first": self.first,
            "last": self.last,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Coverage:
        counts = dict(zip(document["buckets"], document["counts"], strict=True))
        return cls(document["width"], counts, document["first"], document["last"])

    def _add(self, counts: Mapping[int, int], first: int, last: int) -> None:
        for bucket, count in counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        while len(self.counts) > MOST_BUCKETS and self.width != WIDTHS[-1]:
            self._widen(WIDTHS[WIDTHS.index(self.width) + 1])

    def _widen(self, width: int) -> None:
        self.counts = _coarser(self.counts, width // self.width)
        self.width = width


def merge(first: Coverage, second: Coverage) -> Coverage:
    """The coverage of both together."""
    merged = Coverage(max(first.width, second.width))
    for part in (first, second):
        if part.first is not None and part.last is not None:
            merged._add(_coarser(part.counts, merged.width // part.width), part.first, part.last)
    return merged


def _coarser(counts: Mapping[int, int], times: int) -> dict[int, int]:
    found: dict[int, int] = {}
    for bucket, count in counts.items():
        found[bucket // times] = found.get(bucket // times, 0) + count
    return found
