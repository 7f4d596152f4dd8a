"""The exact Kolmogorov-Smirnov and Wasserstein distances of all values, by scipy: the truth of the
numbers. Wasserstein in deviations of the reference, as ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ingest_clock
import numpy as np
import pyarrow.parquet as pq
from drift_data import NUMBERS
from scipy import stats


def work(source: Path, folder: Path) -> dict[str, Any]:
    figures = {}
    rows = 0
    for name in NUMBERS:
        a, b = (
            pq.read_table(source / f"{side}.parquet", columns=[name])[name].to_numpy()
            for side in ("reference", "current")
        )
        rows = len(b)
        figures[name] = {
            "kolmogorov_smirnov": float(stats.ks_2samp(a, b, method="asymp").statistic),
            "wasserstein": float(stats.wasserstein_distance(a, b) / np.std(a)),
        }
    return {"rows": rows, "figures": figures}


ingest_clock.run(work)
