"""pandas reads and writes, pandera checks; rows that break the schema are dropped (and counted),
none is kept with its reason, and there is no profile."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ingest_clock
import pandas as pd
import pandera.pandas as pa
from ingest_data import CARRIERS, DESTINATIONS, NUMBERS, ORIGINS

SCHEMA = pa.DataFrameSchema(
    {
        "id": pa.Column(str, unique=True, report_duplicates="exclude_first"),
        "at": pa.Column("datetime64[ns, UTC]"),
        **{name: pa.Column(float, pa.Check.in_range(-100, 200)) for name in NUMBERS},
        "hour": pa.Column(float, pa.Check.in_range(0, 23)),
        "carrier": pa.Column(str, pa.Check.isin(CARRIERS)),
        "origin": pa.Column(str, pa.Check.isin(ORIGINS)),
        "dest": pa.Column(str, pa.Check.isin(DESTINATIONS)),
        "late": pa.Column(str, pa.Check.isin(["0", "1"])),
    },
    strict=True,
    drop_invalid_rows=True,
)
TEXTS = ["id", "at", "carrier", "origin", "dest", "late"]


def work(source: Path, folder: Path) -> dict[str, Any]:
    bad: list[Any] = []
    frame = pd.read_csv(
        source, dtype=dict.fromkeys(TEXTS, str), **READERS[sys.argv[3]], on_bad_lines=skip(bad)
    )
    total = len(frame) + len(bad)
    # What cannot be typed is missing, which the schema refuses.
    times = pd.to_datetime(frame["at"], utc=True, errors="coerce")
    frame["at"] = times.dt.as_unit("ns")
    for name in [*NUMBERS, "hour"]:
        frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
    valid = SCHEMA.validate(frame, lazy=True)
    valid.to_parquet(folder / "part.parquet", compression="zstd")
    return {"rows": total, "rejected": total - len(valid)}


READERS = {"c": {"engine": "c"}, "pyarrow": {"engine": "pyarrow"}}


def skip(bad: list[Any]) -> Any:
    if sys.argv[3] == "c":
        return "skip"

    def one(row: Any) -> str:
        bad.append(row)
        return "skip"

    return one


ingest_clock.run(work)
