"""``python theirs.py FOLDER``: FastAPI around the scikit-learn pipeline with pandas, as it is
usually put on Lambda: an adapter turns the event into an ASGI call."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import warm
from fastapi import FastAPI
from pydantic import BaseModel

folder = Path(sys.argv[1])
pipeline = joblib.load(folder / "pipeline.joblib")
classes = [str(name) for name in pipeline.classes_]
app = FastAPI()


class Flight(BaseModel):
    hour: float
    weekday: float
    distance: float
    carrier: str
    origin: str
    dest: str
    temp: float | None
    dewp: float | None
    humid: float | None
    wind_speed: float | None
    precip: float | None
    pressure: float | None
    visib: float | None


class Asked(BaseModel):
    instances: list[Flight]


@app.post("/models/flights/predict")
async def predict(asked: Asked) -> dict[str, Any]:
    table = pd.DataFrame([flight.model_dump() for flight in asked.instances])
    chances = pipeline.predict_proba(table)[:, 1]
    return {
        "model": "flights",
        "version": 1,
        "predictions": [{"value": classes[int(p > 0.5)], "probability": float(p)} for p in chances],
    }


loop = asyncio.new_event_loop()


def handler(event: dict[str, Any]) -> dict[str, Any]:
    """What Mangum does, without its options."""
    http = event["requestContext"]["http"]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
        "method": http["method"], "path": http["path"], "raw_path": http["path"].encode(),
        "query_string": b"", "scheme": "https", "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in event["headers"].items()],
    }  # fmt: skip
    said: dict[str, Any] = {"body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": event["body"].encode(), "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            said["statusCode"] = message["status"]
        else:
            said["body"] += message.get("body", b"")

    loop.run_until_complete(app(scope, receive, send))
    return {"statusCode": said["statusCode"], "body": said["body"].decode()}


warm.run(handler, folder)
