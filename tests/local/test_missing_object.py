"""What a role is told of an object that is not there."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local.deployed import Deployed
from infra.local.permissions import check
from infra.local.server import Local

TRUST = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def local() -> Iterator[Local]:
    with Local() as running:
        client(running, "s3").create_bucket(Bucket="store")
        yield running


def client(local: Local, service: str, role: str | None = None) -> Any:
    key, secret, token = local.credentials_for(role) if role else ("test", "test", None)
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=local.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def role(local: Local, name: str, *statements: dict[str, Any]) -> str:
    iam = client(local, "iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    return str(made["Role"]["Arn"])


GET = {"Effect": "Allow", "Action": "s3:GetObject*", "Resource": "arn:aws:s3:::store/*"}
LIST = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::store"}
UNDER = {**LIST, "Condition": {"StringLike": {"s3:prefix": "a/*"}}}


@pytest.mark.parametrize(
    ("statements", "code"),
    [([GET], "AccessDenied"), ([GET, UNDER], "AccessDenied"), ([GET, LIST], "NoSuchKey")],
)
def test_only_who_may_list_learns_that_it_is_missing(
    local: Local, statements: list[dict[str, Any]], code: str
) -> None:
    arn = role(local, "reader", *statements)
    s3 = client(local, "s3", arn)
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="store", Key="a/missing")
    assert refused.value.response["Error"]["Code"] == code
    with pytest.raises(ClientError, match="404" if code == "NoSuchKey" else "403"):
        s3.head_object(Bucket="store", Key="a/missing")
    assert check(local.calls(), Deployed(local.account, local.region).policies()) == []
    asked = {call.action for call in local.calls()}
    assert ("s3:ListBucket" in asked) == (code == "NoSuchKey")


def test_what_is_there_is_read_and_a_missing_bucket_stays_missing(local: Local) -> None:
    s3 = client(local, "s3", role(local, "reader", GET))
    client(local, "s3").put_object(Bucket="store", Key="a/b", Body=b"x")
    assert s3.get_object(Bucket="store", Key="a/b")["Body"].read() == b"x"
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_object(Bucket="elsewhere", Key="a")
    with pytest.raises(ClientError, match="NoSuchKey"):
        client(local, "s3").get_object(Bucket="store", Key="missing")
