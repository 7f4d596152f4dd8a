"""NannyML's univariate drift of one chunk: Jensen-Shannon of every column, Kolmogorov-Smirnov and
Wasserstein of numbers. It has no PSI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ingest_clock
import nannyml as nml
import pandas as pd

NUMBERS = [f"n{i}" for i in range(14)]
CATEGORIES = [f"c{i}" for i in range(6)]


def work(source: Path, folder: Path) -> dict[str, Any]:
    reference, current = (
        pd.read_parquet(source / f"{side}.parquet") for side in ("reference", "current")
    )
    calculator = nml.UnivariateDriftCalculator(
        column_names=NUMBERS + CATEGORIES,
        treat_as_categorical=CATEGORIES,
        continuous_methods=["jensen_shannon", "kolmogorov_smirnov", "wasserstein"],
        categorical_methods=["jensen_shannon"],
        chunk_number=1,
    )
    found = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
    figures: dict[str, dict[str, float]] = {}
    for column in NUMBERS + CATEGORIES:
        methods = found[column].columns.get_level_values(0).unique()
        figures[column] = {m: float(found[column][m]["value"].iloc[0]) for m in methods}
        if "wasserstein" in methods:  # shown in deviations, as the others'
            figures[column]["wasserstein"] /= float(reference[column].std(ddof=0))
    return {"rows": len(current), "figures": figures}


ingest_clock.run(work)
