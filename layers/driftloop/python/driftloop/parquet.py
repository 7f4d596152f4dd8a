"""Rows ↔ Parquet: plain files that Athena, DuckDB or pandas read as they are.

DOUBLE, STRING and TIMESTAMP(ms, UTC) columns, NULL for missing.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftloop.rows import Kind, Rows

TYPES = {"number": pa.float64(), "text": pa.string(), "time": pa.timestamp("ms", "UTC")}


def write(rows: Rows) -> bytes:
    """Parquet bytes, compressed with Zstandard."""
    columns = [
        pa.array(values, TYPES[rows.kinds[name]], from_pandas=True)
        for name, values in rows.columns.items()
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns, names=list(rows.columns)), buffer, compression="zstd")
    return buffer.getvalue()


def read(data: bytes, kinds: dict[str, Kind]) -> Rows:
    """The columns named by ``kinds``, typed. Raises pyarrow.ArrowException for what is no such
    file."""
    table = pq.read_table(pa.BufferReader(data), columns=list(kinds), use_threads=False)
    return Rows(kinds, {name: _typed(table[name], kind) for name, kind in kinds.items()})


def _typed(values: Any, kind: Kind) -> Any:
    if kind == "text":
        return np.array(values.cast(pa.string()).to_pylist(), dtype=object)
    if kind == "time":
        return values.cast(TYPES["time"]).cast(pa.int64()).to_numpy()
    return values.cast(pa.float64()).to_numpy().copy()
