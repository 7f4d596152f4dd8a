"""The Arrow types that columns are handed on in."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

TEXT = pa.string()
CODES = pa.dictionary(pa.int32(), TEXT)
NUMBER = pa.float64()
TIME = pa.timestamp("us", "UTC")
_YEARS = (-62_135_596_800_000_000, 253_402_300_799_999_999)  # 1 to 9999, as Python has them


def sound(column: Any) -> Any | None:
    """The column; None when it holds a number that is not finite, a time that is null or out of
    Python's years."""
    if column.type == NUMBER and not math.isfinite(pc.sum(column).as_py() or 0.0):
        return column if pc.all(pc.is_finite(column)).as_py() else None
    if pa.types.is_timestamp(column.type) and len(column):
        if column.null_count:
            return None
        bounds = pc.min_max(column.cast(pa.int64()))
        within = bounds["min"].as_py() >= _YEARS[0] and bounds["max"].as_py() <= _YEARS[1]
        return column if within else None
    return column
