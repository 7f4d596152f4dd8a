"""An API that wants tokens, deployed from its template: a token is all that a client needs."""

import json
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import boto3
import pandas as pd
import pytest

from driftloop import keys
from driftloop.client import Endpoint, Refused
from driftloop.plan import schema
from driftloop.route import Served, first
from driftloop.wire.attribute import encode_item
from infra.local import Local
from tests.driftloop.plans import ROW, plan
from tests.local.test_jwt import KEY, Issuer, Published, token

SOMEWHERE = "https://id.example.com"  # what a template may name; here one on loopback stands in
OTHER_ROW = {"hour": 23, "carrier": "AA", "temp": None}
NAMES = list(ROW)


@pytest.fixture(scope="module")
def api(synth):
    """(the model's URL, a token): the flights stack with version 1 of a small plan released."""
    jwt = {"jwt": {"issuer": SOMEWHERE, "audience": ["driftloop"]}}
    assembly = synth(environments={"dev": {"authorizer": jwt}})
    with ExitStack() as stack:
        issuer = stack.enter_context(Issuer(("127.0.0.1", 0), Published))
        issuer.keys = [KEY]
        threading.Thread(target=issuer.serve_forever, args=(0.01,)).start()
        stack.callback(issuer.shutdown)
        for file in assembly.path.glob("*.template.json"):
            file.write_text(file.read_text().replace(SOMEWHERE, issuer.url))
        local = stack.enter_context(Local(speed=0, start=datetime(2013, 2, 1, tzinfo=UTC)))
        platform = local.deploy(assembly.path)["driftloop-dev-platform"]
        how = {
            "region_name": "us-east-1", "endpoint_url": local.endpoint,
            "aws_access_key_id": "test", "aws_secret_access_key": "test",
        }  # fmt: skip
        data = plan()
        served = Served(1, "flights/versions/one/plan.json", schema.digest(data))
        boto3.client("s3", **how).put_object(
            Bucket=platform["StoreBucket"], Key=served.key, Body=data
        )
        route = first(served, "2013-02-01T00:00:00.000Z").to_item()
        item = {"pk": keys.model_pk("flights"), "sk": keys.ROUTE, **route}
        boto3.client("dynamodb", **how).put_item(
            TableName=platform["RegistryTable"], Item=encode_item(item)
        )
        yield platform["ApiUrl"] + "/models/flights", signed(issuer)


def signed(issuer, **changes):
    now = time.time()
    return token(issuer, **{"exp": now + 600, "iat": now - 1, **changes})


def post(url, body, content_type="application/json", **headers):
    """Plain HTTP, as MLflow's client or curl would."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    connection.request("POST", parts.path, body, {"content-type": content_type, **headers})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


@pytest.mark.parametrize(
    "shape",
    [
        {"dataframe_records": [ROW, OTHER_ROW]},
        {
            "dataframe_split": {
                "index": [7, 8],
                "columns": NAMES,
                "data": [[row[name] for name in NAMES] for row in (ROW, OTHER_ROW)],
            }
        },
        {"inputs": [ROW, OTHER_ROW]},
        {"inputs": {name: [ROW[name], OTHER_ROW[name]] for name in NAMES}, "params": {}},
        {"instances": [ROW, OTHER_ROW], "parameters": {}},
    ],
    ids=lambda shape: "-".join(f"{k}:{type(v).__name__}" for k, v in shape.items()),
)
def test_mlflows_shapes_need_a_url_and_a_token(api, shape):
    url, token = api
    status, answer = post(f"{url}/predict", json.dumps(shape), authorization=f"Bearer {token}")
    assert status == 200, answer
    with Endpoint(url, token) as endpoint:
        expected = endpoint.predict([ROW, OTHER_ROW])
    assert [p["probability"] for p in answer["predictions"]] == [p["probability"] for p in expected]


def test_rows_of_every_form_get_the_same_answers(api):
    with Endpoint(*api) as endpoint:
        several = endpoint.predict([ROW, OTHER_ROW])
        frame = endpoint.predict(pd.DataFrame([ROW, OTHER_ROW], index=["a", "b"]))
        one = endpoint.predict(OTHER_ROW)
    assert frame["probability"].to_dict() == {
        "a": several[0]["probability"], "b": several[1]["probability"],
    }  # fmt: skip
    assert one["probability"] == several[1]["probability"] and one["version"] == 1
    assert len({p["id"] for p in several}) == 2


def test_a_wrong_row_is_refused_by_its_place(api):
    with Endpoint(*api) as endpoint, pytest.raises(Refused, match=r"instances\[1\]\.hour") as said:
        endpoint.predict([ROW, {**ROW, "hour": 24}])
    assert said.value.status == 400
    assert said.value.errors[0]["field"] == "instances[1].hour"


def test_nobody_gets_in_without_a_good_token(api, monkeypatch):
    url, good = api
    forged = good.rpartition(".")[0] + "." + "A" * len(good.rpartition(".")[2])
    for wrong in (forged, "nonsense"):
        with Endpoint(url, wrong) as endpoint, pytest.raises(Refused, match="401"):
            endpoint.predict(ROW)
    monkeypatch.setattr("driftloop.client.access.found", lambda: None)
    with Endpoint(url) as endpoint, pytest.raises(Refused, match=r"401.*neither a token"):
        endpoint.predict(ROW)
