"""Every trap that JSON sets is a 4xx that says where."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import BadRequest, RequestTooLarge
from driftloop.instances import MAX_INSTANCES, read


def test_plain_and_base64_bodies_read_the_same():
    body = json.dumps({"instances": [{"hour": 7, "carrier": "ÜA"}]})
    assert read(body) == [{"hour": 7, "carrier": "ÜA"}]
    assert read(base64.b64encode(body.encode()).decode(), is_base64=True) == read(body)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (None, "", "not JSON"),
        ("", "", "not JSON"),
        ("{", "", "line 1, column 2"),
        ("[]", "", "should be an object"),
        ("7", "", "should be an object"),
        ("{}", "instances", "lacks"),
        ('{"instances": {}}', "instances", "list"),
        ('{"instances": []}', "instances", "empty"),
        ('{"instances": [{}], "model": 1}', "model", "unknown key"),
        ('{"instances": [{"a": 1, "a": 2}]}', "", "'a' appears twice"),
        ('{"instances": [{}], "instances": [{}]}', "", "appears twice"),
        ('{"instances": ' + "[" * 200_000, "", "too deeply"),
        ('{"instances": [{"a": ' + "9" * 5000 + "}]}", "", "digits"),
        ("\ufeff{}", "", "not JSON"),
    ],
)
def test_a_trap_is_refused(body, field, words):
    with pytest.raises(BadRequest, match=words) as caught:
        read(body)
    assert caught.value.field == field


@pytest.mark.parametrize("data", [b"\xff\xfe{\x00", b"\x80abc"])
def test_a_wrong_encoding_is_refused(data):
    with pytest.raises(BadRequest, match="UTF-8"):
        read(base64.b64encode(data).decode(), is_base64=True)


def test_what_is_not_base64_is_refused():
    with pytest.raises(BadRequest, match="base64"):
        read("{}{}", is_base64=True)


def test_too_much_is_413():
    with pytest.raises(RequestTooLarge) as caught:
        read(json.dumps({"instances": [{}] * (MAX_INSTANCES + 1)}))
    assert caught.value.http_status == 413
    with pytest.raises(RequestTooLarge):
        read('{"instances": ["' + "x" * 7_000_000 + '"]}')


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_read_or_refused(body):
    for is_base64 in (False, True):
        try:
            assert isinstance(read(body, is_base64=is_base64), list)
        except BadRequest as error:
            assert str(error)
