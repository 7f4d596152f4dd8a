"""64-bit hashes of values and of whole rows, vectorised: to find rows that are there twice.

Numbers and times go through the finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014),
which is one to one; texts through multilinear hashing of their bytes (Lemire and Kaser, The
Computer Journal 2014), then through the same. Columns are combined by odd multipliers drawn from
their names, so that their order does not matter.

Equal values have equal hashes. Of ``n`` different rows some two are taken for equal with a chance
of about ``n² / 2**65``: one in 370,000 for ten million rows. Numbers and times alone never are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from driftloop.data.canonical import Column, Texts

Hashes = npt.NDArray[np.uint64]
_SALT = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's digits


def values(column: Column) -> Hashes:
    """uint64[n]. Missing values are equal to each other."""
    if isinstance(column, Texts):
        return _texts(column)
    return _mix(column.view(np.uint64) ^ _SALT)  # or zero would stay zero


def rows(columns: Mapping[str, Hashes]) -> Hashes:
    """Hashes of the rows from those of their columns (by name)."""
    total: Hashes | None = None
    for name, hashes in columns.items():
        term = hashes * _odd(name)
        total = term if total is None else np.add(total, term, out=total)
    assert total is not None
    return _mix(total)


def _texts(column: Texts) -> Hashes:
    lengths = np.maximum(column.lengths, 0)
    longest = int(lengths.max(initial=0))
    weights = _weights(longest + 1)
    if longest and longest * len(lengths) == len(column.data):  # keys are often of one length
        hashes = column.data.reshape(-1, longest).astype(np.uint64) @ weights[1:]
    else:
        ends = np.cumsum(lengths, dtype=np.int64)
        starts = ends - lengths
        place = np.arange(len(column.data), dtype=np.int64)
        place -= np.repeat(starts, lengths)
        sums = np.zeros(len(column.data) + 1, dtype=np.uint64)  # wraps around, as it should
        np.cumsum(column.data * weights[1:][place], out=sums[1:])
        hashes = sums[ends] - sums[starts]
    hashes += lengths.astype(np.uint64) * weights[0]  # a trailing NUL is a character too
    hashes[column.lengths < 0] = _SALT
    return _mix(hashes)


def _weights(count: int) -> Hashes:
    return _mix(np.arange(1, count + 1, dtype=np.uint64) * _SALT) | np.uint64(1)


def _odd(name: str) -> np.uint64:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little") | 1)


def _mix(bits: Hashes) -> Hashes:
    """In place."""
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return bits
