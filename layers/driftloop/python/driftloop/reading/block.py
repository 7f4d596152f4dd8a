"""What a reader hands on: consecutive rows of a file as raw columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

TEXT = 16 * 1024  # bytes of a broken record that are kept


@dataclass(frozen=True)
class Broken:
    """A record that could not be read at all: where it begins, what it says, what is wrong."""

    line: int
    text: str
    fault: str


@dataclass(frozen=True)
class Block:
    """``n`` consecutive rows of one file, and the records among them that could not be read.

    ``columns``: each ``n`` values, unchecked. Either an arrow array: strings or dictionary<string>
    ("" is "", null only where JSON or Parquet hold one), float64 (each value finite, or null for a
    null word) or timestamp(us, UTC) without nulls (years 1 to 9999). Or a list of JSON values.
    ``lines``: the physical line, from 1, on which each row begins; in Parquet the row's number.
    ``text``: row (from 0) → its original text without the line end; in Parquet as JSON.
    """

    columns: dict[str, Any]
    lines: npt.NDArray[np.int64]
    broken: list[Broken]
    text: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.lines)


def shown(raw: bytes) -> str:
    """Bytes of a file as text to keep, without the line end; what is not UTF-8 as ``\\xfc``."""
    return raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
