"""Evidently: one report of PSI, Jensen-Shannon, Kolmogorov-Smirnov (its p-value) and Wasserstein of
each column that has them (``all``), or its preset as it comes (``preset``)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ingest_clock
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift
from evidently.presets import DataDriftPreset

STATISTICS = {
    "psi": "psi", "jensen_shannon": "jensenshannon",
    "kolmogorov_smirnov": "ks", "wasserstein": "wasserstein",
}  # fmt: skip
NUMBERS = [f"n{i}" for i in range(14)]
CATEGORIES = [f"c{i}" for i in range(6)]


def work(source: Path, folder: Path) -> dict[str, Any]:
    shape = DataDefinition(numerical_columns=NUMBERS, categorical_columns=CATEGORIES)
    current, reference = (
        Dataset.from_pandas(pd.read_parquet(source / f"{side}.parquet"), shape)
        for side in ("current", "reference")
    )
    if sys.argv[3] == "preset":
        Report([DataDriftPreset()]).run(current, reference)
        return {"rows": len(current.as_dataframe()), "figures": {}}
    asked = [
        (column, name, method)
        for column in NUMBERS + CATEGORIES
        for name, method in STATISTICS.items()
        if column in NUMBERS or name in ("psi", "jensen_shannon")
    ]
    metrics = [ValueDrift(column=column, method=method) for column, _, method in asked]
    found = Report(metrics).run(current, reference).dict()["metrics"]
    figures: dict[str, dict[str, float]] = {column: {} for column in NUMBERS + CATEGORIES}
    for (column, name, _), metric in zip(asked, found, strict=True):
        assert f"column={column}," in metric["metric_name"]
        figures[column][name] = float(metric["value"])
    return {"rows": len(current.as_dataframe()), "figures": figures}


ingest_clock.run(work)
