"""Every trap that JSON sets is a 4xx that says where."""

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import BadRequest, RequestTooLarge, UnsupportedMedia
from driftloop.payload import MAX_BYTES, MAX_ROWS, document, from_event, read
from driftloop.plan import load
from tests.driftloop.plans import ROW, plan

INPUTS = load(plan()).inputs
KNOWN = {"hour", "carrier", "temp", "flight_id"}


def event(body, *, base=False, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"headers": named, "body": body, "isBase64Encoded": base}


def packed(data: bytes):
    return base64.b64encode(data).decode()


def refused(body, **more):
    with pytest.raises(BadRequest) as caught:
        from_event(event(body, **more), INPUTS, KNOWN)
    return caught.value


def test_text_base64_and_gzip_read_the_same():
    body = json.dumps({"instances": [{"hour": 7, "carrier": "ÜA"}]}, ensure_ascii=False)
    ways = [
        event(body),
        event(body, content_type="application/json"),
        event(body, content_type="Application/JSON; charset=UTF-8"),
        event(packed(body.encode()), base=True),
        event(packed(gzip.compress(body.encode())), base=True, content_encoding="gzip"),
        {"body": body},
    ]
    for way in ways:
        assert from_event(way, INPUTS, KNOWN).rows == [{"hour": 7, "carrier": "ÜA"}]
        assert document(way) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (None, "", "is empty"),
        (" ", "", "is empty"),
        ("{", "", "line 1, column 2"),
        ("[]", "", "should be an object"),
        ("7", "", "should be an object"),
        ("{}", "instances", "lacks"),
        ('{"instance": []}', "instances", "lacks"),
        ('{"instances": [{"a": 1, "a": 2}]}', "", "'a' appears twice"),
        ('{"instances": [{"a": 1,\t"a"  : 2}]}', "", "'a' appears twice"),
        ('{"instances": [{"a": ":", "a": 2}]}', "", "'a' appears twice"),
        ('{"instances": [{"a": {"b": 1, "b": ":"}}]}', "", "'b' appears twice"),
        ('{"instances": [{}], "instances": [{}]}', "", "appears twice"),
        ('{"instances": [{"a\\u0061": 1, "aa": 2}]}', "", "'aa' appears twice"),
        ('{"instances": ' + "[" * 200_000, "", "too deeply"),
        ('{"instances": ' + '{"a":' * 200_000, "", "too deeply"),
        ('{"instances": [{"a": ' + "9" * 5000 + "}]}", "", "digits"),
        ('{"instances": [{"a": ' + "1" * 5000 + "e5}]}", "instances[0].a", ""),
        ('{"instances": [{"carrier": "\\ud800"}]}', "", "surrogate"),
        ('{"instances": [{"carrier": "\\uDC00\\ud800"}]}', "", "surrogate"),
        ('{"instances": [{"\\udfff": 1}]}', "", "surrogate"),
        ('{"instances": [{"carrier": "\ud800"}]}', "", "not text"),
        ("\ufeff{}", "", "byte order mark"),
    ],
)
def test_a_trap_is_refused(body, field, words):
    if field == "instances[0].a":  # a float, however long it is written
        assert read(body, INPUTS, KNOWN).rows[0]["a"] == float("inf")
        return
    error = refused(body)
    assert words in str(error) and error.field == field and error.http_status == 400


def test_a_whole_surrogate_pair_is_a_character():
    (row,) = read('{"instances": [{"carrier": "\\ud83d\\ude00"}]}', INPUTS, KNOWN).rows
    assert row == {"carrier": "\U0001f600"}


@pytest.mark.parametrize("data", [b"\xff\xfe{\x00", b"\x80abc", '{"a": "ü"}'.encode("utf-16")])
def test_a_wrong_encoding_is_refused(data):
    assert "UTF-8" in str(refused(packed(data), base=True))


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"content_type": "application/x-www-form-urlencoded"}, "content-type"),
        ({"content_type": "text/plain"}, "content-type"),
        ({"content_type": ""}, "content-type"),
        ({"content_type": "application/json; charset=latin-1"}, "content-type"),
        ({"content_type": 'application/json; charset="utf-16"'}, "content-type"),
        ({"content_encoding": "br"}, "content-encoding"),
        ({"content_encoding": "gzip, gzip"}, "content-encoding"),
    ],
)
def test_what_nobody_reads_here_is_415(headers, field):
    error = refused(json.dumps({"instances": [ROW]}), **headers)
    assert isinstance(error, UnsupportedMedia) and error.http_status == 415
    assert error.field == field and "send" in str(error)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "not gzip"),
        (b"", "too early"),
        (gzip.compress(b"{}")[:-3], "too early"),
        (gzip.compress(b"{}") + b"x", "after its end"),
        (gzip.compress(b"{}")[:-5] + b"12345", "not gzip"),
    ],
)
def test_what_is_no_gzip_is_refused(data, words):
    error = refused(packed(data), base=True, content_encoding="gzip")
    assert words in str(error) and error.http_status == 400


def test_what_is_not_base64_is_refused():
    assert "base64" in str(refused("{}{}", base=True))
    assert "base64" in str(refused("ü", base=True))


def test_too_much_is_413():
    rows = json.dumps({"instances": [{}] * (MAX_ROWS + 1)})
    bomb = packed(gzip.compress(b"[" + b" " * (MAX_BYTES + 10)))
    for error in (
        refused(rows),
        refused('{"instances": ["' + "x" * MAX_BYTES + '"]}'),
        refused('{"instances": ["' + "ü" * (MAX_BYTES // 2) + '"]}'),
        refused("A" * (MAX_BYTES * 4 // 3 + 100), base=True),
        refused(bomb, base=True, content_encoding="gzip"),
        refused("7,UA,3\n" * (MAX_ROWS + 1), content_type="text/csv"),
    ):
        assert isinstance(error, RequestTooLarge) and error.http_status == 413


@given(
    st.text() | st.binary().map(lambda b: b.decode("latin-1")) | st.binary().map(packed),
    st.booleans(),
    st.sampled_from(["application/json", "text/csv", "text/csv; header=present", "a;b=c"]),
    st.sampled_from(["identity", "gzip"]),
)
def test_any_bytes_are_read_or_refused(body, base, kind, coding):
    try:
        asked = from_event(
            event(body, base=base, content_type=kind, content_encoding=coding), INPUTS, KNOWN
        )
    except BadRequest as error:
        assert str(error)
    else:
        assert isinstance(asked.rows, list) and asked.place.row(0)


KEYS = st.sampled_from(["a", "b", "c:", 'd"', "e "])
NESTED = st.recursive(
    st.none() | st.floats(allow_nan=False) | st.sampled_from([":", '":', "x", '\\" :', " :"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3),
)


def written(value, spaces):
    """JSON text where a list of pairs is an object, doubled keys and all; and whether any is."""
    if not isinstance(value, list):
        return json.dumps(value), False
    pairs = value and isinstance(value[0], tuple)
    parts = [written(v[1] if pairs else v, spaces) for v in value]
    doubled = any(bad for _, bad in parts)
    if not pairs:
        return f"[{','.join(text for text, _ in parts)}]", doubled
    names = [name for name, _ in value]
    fields = [f"{json.dumps(n)}{spaces}:{t}" for n, (t, _) in zip(names, parts, strict=True)]
    return f"{{{','.join(fields)}}}", doubled or len(set(names)) < len(names)


@given(NESTED, st.sampled_from(["", " ", "\n", "\t ", "  "]))
def test_a_doubled_key_is_found_wherever_it_is_and_nowhere_else(value, spaces):
    text, doubled = written([("instances", value)], spaces)
    try:
        assert document({"body": text}) == json.loads(text)
        assert not doubled
    except BadRequest as error:
        assert doubled and "twice" in str(error)
