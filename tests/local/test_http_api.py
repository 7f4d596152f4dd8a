"""An HTTP API made by CloudFormation, called over its own port."""

import base64
import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto import mock_aws

from infra.local import http_api
from infra.local.sigv4 import Secret

REGION, ACCOUNT = "us-east-1", "123456789012"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/caller"
NOW = datetime.now(UTC)


@dataclass
class Result:
    payload: bytes
    error: str | None = None


class Clock:
    def now(self) -> datetime:
        return NOW

    def busy(self, name: str) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


@dataclass
class FakeLocal:
    """As much of ``Local`` as an HTTP API needs; the function is ``answer``."""

    answer: Callable[[dict[str, Any]], Result] = lambda event: Result(b'{"ok":true}')
    account: str = ACCOUNT
    region: str = REGION
    clock: Clock = field(default_factory=Clock)
    events: list[dict[str, Any]] = field(default_factory=list)
    records: list[tuple[str, ...]] = field(default_factory=list)
    on_log: list[Any] = field(default_factory=list)

    def invoke(self, function: str, payload: bytes, *, caller: str) -> Result:
        assert (function, caller) == (FUNCTION, "apigateway.amazonaws.com")
        self.events.append(json.loads(payload))
        return self.answer(self.events[-1])

    def principal_of(self, key: str) -> str | None:
        return {"test": "operator", "ASIAROLE": ROLE}.get(key)

    def secret_of(self, key: str) -> Secret | None:
        return {"test": Secret("test"), "ASIAROLE": Secret("secret", "token")}.get(key)

    def record(self, *call: str) -> None:
        self.records.append(call)


def route(key: str, **properties: object) -> dict[str, object]:
    target = {"Fn::Join": ["/", ["integrations", {"Ref": "Integration"}]]}
    return {
        "Type": "AWS::ApiGatewayV2::Route",
        "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": key, "Target": target, **properties},
    }


IAM = {"AuthorizationType": "AWS_IAM"}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Api": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": "api",
                "ProtocolType": "HTTP",
                "CorsConfiguration": {
                    "AllowOrigins": ["https://example.org"],
                    "AllowMethods": ["POST"],
                    "MaxAge": 60,
                },
            },
        },
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/api/access"}},
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "StageName": "$default",
                "AutoDeploy": True,
                "DefaultRouteSettings": {"ThrottlingBurstLimit": 500, "ThrottlingRateLimit": 500},
                "RouteSettings": {
                    "GET /slow": {"ThrottlingBurstLimit": 2, "ThrottlingRateLimit": 0.1}
                },
                "AccessLogSettings": {
                    "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/api/access",
                    "Format": '{"route":"$context.routeKey","status":"$context.status",'
                    '"user":"$context.identity.userArn","error":"$context.error.message"}',
                },
            },
        },
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": FUNCTION,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 200,
            },
        },
        "Predict": route("POST /models/flights/predict", **IAM),
        "Model": route("GET /models/{model}", **IAM),
        "Health": route("GET /health"),
        "Slow": route("GET /slow"),
    },
    "Outputs": {
        "Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
        "Id": {"Value": {"Ref": "Api"}},
    },
}
PERMISSION = {
    "Type": "AWS::Lambda::Permission",
    "Properties": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": FUNCTION,
        "Principal": "apigateway.amazonaws.com",
    },
}


@dataclass
class Deployed:
    local: FakeLocal
    url: str
    id: str
    stacks: Any
    apis: http_api.HttpApis

    def call(
        self,
        line: str,
        body: bytes = b"",
        *,
        sign: Credentials | None = None,
        **headers: str,
    ) -> tuple[int, dict[str, str], bytes]:
        method, path = line.split()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if sign:
            request = AWSRequest(method=method, url=self.url + path, data=body, headers=named)
            SigV4Auth(sign, "execute-api", REGION).add_auth(request)
            named = dict(request.headers.items())
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            connection.request(method, path, body or None, named)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


OPERATOR = Credentials("test", "test")
CALLER = Credentials("ASIAROLE", "secret", "token")


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        iam = boto3.client("iam", region_name=REGION)
        iam.create_role(RoleName="caller", AssumeRolePolicyDocument="{}")
        boto3.client("lambda", region_name=REGION).create_function(
            FunctionName="f",
            Runtime="python3.13",
            Role=ROLE,
            Handler="h.h",
            Code={"ZipFile": base64.b64decode("UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==")},
        )
        local = FakeLocal()
        apis = http_api.install(local)  # type: ignore[arg-type]
        stacks = boto3.client("cloudformation", region_name=REGION)
        body = {**TEMPLATE, "Resources": {**TEMPLATE["Resources"], "Permission": PERMISSION}}
        stacks.create_stack(StackName="api", TemplateBody=json.dumps(body))
        outputs = stacks.describe_stacks(StackName="api")["Stacks"][0]["Outputs"]
        found = {output["OutputKey"]: output["OutputValue"] for output in outputs}
        yield Deployed(local, found["Url"], found["Id"], stacks, apis)
        apis.stop()


def test_a_signed_request_reaches_the_function_and_its_answer_comes_back(
    deployed: Deployed,
) -> None:
    status, headers, body = deployed.call(
        "POST /models/flights/predict",
        b'{"instances":[]}',
        sign=OPERATOR,
        content_type="application/json",
    )
    assert (status, body) == (200, b'{"ok":true}')
    assert headers["content-type"] == "application/json"
    (event,) = deployed.local.events
    assert event["routeKey"] == "POST /models/flights/predict"
    assert event["body"] == '{"instances":[]}'
    assert event["requestContext"]["timeEpoch"] == int(NOW.timestamp() * 1000)
    assert event["requestContext"]["requestId"] == headers["apigw-requestid"]
    assert event["requestContext"]["authorizer"]["iam"]["accessKey"] == "test"


def test_what_cannot_be_answered_is_refused_in_aws_s_words(deployed: Deployed) -> None:
    def short(line: str, body: bytes = b"", **options: Any) -> tuple[int, bytes]:
        status, _, answer = deployed.call(line, body, **options)
        return status, answer

    assert short("POST /models/flights/predict") == (403, b'{"message":"Forbidden"}')
    assert short("GET /nothing") == (404, b'{"message":"Not Found"}')
    big = b"x" * (10 * 1024 * 1024 + 1)
    too_large = (413, b'{"message":"Request Entity Too Large"}')
    assert short("POST /models/flights/predict", big) == too_large
    big = big[: 7 * 1024 * 1024]
    assert short("POST /models/flights/predict", big, sign=OPERATOR) == too_large
    assert not deployed.local.events


def test_a_role_needs_execute_api_invoke_on_the_route(deployed: Deployed) -> None:
    assert deployed.call("GET /models/flights", sign=CALLER)[0] == 403
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{deployed.id}/$default/GET/models/*"
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    boto3.client("iam", region_name=REGION).put_role_policy(
        RoleName="caller", PolicyName="p", PolicyDocument=json.dumps(policy)
    )
    assert deployed.call("GET /models/flights", sign=CALLER)[0] == 200
    assert deployed.call("POST /models/flights/predict", sign=CALLER)[0] == 403
    assert deployed.call("GET /models/flights", sign=Credentials("ASIAROLE", "secret"))[0] == 403
    assert deployed.local.events[0]["pathParameters"] == {"model": "flights"}


def test_a_throttled_route_answers_429(deployed: Deployed) -> None:
    found = [deployed.call("GET /slow")[0] for _ in range(3)]
    assert found == [200, 200, 429]
    assert deployed.call("GET /health")[0] == 200


def test_a_late_or_failing_function_is_an_error_of_the_server(deployed: Deployed) -> None:
    deployed.local.answer = lambda event: Result(b'{"errorType":"X"}', "Unhandled")
    assert deployed.call("GET /health")[::2] == (500, b'{"message":"Internal Server Error"}')
    deployed.local.answer = lambda event: Result(b'{"statusCode":"x"}')
    assert deployed.call("GET /health")[0] == 500

    def late(event: dict[str, Any]) -> Result:
        time.sleep(0.5)
        return Result(b"{}")

    deployed.local.answer = late
    assert deployed.call("GET /health")[::2] == (503, b'{"message":"Service Unavailable"}')


def test_without_lambda_s_permission_the_answer_is_500(deployed: Deployed) -> None:
    deployed.stacks.update_stack(StackName="api", TemplateBody=json.dumps(TEMPLATE))
    lam = boto3.client("lambda", region_name=REGION)
    with contextlib.suppress(lam.exceptions.ResourceNotFoundException):
        for statement in json.loads(lam.get_policy(FunctionName="f")["Policy"])["Statement"]:
            lam.remove_permission(FunctionName="f", StatementId=statement["Sid"])
    assert deployed.call("GET /health")[0] == 500


def test_cors_is_answered_by_the_gateway(deployed: Deployed) -> None:
    origin = "https://example.org"
    status, headers, _ = deployed.call(
        "OPTIONS /anything", origin=origin, access_control_request_method="POST"
    )
    assert status == 204
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-max-age"] == "60"
    deployed.local.answer = lambda event: Result(
        b'{"statusCode":200,"headers":{"Access-Control-Allow-Origin":"*"},"body":""}'
    )
    assert "access-control-allow-origin" not in deployed.call("GET /health")[1]
    assert deployed.call("GET /health", origin=origin)[1]["access-control-allow-origin"] == origin


def test_a_preflight_needs_an_open_route_where_the_default_one_is_guarded(
    deployed: Deployed,
) -> None:
    """http-api-cors, "Configuring CORS for an HTTP API with a $default route and an authorizer"."""
    ask = {"origin": "https://example.org", "access_control_request_method": "POST"}
    body = json.loads(json.dumps(TEMPLATE))
    for key, access, status in (
        ("$default", IAM, 403), ("OPTIONS /{proxy+}", {"AuthorizationType": "NONE"}, 204)
    ):  # fmt: skip
        body["Resources"][f"Route{status}"] = route(key, **access)
        deployed.stacks.update_stack(StackName="api", TemplateBody=json.dumps(body))
        assert deployed.call("OPTIONS /models/flights/predict", **ask)[0] == status


def test_every_request_has_its_line_in_the_access_log(deployed: Deployed) -> None:
    deployed.call("GET /health")
    deployed.call("POST /models/flights/predict")
    logs = boto3.client("logs", region_name=REGION)
    deadline = time.monotonic() + 5
    lines: list[Any] = []
    while len(lines) < 2 and time.monotonic() < deadline:
        events = logs.filter_log_events(logGroupName="/api/access")["events"]
        lines = [json.loads(event["message"]) for event in events]
    assert lines == [
        {"route": "GET /health", "status": "200", "user": "-", "error": "-"},
        {
            "route": "POST /models/flights/predict",
            "status": "403",
            "user": "-",
            "error": "the request is not signed",
        },
    ]


def test_one_connection_carries_many_requests_quickly(deployed: Deployed) -> None:
    connection = http.client.HTTPConnection(urlsplit(deployed.url).netloc, timeout=10)
    began = time.perf_counter()
    for _ in range(200):
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b'{"ok":true}'
    each = (time.perf_counter() - began) / 200
    connection.close()
    assert each < 0.01, f"{each * 1000:.2f} ms a request"


def test_deleting_the_stack_frees_the_port(deployed: Deployed) -> None:
    deployed.stacks.delete_stack(StackName="api")
    with pytest.raises(ConnectionRefusedError):
        deployed.call("GET /health")


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        ("Health", {"RouteKey": "GET health"}),
        ("Health", {"RouteKey": "GET /slow"}),
        ("Health", {"AuthorizationType": "CUSTOM"}),
        ("Health", {"Target": "integrations/none"}),
        ("Integration", {"PayloadFormatVersion": "1.0"}),
        ("Integration", {"TimeoutInMillis": 30_001}),
        ("Stage", {"AutoDeploy": False}),
        ("Stage", {"ClientCertificateId": "c"}),
        ("Api", {"ProtocolType": "WEBSOCKET"}),
    ],
)
def test_what_api_gateway_refuses_fails_the_deploy(
    deployed: Deployed, resource: str, change: dict[str, object]
) -> None:
    body = json.loads(json.dumps(TEMPLATE))
    body["Resources"][resource]["Properties"].update(change)
    with pytest.raises(
        Exception, match=r"(?i)served|exists|route key|integration|Timeout|supported"
    ):
        deployed.stacks.create_stack(StackName="wrong", TemplateBody=json.dumps(body))
