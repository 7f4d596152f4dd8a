"""Who may knock at the embedded AWS, and what it says of things it does not have."""

import http.client
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.local import Local
from tests.local.conftest import client


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    with Local(speed=0) as running:
        yield running


def once(
    local: Local, service: str, key: str = "test", secret: str = "test", token: str | None = None
) -> Any:
    return boto3.client(
        service,
        region_name=local.region,
        endpoint_url=local.endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.mark.parametrize(("service", "operation"), [
    ("dynamodb", "list_tables"), ("s3", "list_buckets"), ("sns", "list_topics"),
    ("lambda", "list_functions"),
])  # fmt: skip
def test_a_key_nobody_holds_is_refused(local: Local, service: str, operation: str) -> None:
    with pytest.raises(ClientError, match="AKIANOBODY is nobody's here") as refused:
        getattr(once(local, service, "AKIANOBODY"), operation)()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"


def test_an_unsigned_request_is_refused(local: Local) -> None:
    connection = http.client.HTTPConnection("localhost", local.port)
    connection.request("PUT", "/bucket/key", body=b"x" * 100_000)
    answer = connection.getresponse()
    assert answer.status == 403
    assert b"not signed" in answer.read()


def test_a_presigned_url_is_signed(local: Local) -> None:
    s3 = client(local, "s3")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="k", Body=b"body")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "k"})
    connection = http.client.HTTPConnection("localhost", local.port)
    connection.request("GET", url.partition(str(local.port))[2])
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"body")


def test_an_assumed_role_is_the_caller(local: Local) -> None:
    iam = client(local, "iam")
    trust = '{"Version":"2012-10-17","Statement":[]}'
    role = iam.create_role(RoleName="assumed", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    session = client(local, "sts").assume_role(RoleArn=role, RoleSessionName="session")[
        "Credentials"
    ]
    held = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    once(local, "dynamodb", *held).list_tables()
    assert ("dynamodb:ListTables", role) in {(c.action, c.caller) for c in local.calls()}


@pytest.mark.parametrize(("service", "operation", "named"), [
    ("lambda", "get_account_settings", "lambda:GET /2016-08-19/account-settings"),
    ("chatbot", "describe_slack_workspaces", "chatbot:POST /describe-slack-workspaces"),
    ("sagemaker", "list_workforces", "sagemaker:ListWorkforces"),
])  # fmt: skip
def test_what_is_not_supported_says_so_by_name(
    local: Local, service: str, operation: str, named: str
) -> None:
    with pytest.raises(ClientError, match=f"does not support {named}") as refused:
        getattr(once(local, service), operation)()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_body_in_chunks_arrives_whole(local: Local) -> None:
    """As the JavaScript SDK uploads streams."""
    s3 = client(local, "s3")
    s3.create_bucket(Bucket="chunks")
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "chunks", "Key": "k"})
    connection = http.client.HTTPConnection("localhost", local.port)
    parts = iter([b"one,", b"two,", b"three"])
    connection.request("PUT", url.partition(str(local.port))[2], body=parts, encode_chunked=True)
    assert connection.getresponse().status == 200
    assert s3.get_object(Bucket="chunks", Key="k")["Body"].read() == b"one,two,three"


@pytest.mark.parametrize(("service", "operation"), [
    ("dynamodb", "list_tables"), ("s3", "list_buckets"), ("lambda", "list_functions"),
])  # fmt: skip
def test_a_signature_with_another_secret_is_refused(
    local: Local, service: str, operation: str
) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        getattr(once(local, service, secret="guessed"), operation)()
    key, secret, _ = local.credentials_for("arn:aws:iam::123456789012:role/r")
    with pytest.raises(ClientError, match="session token"):
        getattr(once(local, service, key, secret), operation)()


def test_keys_of_every_kind_are_signed_alike(local: Local) -> None:
    """S3 signs paths as they are; the function's name in an ARN is encoded twice."""
    s3 = client(local, "s3")
    s3.create_bucket(Bucket="kinds")
    for key in ("plain", "a b/ü+%41", "dots/../x", "//twice", "~tilde$&=;:@,"):
        s3.put_object(Bucket="kinds", Key=key, Body=b"x", Metadata={"a": "b  c"})
        assert s3.get_object(Bucket="kinds", Key=key)["Body"].read() == b"x"
    assert len(s3.list_objects_v2(Bucket="kinds", Prefix="a b/ü")["Contents"]) == 1
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client(local, "lambda").get_function(
            FunctionName="arn:aws:lambda:us-east-1:123456789012:function:x y".replace(" ", "")
        )


def test_an_outage_strikes_the_service_and_the_role_it_names(local: Local) -> None:
    s3 = once(local, "s3")
    with local.outages.of("dynamodb"):
        with pytest.raises(ClientError) as failed:
            once(local, "dynamodb").list_tables()
        assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        s3.list_buckets()
    with local.outages.of("dynamodb", role=":role/other"):
        once(local, "dynamodb").list_tables()
    once(local, "dynamodb").list_tables()


def test_an_outage_is_asked_for_and_ended_over_http(local: Local) -> None:
    def ask(method: str, body: bytes = b"") -> int:
        connection = http.client.HTTPConnection("localhost", local.port)
        connection.request(method, "/_local/outage", body=body)
        return connection.getresponse().status

    assert ask("POST", b'{"service": "dynamodb"}') == 200
    with pytest.raises(ClientError, match="An outage was asked for"):
        once(local, "dynamodb").list_tables()
    assert ask("POST", b'{"servis": "dynamodb"}') == 400
    assert ask("DELETE") == 200
    once(local, "dynamodb").list_tables()
