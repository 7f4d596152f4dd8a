"""``python predict_mlflow.py FOLDER``: the pipeline as MLflow keeps one, with its signature, for
``mlflow models serve``."""

import json
import sys
from pathlib import Path

import joblib
import mlflow
import pandas as pd

folder = Path(sys.argv[1])
pipeline = joblib.load(folder / "pipeline.joblib")
rows = pd.DataFrame(json.loads((folder / "instances.json").read_text()))
mlflow.sklearn.save_model(
    pipeline,
    folder / "mlflow",
    signature=mlflow.models.infer_signature(rows, pipeline.predict_proba(rows)),
    pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle",  # as it was the default for years
    pip_requirements=[],
)
