"""NannyML's CBPE and DLE of the same holdouts and windows; it estimates no log loss and no R²."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ingest_clock
import nannyml as nml
import pandas as pd


def estimator(classes: int) -> tuple[Any, tuple[str, ...]]:
    how = {"y_pred": "said", "y_true": "y", "chunk_number": 1}
    if not classes:
        metrics: tuple[str, ...] = ("rmse", "mae")
        return nml.DLE(["x", "z", "kind"], metrics=list(metrics), **how), metrics
    metrics = ("roc_auc", "f1", "accuracy")
    how["y_pred_proba"] = "p1" if classes == 2 else {c: f"p{c}" for c in range(classes)}
    kind = "classification_binary" if classes == 2 else "classification_multiclass"
    return nml.CBPE(metrics=list(metrics), problem_type=kind, **how), metrics


def work(source: Path, folder: Path) -> dict[str, Any]:
    figures = {}
    for held in sorted(source.glob("*-holdout.parquet")):
        task, world, _ = held.stem.split("-")
        found, metrics = estimator(int(task))
        found.fit(pd.read_parquet(held))
        for path in source.glob(f"{task}-{world}-*.parquet"):
            if path == held:
                continue
            said = found.estimate(pd.read_parquet(path).drop(columns="y"))
            table = said.filter(period="analysis").to_df()
            for metric in metrics:
                name = f"{task}|{world}|{path.stem.split('-', 2)[2]}|{metric}"
                figures[name] = float(table[metric]["value"].iloc[0])
    return {"figures": figures, "worlds": int(sys.argv[3])}


ingest_clock.run(work)
