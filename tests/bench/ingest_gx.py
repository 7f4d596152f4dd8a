"""pandas reads and writes, Great Expectations checks (result format SUMMARY: counts and a few
examples; which rows broke what would cost it more). Bad rows stay in, and there is no profile."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as ge
import ingest_clock
import pandas as pd
from ingest_data import CARRIERS, DESTINATIONS, NUMBERS, ORIGINS

TEXTS = ["id", "at", "carrier", "origin", "dest", "late"]


def work(source: Path, folder: Path) -> dict[str, Any]:
    frame = pd.read_csv(source, dtype=dict.fromkeys(TEXTS, str), on_bad_lines="skip")
    frame["at"] = pd.to_datetime(frame["at"], utc=True, errors="coerce")
    for name in [*NUMBERS, "hour"]:
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    logging.disable(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    batch = (
        context.data_sources.add_pandas("bench")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    suite = context.suites.add(gx.ExpectationSuite("bench", expectations=[*expectations()]))
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(data=batch, suite=suite, name="bench")
    )
    result = definition.run(batch_parameters={"dataframe": frame}, result_format="SUMMARY")
    frame.to_parquet(folder / "part.parquet", compression="zstd")
    broken = sum(r.result.get("unexpected_count", 0) for r in result.results)
    return {"rows": len(frame), "rejected": broken}


def expectations() -> Any:
    yield ge.ExpectColumnValuesToBeUnique(column="id")
    for name in [*TEXTS, *NUMBERS, "hour"]:
        yield ge.ExpectColumnValuesToNotBeNull(column=name)
    for name in NUMBERS:
        yield ge.ExpectColumnValuesToBeBetween(column=name, min_value=-100, max_value=200)
    yield ge.ExpectColumnValuesToBeBetween(column="hour", min_value=0, max_value=23)
    words = {"carrier": CARRIERS, "origin": ORIGINS, "dest": DESTINATIONS, "late": ["0", "1"]}
    for name, values in words.items():
        yield ge.ExpectColumnValuesToBeInSet(column=name, value_set=values)


ingest_clock.run(work)
