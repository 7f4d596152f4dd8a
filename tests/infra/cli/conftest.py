"""A deployment the command finds: stacks, registry and buckets (moto in this process)."""

import json

import boto3
import pytest
from moto import mock_aws

from driftloop.aws import clients
from driftloop.aws.registry import Registry
from infra.cli import target

TEMPLATE = {
    "Resources": {"T": {"Type": "AWS::SNS::Topic"}},
    "Outputs": {},
}
PLATFORM = {"LandingBucket": "landing", "StoreBucket": "store", "RegistryTable": "registry",
            "ApiUrl": "http://127.0.0.1:9"}  # fmt: skip


def stack(name, outputs):
    body = {**TEMPLATE, "Outputs": {k: {"Value": v} for k, v in outputs.items()}}
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))


@pytest.fixture
def registry(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in {**target.CREDENTIALS, "AWS_REGION": "us-east-1",
                        "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    clients._client.cache_clear()
    with mock_aws():
        stack("driftloop-dev-platform", PLATFORM)
        stack("driftloop-dev-flights", {"Model": "flights"})
        stack("somebody-else", {"Model": "theirs"})
        names = [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")]
        kinds = [{"AttributeName": n, "KeyType": k} for n, k in (("pk", "HASH"), ("sk", "RANGE"))]
        boto3.client("dynamodb").create_table(
            TableName="registry", AttributeDefinitions=names, KeySchema=kinds,
            BillingMode="PAY_PER_REQUEST",
        )  # fmt: skip
        for bucket in ("landing", "store"):
            boto3.client("s3").create_bucket(Bucket=bucket)
        yield Registry("registry")
    clients._client.cache_clear()
