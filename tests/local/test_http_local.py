"""A signed request through the HTTP API to a real Lambda process of the embedded AWS, and back."""

import base64
import http.client
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.deployed import Deployed
from infra.local.permissions import check
from infra.local.server import Local

REGION, ACCOUNT = "us-east-1", "123456789012"
HANDLER = """
import json

def handler(event, context):
    said = {"epoch": event["requestContext"]["timeEpoch"], "body": event.get("body")}
    who = event["requestContext"].get("authorizer", {}).get("iam", {}).get("userArn")
    return {"statusCode": 201, "headers": {"x-who": str(who)}, "body": json.dumps(said)}
"""


def api(kind: str, **properties: object) -> dict[str, Any]:
    return {
        "Type": f"AWS::ApiGatewayV2::{kind}",
        "Properties": {"ApiId": {"Ref": "Api"}, **properties},
    }


def role(service: str, *statements: object) -> dict[str, Any]:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    policies = [
        {
            "PolicyName": "p",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
        }
    ]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": policies,
        },
    }


def template(place: tuple[str, str]) -> dict[str, Any]:
    bucket, key = place
    predict = {
        "Fn::Sub": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:${{Api}}/*/POST/models/flights/predict"
    }
    return {
        "Resources": {
            "Api": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {"Name": "a", "ProtocolType": "HTTP"},
            },
            "Stage": api("Stage", StageName="$default", AutoDeploy=True),
            "Integration": api(
                "Integration",
                IntegrationType="AWS_PROXY",
                IntegrationUri={"Ref": "Live"},
                PayloadFormatVersion="2.0",
            ),
            "Route": api(
                "Route",
                RouteKey="POST /models/flights/predict",
                AuthorizationType="AWS_IAM",
                Target={"Fn::Sub": "integrations/${Integration}"},
            ),
            "FunctionRole": role("lambda"),
            "Caller": role(
                "ec2",
                {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": predict},
            ),
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "f",
                    "Runtime": "python3.13",
                    "Handler": "h.handler",
                    "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
                    "Code": {"S3Bucket": bucket, "S3Key": key},
                },
            },
            "Version": {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "Function"}},
            },
            "Live": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                    "Name": "live",
                },
            },
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": {"Ref": "Live"},
                    "Principal": "apigateway.amazonaws.com",
                    "SourceArn": predict,
                },
            },
        },
        "Outputs": {
            "Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
            "Caller": {"Value": {"Fn::GetAtt": ["Caller", "Arn"]}},
        },
    }


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    with Local(start=datetime(2013, 3, 1, tzinfo=UTC), speed=0) as running:
        yield running


@pytest.fixture(scope="module")
def outputs(local: Local) -> dict[str, str]:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("h.py", HANDLER)
    s3, stacks = client(local, "s3"), client(local, "cloudformation")
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="f.zip", Body=code.getvalue())
    stacks.create_stack(
        StackName="s",
        TemplateBody=json.dumps(template(("code", "f.zip"))),
        Capabilities=["CAPABILITY_IAM"],
    )
    found = stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
    return {output["OutputKey"]: output["OutputValue"] for output in found}


def client(local: Local, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=local.endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def call(
    url: str,
    body: bytes = b"{}",
    *,
    path: str = "/models/flights/predict",
    sign: Credentials | None = None,
) -> tuple[int, dict[str, str], bytes]:
    request = AWSRequest("POST", url + path, {"content-type": "application/json"}, body)
    if sign:
        SigV4Auth(sign, "execute-api", REGION).add_auth(request)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("POST", path, body, dict(request.headers.items()))
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


OPERATOR = Credentials("test", "test")


def test_signed_it_reaches_the_function_at_the_clock_s_time(outputs: dict[str, str]) -> None:
    status, headers, body = call(outputs["Url"], b'{"a":1}', sign=OPERATOR)
    assert (status, headers["x-who"]) == (201, f"arn:aws:iam::{ACCOUNT}:root")
    assert json.loads(body) == {"epoch": 1362096000000, "body": '{"a":1}'}


def test_unsigned_unknown_and_too_large_are_refused(outputs: dict[str, str]) -> None:
    url = outputs["Url"]
    assert call(url)[0] == 403
    assert call(url, sign=Credentials("test", "wrong"))[0] == 403
    assert call(url, path="/models/none/predict", sign=OPERATOR)[0] == 404
    assert call(url, b"x" * (10 * 1024 * 1024 + 1), sign=OPERATOR)[0] == 413
    assert call(url, b"x" * (7 * 1024 * 1024), sign=OPERATOR)[0] == 413


def test_a_role_is_let_in_by_its_policy_alone(local: Local, outputs: dict[str, str]) -> None:
    allowed = Credentials(*local.credentials_for(outputs["Caller"]))
    status, headers, _ = call(outputs["Url"], sign=allowed)
    assert (status, headers["x-who"]) == (201, outputs["Caller"])
    other = next(
        arn for arn in Deployed(ACCOUNT, REGION).policies().identity if "FunctionRole" in arn
    )
    assert call(outputs["Url"], sign=Credentials(*local.credentials_for(other)))[0] == 403
    denied = check(local.calls(), Deployed(ACCOUNT, REGION).policies())
    assert {(one.caller, one.action) for one in denied if "execute-api" in one.action} == {
        (other, "execute-api:Invoke")
    }


def test_the_api_can_be_read(local: Local, outputs: dict[str, str]) -> None:
    gateway = client(local, "apigatewayv2")
    (found,) = gateway.get_apis()["Items"]
    assert found["ApiEndpoint"] == outputs["Url"]
    routes = gateway.get_routes(ApiId=found["ApiId"])["Items"]
    assert [route["RouteKey"] for route in routes] == ["POST /models/flights/predict"]
    stage = gateway.get_stage(ApiId=found["ApiId"], StageName="$default")
    assert stage["AutoDeploy"] is True


def test_a_base64_body_arrives_as_bytes(outputs: dict[str, str]) -> None:
    _, _, body = call(outputs["Url"], b"\xff\x00", sign=OPERATOR)
    assert base64.b64decode(json.loads(body)["body"]) == b"\xff\x00"
