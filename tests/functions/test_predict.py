"""The predict function as Lambda calls it, against moto's DynamoDB and S3 over HTTP."""

import json
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

from driftloop import keys
from driftloop.aws.registry import Registry
from driftloop.aws.table import Write
from driftloop.plan.schema import digest
from driftloop.route import Served, first
from functions.predict import handler as function
from tests.driftloop.plans import NOW, ROW, SPEC, plan

EVENT = {
    "version": "2.0",
    "requestContext": {"requestId": "r-1", "timeEpoch": NOW},
    "body": json.dumps({"instances": [ROW]}),
    "isBase64Encoded": False,
}


@pytest.fixture
def aws(monkeypatch, tmp_path):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # moto's state is the process's: others may have left theirs.
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "DRIFTLOOP_ENV": "dev",
        "DRIFTLOOP_MODEL": "flights",
        "DRIFTLOOP_TABLE": "registry",
        "DRIFTLOOP_STORE": "store",
    }.items():
        monkeypatch.setenv(name, value)
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps(SPEC))
    monkeypatch.setattr(function, "spec_path", lambda: spec)
    function.endpoint.cache_clear()
    yield
    if function.endpoint.cache_info().currsize:
        function.endpoint().live.source.client.close()
    function.endpoint.cache_clear()
    server.stop()


def release(number: int, data: bytes):
    key = keys.version_artefact("flights", f"c{number}", "plan.json")
    boto3.client("s3").put_object(Bucket="store", Key=key, Body=data)
    route = first(Served(number, key, digest(data)), "2013-02-01T00:00:00.000Z")
    item = {"version": number, "plan_key": key, "plan_sha256": digest(data)}
    pk = keys.model_pk("flights")
    Registry("registry").table.write(
        Write("Put", pk, keys.version_sk(number), item),
        Write("Put", pk, keys.ROUTE, route.to_item()),
    )


def test_the_function_serves_what_the_registry_names(aws, capsys):
    boto3.client("s3").create_bucket(Bucket="store")
    boto3.client("dynamodb").create_table(
        TableName="registry",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
    )
    assert function.handler(EVENT, None)["statusCode"] == 503

    release(1, plan())
    response = function.handler(EVENT, None)
    assert response["statusCode"] == 200
    assert json.loads(response["body"])["version"] == 1
    source, served = function.endpoint().live.source, function.endpoint().live.route.champion
    assert source.plan(served.key, 0, 1) == (plan(), len(plan()))
    assert source.plan(served.key, 100, 1) == (plan()[100:], len(plan()))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("capture" in line, "_aws" in line) for line in lines[-2:]] == [
        (True, False),
        (False, True),
    ]


def test_the_predict_path_imports_nothing_heavy():
    heavy = ("numpy", "pandas", "sklearn", "pydantic", "boto3", "botocore", "aws_lambda_powertools")
    code = (
        f"import sys, functions.predict.handler;print([m for m in {heavy!r} if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
        env={"PYTHONPATH": f"{root}:{root}/layers/driftloop/python"},
    )
    assert found.stdout.strip() == "[]"
