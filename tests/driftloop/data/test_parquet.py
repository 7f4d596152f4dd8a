"""A part is plain Parquet: whoever reads Parquet reads it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftloop.data import parquet
from driftloop.data.rows import Kind, Rows

KINDS: dict[str, Kind] = {"temp": "number", "carrier": "text", "at": "time"}
ROWS = Rows(
    KINDS,
    {
        "temp": np.array([1.5, np.nan, -2.0]),
        "carrier": np.array(["é,\n", None, "B"], dtype=object),
        "at": np.array([1_357_000_000_123, 0, -1], np.int64),
    },
)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """ROWS, a row a batch."""
    path = tmp_path / "part.parquet"
    writer = parquet.Writer(path, KINDS)
    for i in range(3):
        writer.add({
            "temp": pa.array(ROWS.columns["temp"][i : i + 1], from_pandas=True),
            "carrier": pa.array(["?", *ROWS.columns["carrier"]]).dictionary_encode()[i + 1 : i + 2],
            "at": pa.array(ROWS.columns["at"][i : i + 1]).cast(parquet.TYPES["time"]),
        })  # fmt: skip
    assert writer.close() == ROWS.digest()
    return path


def test_what_is_written_is_read(part: Path) -> None:
    for data in (part.read_bytes(), parquet.write(ROWS)):
        back = parquet.read(data, KINDS)
        assert back.digest() == ROWS.digest()
        assert back.columns["carrier"].tolist() == ["é,\n", None, "B"]


def test_no_rows_are_read_as_none() -> None:
    back = parquet.read(parquet.write(ROWS.take(np.zeros(3, dtype=bool))), KINDS)
    assert len(back) == 0
    assert [column.dtype.kind for column in back.columns.values()] == ["f", "O", "i"]


def test_equal_texts_are_one_object_in_memory() -> None:
    many = ROWS.take(np.array([0, 2] * 1000))
    words = parquet.read(parquet.write(many), KINDS).columns["carrier"].tolist()
    assert len({id(word) for word in words}) == 2


def test_duckdb_reads_it(part: Path) -> None:
    with duckdb.connect() as db:
        found = db.sql(f"SELECT temp, carrier, epoch_ms(\"at\") FROM '{part}'").fetchall()
        kinds = [str(kind) for kind in db.sql(f"SELECT * FROM '{part}'").types]
    assert found == [(1.5, "é,\n", 1_357_000_000_123), (None, None, 0), (-2.0, "B", -1)]
    assert kinds == ["DOUBLE", "VARCHAR", "TIMESTAMP WITH TIME ZONE"]


def test_pandas_reads_it(part: Path) -> None:
    frame = pd.read_parquet(part)
    assert frame["temp"].isna().tolist() == [False, True, False]
    assert frame["carrier"].isna().tolist() == [False, True, False]
    assert frame["at"][0] == pd.Timestamp(1_357_000_000_123, unit="ms", tz="UTC")


def test_pyarrow_reads_it_with_plain_types_and_statistics(part: Path) -> None:
    table = pq.read_table(part)
    assert [field.type for field in table.schema] == [
        parquet.TYPES[kind] for kind in KINDS.values()
    ]
    group = pq.ParquetFile(part).metadata.row_group(0)
    assert group.num_rows == 3 and group.column(0).compression == "ZSTD"
    assert group.column(2).statistics.min.timestamp() == -0.001
