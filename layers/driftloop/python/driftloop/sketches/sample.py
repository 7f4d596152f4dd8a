"""A uniform sample of rows that is the same however the rows are cut and merged.

Kept are the rows with the smallest hashes (bottom-k sampling: Cohen & Kaplan, "Summarizing data
using bottom-k sketches", PODC 2007), each with how often it occurred. So what one sees of the
sample one sees of the rows, and the k-th smallest hash says how many distinct rows there are.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Hashes = npt.NDArray[np.uint64]
Take = Callable[[npt.NDArray[np.int64]], Mapping[str, Array]]

MOST_ROWS = 10_000
MOST_CELLS = 200_000
"""Bounds a sample's JSON to some 2 MB."""


def rows_for(columns: int) -> int:
    """How many rows a sample of so many columns holds."""
    return max(100, min(MOST_ROWS, MOST_CELLS // max(columns, 1)))


class Sample:
    """At most ``size`` distinct rows, by ascending hash.

    ``hashes`` uint64[m], ``counts`` int64[m] (occurrences of the row), ``columns`` name → array
    of m: float64 (NaN missing), int64, or object (str, None missing).
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.hashes: Hashes = np.empty(0, np.uint64)
        self.counts: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.columns: dict[str, Array] = {}

    def __len__(self) -> int:
        return len(self.hashes)

    def update(self, hashes: Hashes, take: Take) -> None:
        """Add rows. Equal hashes must mean equal rows; ``take`` gives the columns of the rows at
        some positions, and is asked for few of them."""
        within = np.arange(len(hashes))
        if len(self) == self.size:
            within = np.flatnonzero(hashes <= self.hashes[-1])
        if not within.size:
            return
        found, first, counts = np.unique(hashes[within], return_index=True, return_counts=True)
        first = first[: self.size]
        self._add(found[: self.size], counts[: self.size], take(within[first]))

    def distinct(self, rows: int) -> int:
        """How many distinct rows there are among ``rows``: exact while all are held, else
        estimated within 1/√k (Beyer et al., SIGMOD 2007)."""
        if len(self) < self.size:
            return len(self)
        return min(rows, round((self.size - 1) / (float(self.hashes[-1]) / 2.0**64)))

    def codes(self, name: str) -> tuple[npt.NDArray[np.int64], list[str]]:
        """A column of texts as codes (-1 missing) into its sorted values."""
        values = self.columns[name].tolist()
        names = sorted({v for v in values if v is not None})
        place: dict[str | None, int] = {name: i for i, name in enumerate(names)}
        place[None] = -1
        return np.array([place[v] for v in values], np.int64), names

    def to_json(self) -> dict[str, Any]:
        columns: dict[str, Any] = {}
        for name, values in self.columns.items():
            if values.dtype == object:
                codes, names = self.codes(name)
                columns[name] = {"names": names, "codes": codes.tolist()}
            elif values.dtype == np.int64:
                columns[name] = {"integers": values.tolist()}
            else:
                columns[name] = {"numbers": [None if v != v else v for v in values.tolist()]}
        return {
            "size": self.size,
            "hashes": base64.b64encode(self.hashes.astype("<u8").tobytes()).decode(),
            "counts": None if (self.counts == 1).all() else self.counts.tolist(),
            "columns": columns,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Sample:
        sample = cls(document["size"])
        raw = base64.b64decode(document["hashes"])
        sample.hashes = np.frombuffer(raw, "<u8").astype(np.uint64)
        counts = document["counts"]
        sample.counts = np.array([1] * len(sample) if counts is None else counts, np.int64)
        for name, column in document["columns"].items():
            if "names" in column:
                words = np.array([*column["names"], None], dtype=object)
                sample.columns[name] = words[np.array(column["codes"], np.int64)]
            elif "integers" in column:
                sample.columns[name] = np.array(column["integers"], np.int64)
            else:
                sample.columns[name] = np.array(column["numbers"], np.float64)
        return sample

    def _add(self, hashes: Hashes, counts: Array, columns: Mapping[str, Array]) -> None:
        every = np.concatenate([self.hashes, hashes])
        kept, first, place = np.unique(every, return_index=True, return_inverse=True)
        kept, first = kept[: self.size], first[: self.size]
        total = np.bincount(place, np.concatenate([self.counts, counts]))
        self.hashes, self.counts = kept, total[: self.size].astype(np.int64)
        self.columns = {
            name: np.concatenate([self.columns[name], values])[first] if self.columns else values
            for name, values in columns.items()
        }


def merge(first: Sample, second: Sample) -> Sample:
    """The sample of both together."""
    merged = Sample(min(first.size, second.size))
    for part in (first, second):
        if len(part):
            columns = part.columns
            merged._add(part.hashes[: merged.size], part.counts[: merged.size],
                        {name: v[: merged.size] for name, v in columns.items()})  # fmt: skip
    return merged
