"""Rows ↔ Parquet: plain files that Athena, DuckDB or pandas read as they are.

DOUBLE, STRING and TIMESTAMP(ms, UTC) columns, NULL for missing.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftloop.data import canonical
from driftloop.data.rows import Kind, Rows

TYPES = {"number": pa.float64(), "text": pa.string(), "time": pa.timestamp("ms", "UTC")}
GROUP = 64 * 1024  # rows


class Writer:
    """Batches of typed columns, streamed into one file; ``name`` is that of its rows (see
    ``canonical.Digest``)."""

    def __init__(self, path: Path, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self._schema = pa.schema([(name, TYPES[kind]) for name, kind in kinds.items()])
        self._file = _open(path, self._schema, kinds)
        self._digest = canonical.Digest(kinds)
        self._held: list[Any] = []

    def add(self, batch: Mapping[str, Any]) -> None:
        """Append rows: arrow arrays of TYPES (texts also as dictionaries), nulls where missing."""
        plain = {name: _plain(batch[name]) for name in self._kinds}
        self._digest.update({name: canonical_of(column) for name, column in plain.items()})
        self._held.append(pa.RecordBatch.from_arrays(list(plain.values()), schema=self._schema))
        if sum(map(len, self._held)) >= GROUP:
            self._flush()

    def close(self) -> str:
        """End the file; returns the name of its rows."""
        self._flush()
        self._file.close()
        return self._digest.hexdigest()

    def _flush(self) -> None:
        if self._held:
            self._file.write_table(pa.Table.from_batches(self._held), row_group_size=2 * GROUP)
            self._held = []
            pa.default_memory_pool().release_unused()  # or memory creeps up with the rows


def write(rows: Rows) -> bytes:
    """Parquet bytes, compressed with Zstandard."""
    columns = [
        pa.array(values, TYPES[rows.kinds[name]], from_pandas=True)
        for name, values in rows.columns.items()
    ]
    buffer = io.BytesIO()
    table = pa.table(columns, names=list(rows.columns))
    with _open(buffer, table.schema, rows.kinds) as file:
        file.write_table(table, row_group_size=GROUP)
    return buffer.getvalue()


def read(data: bytes, kinds: Mapping[str, Kind]) -> Rows:
    """The columns named by ``kinds``, typed. Raises pyarrow.ArrowException for what is no such
    file."""
    texts = [name for name, kind in kinds.items() if kind == "text"]
    table = pq.read_table(
        pa.BufferReader(data), columns=list(kinds), use_threads=False, read_dictionary=texts
    )
    return Rows(dict(kinds), {name: _typed(table[name], kind) for name, kind in kinds.items()})


def canonical_of(column: Any) -> canonical.Column:
    """An arrow array of TYPES in canonical form."""
    if pa.types.is_floating(column.type):
        return canonical.numbers(column.to_numpy(zero_copy_only=False))
    if pa.types.is_timestamp(column.type):
        return np.asarray(column.cast(pa.int64()).to_numpy(zero_copy_only=False))
    column = _plain(column)
    filled = column.fill_null("")  # what lies under a null is not said
    _, offsets, data = filled.buffers()
    ends = np.frombuffer(offsets, np.int32)[filled.offset :][: len(filled) + 1]
    lengths = np.diff(ends)
    if column.null_count:
        lengths[column.is_null().to_numpy(zero_copy_only=False)] = -1
    return canonical.Texts(lengths, np.frombuffer(data or b"", np.uint8)[ends[0] : ends[-1]])


def _open(target: Any, schema: Any, kinds: Mapping[str, Kind]) -> Any:
    texts = [name for name, kind in kinds.items() if kind == "text"]
    return pq.ParquetWriter(
        target, schema, compression="zstd", use_dictionary=texts, store_schema=False
    )


def _plain(column: Any) -> Any:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _typed(values: Any, kind: Kind) -> Any:
    if kind == "text":
        words = values.combine_chunks()
        if not pa.types.is_dictionary(words.type):
            words = words.dictionary_encode()
        known = np.array([*words.dictionary.to_pylist(), None], dtype=object)  # one str for all
        return known[words.indices.fill_null(len(known) - 1).to_numpy()]
    if kind == "time":
        return values.cast(TYPES["time"]).cast(pa.int64()).to_numpy()
    return values.cast(pa.float64()).to_numpy().copy()
