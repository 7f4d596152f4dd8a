"""``bentoml serve predict_bentoml:Flights``: a service that takes a frame, which BentoML reads."""

import os
from pathlib import Path

import bentoml
import joblib
import pandas as pd


@bentoml.service(name="flights", logging={"access": {"enabled": False}})
class Flights:
    def __init__(self) -> None:
        self.pipeline = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "pipeline.joblib")

    @bentoml.api
    def predict(self, instances: pd.DataFrame) -> list[float]:
        found: list[float] = self.pipeline.predict_proba(instances)[:, 1].tolist()
        return found
