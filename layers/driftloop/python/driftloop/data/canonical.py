"""Columns in the one form that names and hashes of rows are taken from, whatever library holds
them: numbers as float64 with one NaN (missing) and one zero, times as int64 epoch milliseconds,
texts as UTF-8.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Texts:
    """``lengths``: int32[n], bytes of each text, -1 where it is missing; ``data``: uint8[sum], the
    texts one behind the other."""

    lengths: npt.NDArray[np.int32]
    data: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.lengths)


Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | Texts


def numbers(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """float64[n], NaN = missing."""
    plain = values.astype(np.float64) + 0.0  # -0.0 + 0.0 is 0.0
    plain[np.isnan(plain)] = np.nan
    return plain


def texts(values: Sequence[str | None]) -> Texts:
    """Half a character of UTF-16, which is no text, is kept as it came."""
    encoded = [None if v is None else v.encode("utf-8", "surrogatepass") for v in values]
    lengths = np.fromiter((-1 if e is None else len(e) for e in encoded), np.int32, len(encoded))
    return Texts(lengths, np.frombuffer(b"".join(e for e in encoded if e), np.uint8))


class Digest:
    """A name for rows that come batch by batch: SHA-256 over how many they are and, by name of
    the column, its kind and its values. However the rows are cut into batches, it is the same."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = sorted(kinds.items())
        self._values = {name: hashlib.sha256() for name in kinds}
        self._lengths = {name: hashlib.sha256() for name, kind in kinds.items() if kind == "text"}
        self._rows = 0

    def update(self, columns: Mapping[str, Column]) -> None:
        """Add rows: every column, equally long."""
        for name, form in self._values.items():
            column = columns[name]
            if isinstance(column, Texts):
                self._lengths[name].update(_bytes(column.lengths, "<i4"))
                form.update(np.ascontiguousarray(column.data).data)
            else:
                form.update(_bytes(column, f"<{column.dtype.kind}8"))
        self._rows += len(column)

    def hexdigest(self) -> str:
        digests = [
            [name, kind, self._values[name].hexdigest()]
            + ([self._lengths[name].hexdigest()] if name in self._lengths else [])
            for name, kind in self._kinds
        ]
        return hashlib.sha256(json.dumps([self._rows, digests]).encode()).hexdigest()


def _bytes(values: npt.NDArray[Any], form: str) -> memoryview:
    return np.ascontiguousarray(values, dtype=form).data
