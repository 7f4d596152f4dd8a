"""``python predict_powertools.py FOLDER``: the Lambda handler one would write: powertools' resolver
with validation, pandas, the scikit-learn pipeline by joblib."""

import sys
from pathlib import Path

import joblib
import pandas as pd
import predict_clock
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from predict_schema import Answer, Asked, Prediction

folder = Path(sys.argv[1])
pipeline = joblib.load(folder / "pipeline.joblib")
classes = [str(name) for name in pipeline.classes_]
app = APIGatewayHttpResolver(enable_validation=True)


@app.post("/models/flights/predict")
def predict(asked: Asked) -> Answer:
    table = pd.DataFrame([flight.model_dump() for flight in asked.instances])
    chances = pipeline.predict_proba(table)[:, 1]
    predictions = [Prediction(value=classes[int(p > 0.5)], probability=p) for p in chances]
    return Answer(model="flights", version=1, predictions=predictions)


class Context:
    """What powertools reads of Lambda's."""

    function_name = "predict"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:predict"
    aws_request_id = "bench"


predict_clock.run(lambda event: app.resolve(event, Context()), folder)
