"""Rows ↔ Parquet, by DuckDB: plain files that Athena, DuckDB or pandas read as they are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from driftloop.rows import Kind, Rows

# Lambda's home is read-only, and nothing may be fetched while the data is being read.
_SETTINGS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 2,
}


def write(rows: Rows) -> bytes:
    """Parquet bytes: DOUBLE, VARCHAR and TIMESTAMP columns, NULL for missing."""
    with tempfile.TemporaryDirectory() as folder, _connect() as database:
        path = Path(folder, "rows.parquet")
        database.register("source", rows.columns)
        picked = _select(rows.kinds)
        database.execute(
            f"COPY (SELECT {picked} FROM source) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
        )
        return path.read_bytes()


def read(data: bytes, kinds: dict[str, Kind]) -> Rows:
    """The columns named by ``kinds``, typed. Raises duckdb.Error for what is no such file."""
    with tempfile.TemporaryDirectory() as folder, _connect() as database:
        path = Path(folder, "rows.parquet")
        path.write_bytes(data)
        picked = _select(kinds)
        found = database.execute(f"SELECT {picked} FROM read_parquet('{path}')").fetchnumpy()
    return Rows(kinds, {name: _typed(found[name], kind) for name, kind in kinds.items()})


def _typed(values: Any, kind: Kind) -> Any:
    if kind == "number":
        return np.ma.filled(values.astype(np.float64), np.nan)
    if kind == "time":
        return np.asarray(values, dtype=np.int64)
    text = np.array(np.ma.getdata(values), dtype=object)
    text[np.ma.getmaskarray(values)] = None
    return text


def _select(kinds: dict[str, Kind]) -> str:
    """The columns; ``epoch_ms`` turns milliseconds into TIMESTAMP, and TIMESTAMP back."""
    names = {name: '"' + name.replace('"', '""') + '"' for name in kinds}
    return ", ".join(
        f"epoch_ms({q}) AS {q}" if kinds[name] == "time" else q for name, q in names.items()
    )


def _connect() -> Any:
    return duckdb.connect(":memory:", config=_SETTINGS)
