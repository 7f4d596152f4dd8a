"""One model in both forms: the plan our endpoint answers from, the pipeline others load; and the
rows all are asked about, with the pipeline's own answers."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from pathlib import Path

import joblib
import pandas as pd

from driftloop import pipeline, prepare
from driftloop.checking.contract import check
from driftloop.plan import schema
from driftloop.plan.export import export
from driftloop.spec import Spec

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "infra" / "models" / "flights.yaml"
JANUARY = ROOT / "examples" / "flights" / "2013-01.csv.gz"
ESTIMATOR, PARAMS = "hist_gradient_boosting", {"max_iter": 100, "max_leaf_nodes": 15}


def build(folder: Path, rows: int) -> bytes:
    """Fit the flights model on January, and write what the contestants start from: ``plan.json``
    (given back, too) with ``opt`` laid out as Lambda's ``/opt``, ``pipeline.joblib``;
    ``instances.json``, rows as a client sends them, and ``expected.json``, their probabilities.
    """
    spec = Spec.load(SPEC)
    with gzip.open(JANUARY, "rt", encoding="utf-8", newline="") as lines:
        records = list(csv.DictReader(lines))
    columns = {name: [record[name] for record in records] for name in spec.columns}
    frame, *_ = prepare.build([check(spec, columns)[0]], spec)
    fitted = pipeline.fit(spec, ESTIMATOR, PARAMS, frame, frame.train)
    joblib.dump(fitted, folder / "pipeline.joblib")
    opt = folder / "opt"
    shutil.copytree(ROOT / "layers" / "driftloop" / "python", opt / "python",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    (opt / "spec.json").write_bytes(spec.to_json())
    instances = [
        {
            name: (float(record[name]) if f.type == "number" else record[name])
            if record[name]
            else None
            for name, f in spec.features.items()
        }
        for record in records[:rows]
    ]
    expected = fitted.predict_proba(pd.DataFrame(instances))[:, 1].tolist()
    (folder / "instances.json").write_text(json.dumps(instances))
    (folder / "expected.json").write_text(json.dumps(expected))
    plan = schema.dump(export(fitted, spec.features, frame.classes, spec.task))
    (folder / "plan.json").write_bytes(plan)
    return plan
