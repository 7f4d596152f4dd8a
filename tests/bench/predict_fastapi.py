"""``uvicorn predict_fastapi:app``: FastAPI around the pipeline, requests checked by pydantic."""

import os
from pathlib import Path

import joblib
import pandas as pd
from fastapi import FastAPI
from predict_schema import Answer, Asked, Prediction

pipeline = joblib.load(Path(os.environ["BENCH_FOLDER"]) / "pipeline.joblib")
classes = [str(name) for name in pipeline.classes_]
app = FastAPI()


@app.post("/predict")
def predict(asked: Asked) -> Answer:
    table = pd.DataFrame([flight.model_dump() for flight in asked.instances])
    chances = pipeline.predict_proba(table)[:, 1]
    predictions = [Prediction(value=classes[int(p > 0.5)], probability=p) for p in chances]
    return Answer(model="flights", version=1, predictions=predictions)
