"""Counts of texts: exact of each while there are few, of an unbiased sample of them when many.

Kept are the texts with the smallest hashes (bottom-k sampling: Cohen and Kaplan, "Summarizing data
using bottom-k sketches", PODC 2007). The bar only ever falls, so a text below it was counted from
the first time on: its count is exact, and all is the same however texts are cut and merged. Which
texts are kept has nothing to do with how frequent they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.data import rowhash
from driftloop.data.canonical import texts
from driftloop.sketches.distinct import Hashes, estimate

MOST = 8192
"""Texts kept: fewer are counted exactly, more are told apart within a standard error of 1.1 %."""
LONGEST = 120
"""Of a longer text its beginning is kept, and its hash."""
_LABEL = re.compile(rf"(?s).{{{LONGEST}}}…[0-9a-f]{{16}}").fullmatch


class Tally:
    """``labels``: hash → text; ``counts``: hash → times seen."""

    def __init__(self) -> None:
        self.labels: dict[int, str] = {}
        self.counts: dict[int, int] = {}
        self._codes: dict[str, int] = {}  # text → hash: quicker than to hash it again
        self._bar: int | None = None  # the largest hash kept, once some were left out

    def update(self, names: Sequence[str], counts: npt.NDArray[np.int64]) -> None:
        """Add each name (no name twice) as often as ``counts`` (int64[n]) says."""
        fresh = []
        seen = np.flatnonzero(counts)
        for i, count in zip(seen.tolist(), counts[seen].tolist(), strict=True):
            code = self._codes.get(names[i])
            if code is None:
                fresh.append(i)
            else:
                self.counts[code] += count
        if fresh:
            self._meet([names[i] for i in fresh], counts[fresh])

    def merge(self, other: Tally) -> Tally:
        """Of the texts of both together."""
        merged = Tally()
        bars = [t._bar for t in (self, other) if t._bar is not None]
        merged._bar = min(bars, default=None)
        for part in (self, other):
            for code, count in part.counts.items():
                if merged._bar is None or code <= merged._bar:
                    merged._count(code, part.labels[code], count)
        merged._trim()
        return merged

    @property
    def exact(self) -> bool:
        return self._bar is None

    @property
    def distinct(self) -> int:
        return len(self.counts) if self._bar is None else estimate(MOST, self._bar)

    def of(self, names: Sequence[str]) -> list[int]:
        """How often each of some names (or labels) was seen; 0 where it was not kept."""
        return [self.counts.get(code, 0) for code in hashes(names).tolist()]

    def top(self, k: int) -> list[tuple[str, int]]:
        """The ``k`` most frequent of those kept (ties by name)."""
        found = [(self.labels[code], count) for code, count in self.counts.items()]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def to_json(self) -> dict[str, Any]:
        return {"counts": dict(sorted(self.top(len(self.counts)))), "sampled": not self.exact}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Tally:
        loaded = cls()
        names = list(document["counts"])
        for code, name in zip(hashes(names).tolist(), names, strict=True):
            loaded._count(code, name, document["counts"][name])
        loaded._bar = max(loaded.counts) if document["sampled"] else None
        return loaded

    def _meet(self, names: Sequence[str], counts: npt.NDArray[np.int64]) -> None:
        """Add names that are not among those kept."""
        codes = hashes(names)
        bar = np.uint64(2**64 - 1 if self._bar is None else self._bar)
        at = np.flatnonzero(codes <= bar)
        if at.size > MOST + 1:  # at most so many can stay; one more tells that some did not
            at = at[np.argpartition(codes[at], MOST)[: MOST + 1]]
        for i, code, count in zip(
            at.tolist(), codes[at].tolist(), counts[at].tolist(), strict=True
        ):
            self._count(code, names[i], count)
        self._trim()

    def _count(self, code: int, name: str, count: int) -> None:
        if code not in self.counts:
            label = name if len(name) <= LONGEST else f"{name[:LONGEST]}…{code:016x}"
            self.labels[code], self._codes[label] = label, code
        self.counts[code] = self.counts.get(code, 0) + count

    def _trim(self) -> None:
        if len(self.counts) <= MOST:
            return
        kept = sorted(self.counts)[:MOST]
        self._bar = kept[-1]
        self.counts = {code: self.counts[code] for code in kept}
        self.labels = {code: self.labels[code] for code in kept}
        self._codes = {name: code for code, name in self.labels.items()}


def hashes(names: Sequence[str]) -> Hashes:
    """The hash of each text, or of that of which it is the label."""
    if not names:
        return np.empty(0, np.uint64)
    found = rowhash.values(texts(names))
    for i, name in enumerate(names):
        if len(name) > LONGEST and _LABEL(name):
            found[i] = int(name[-16:], 16)
    return found
