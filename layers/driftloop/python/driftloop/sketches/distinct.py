"""How many different values there are, from the smallest of their hashes.

Of ``n`` hashes, uniform in [0, 1), the k-th smallest lies near ``k / n``. K minimum values:
Bar-Yossef, Jayram, Kumar, Sivakumar and Trevisan, "Counting distinct elements in a data stream"
(RANDOM 2002); the unbiased ``(k − 1) / h_k``, its standard error ``1 / √(k − 2)`` and its unions:
Beyer, Haas, Reinwald, Sismanis and Gemulla, "On synopses for distinct-value estimation under
multiset operations" (SIGMOD 2007). The smallest of a union are among the smallest of its parts, so
it is the same however values are cut and merged.
"""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

MOST = 1024
"""Hashes kept: fewer values are counted exactly, more within a standard error of 3.1 %."""
_SLOTS = 4096


class Distinct:
    """``hashes``: uint64[≤ MOST], ascending: the smallest of all seen."""

    def __init__(self, hashes: Hashes | None = None) -> None:
        self.hashes: Hashes = np.empty(0, np.uint64) if hashes is None else hashes

    def update(self, hashes: Hashes) -> None:
        """Add values by their hashes (uint64[n]); equal values must have equal hashes."""
        # once there are MOST of them, hardly any hash is smaller
        hashes = _fewer(hashes) if self.exact else hashes[hashes < self.hashes[-1]]
        if hashes.size:
            self.hashes = _smallest(np.concatenate([self.hashes, hashes]))

    def merge(self, other: Distinct) -> Distinct:
        """Of the values of both together."""
        return Distinct(_smallest(np.concatenate([self.hashes, other.hashes])))

    @property
    def exact(self) -> bool:
        return self.hashes.size < MOST

    @property
    def count(self) -> int:
        if self.exact:
            return int(self.hashes.size)
        return estimate(MOST, int(self.hashes[-1]))

    def to_json(self) -> str:
        return base64.b64encode(self.hashes.astype("<u8").tobytes()).decode()

    @classmethod
    def from_json(cls, text: str) -> Distinct:
        return cls(np.frombuffer(base64.b64decode(text), "<u8").astype(np.uint64))


def estimate(k: int, largest: int) -> int:
    """Distinct values of which the k-th smallest 64-bit hash is ``largest``."""
    return round((k - 1) / ((largest + 1) / 2.0**64))


def _smallest(hashes: Hashes) -> Hashes:
    """The MOST smallest, each once, ascending."""
    if hashes.size > 8 * MOST:  # few of them matter: leave the others unsorted
        low = _ascending(hashes[hashes < np.uint64(4 * MOST * (2**64 // hashes.size))])
        if low.size >= MOST:
            return low[:MOST]
    return _ascending(hashes)[:MOST]


def _ascending(hashes: Hashes) -> Hashes:
    """Each once; by sorting, which for so few is quicker than numpy's table of hashes."""
    hashes = np.sort(hashes)
    return hashes[np.append(True, hashes[1:] != hashes[:-1])] if hashes.size else hashes


def _fewer(hashes: Hashes) -> Hashes:
    """The same values with most of their repetitions left out, quicker than by sorting: each slot
    takes the last hash that falls into it, and those it did not take are kept beside."""
    if hashes.size <= _SLOTS:
        return hashes
    place = (hashes >> np.uint64(52)).view(np.int64)
    slots = np.full(_SLOTS, hashes[0])
    slots[place] = hashes
    return np.concatenate([slots, hashes[slots[place] != hashes]])
