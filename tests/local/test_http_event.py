"""Payload format 2.0, both ways."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.http_event import MalformedAnswer, Place, answer_of, event_of
from infra.local.sigv4 import Received

PLACE = Place(
    account="123456789012",
    api="abc123",
    domain="abc123.execute-api.us-east-1.amazonaws.com",
    stage="$default",
    route_key="POST /models/{model}/predict",
    request_id="JKJaXmPLvHcESHA=",
    now=datetime(2013, 2, 1, 8, 30, 0, 250_000, tzinfo=UTC),
    path="/models/flights/predict",
    path_parameters={"model": "flights"},
)


def event(
    body: bytes = b"", query: str = "", place: Place = PLACE, **headers: str
) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return event_of(Received("POST", PLACE.path, query, named, body), place)


def test_the_event_is_aws_s_own() -> None:
    body = b'{"instances":[]}'
    assert event(
        body,
        "parameter1=value1&parameter1=value%202&p=",
        content_type="application/json",
        user_agent="curl",
        cookie="a=1; b=2",
        host="h",
    ) == {
        "version": "2.0",
        "routeKey": "POST /models/{model}/predict",
        "rawPath": "/models/flights/predict",
        "rawQueryString": "parameter1=value1&parameter1=value%202&p=",
        "cookies": ["a=1", "b=2"],
        "headers": {
            "content-type": "application/json",
            "content-length": "16",
            "user-agent": "curl",
            "host": "h",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {"parameter1": "value1,value 2", "p": ""},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc123",
            "domainName": "abc123.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abc123",
            "http": {
                "method": "POST",
                "path": "/models/flights/predict",
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "curl",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "POST /models/{model}/predict",
            "stage": "$default",
            "time": "01/Feb/2013:08:30:00 +0000",
            "timeEpoch": 1359707400250,
        },
        "pathParameters": {"model": "flights"},
        "body": '{"instances":[]}',
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("application/json; charset=utf-8", b"{}", True),
        ("text/csv", b"a,b", True),
        ("application/problem+json", b"{}", True),
        ("application/x-www-form-urlencoded", b"a=1", False),
        ("application/octet-stream", b"abc", False),
        ("text/plain", b"\xff\xfe", False),
    ],
)
def test_a_body_is_text_or_base64_by_its_type(kind: str, body: bytes, text: bool) -> None:
    made = event(body, content_type=kind)
    assert made["isBase64Encoded"] is not text
    found = made["body"].encode() if text else base64.b64decode(made["body"])
    assert found == body


def test_no_body_no_query_no_parameters_leave_no_key() -> None:
    made = event(place=Place(**{**vars(PLACE), "path_parameters": {}}))
    assert not {"body", "queryStringParameters", "pathParameters", "cookies"} & set(made)


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ("Hello", b"Hello"),
        ({"message": "hi"}, b'{"message":"hi"}'),
        ([1], b"[1]"),
        (None, b"null"),
    ],
)
def test_without_a_status_code_the_answer_is_inferred(result: object, body: bytes) -> None:
    answer = answer_of(json.dumps(result).encode())
    assert (answer.status, dict(answer.headers)["content-type"], answer.body) == (
        200,
        "application/json",
        body,
    )


def test_an_answer_with_everything() -> None:
    result = {
        "statusCode": 201,
        "headers": {"Content-Type": "application/octet-stream", "X-N": 3, "x-b": True},
        "cookies": ["a=1", "b=2"],
        "body": base64.b64encode(b"\x00\x01").decode(),
        "isBase64Encoded": True,
    }
    answer = answer_of(json.dumps(result).encode())
    assert answer.status == 201
    assert answer.body == b"\x00\x01"
    assert answer.headers == (
        ("content-type", "application/octet-stream"),
        ("x-n", "3"),
        ("x-b", "true"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    )


@pytest.mark.parametrize(
    "result",
    [
        {"statusCode": "x"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": "x\r\nb: y"}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
)
def test_a_malformed_answer_is_refused(result: object) -> None:
    with pytest.raises(MalformedAnswer):
        answer_of(json.dumps(result).encode())
