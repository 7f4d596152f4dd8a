"""Bodies nobody should send: every one is refused with a problem document, none fails the API."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from driftloop.openapi.answers import PROBLEM
from tests.api.conftest import Answer, Api

ROW = {"hour": 7, "carrier": "UA", "temp": 3.5}
BODIES = {
    "predict": json.dumps({"instances": [ROW]}),
    "labels": '{"labels": [{"key": "k", "label": 7}]}',
}
bounded = settings(
    max_examples=30, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
ways = pytest.mark.parametrize("way", list(BODIES))


def send(api: Api, way: str, body: bytes, **headers: str) -> Answer:
    headers = {"content_type": "application/json"} | headers
    return api.ask("POST", f"/models/flights/{way}", body, **headers)


def refused(answer: Answer) -> Any:
    """The problem document, which is a valid one."""
    assert 400 <= answer.status < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    Draft202012Validator(PROBLEM).validate(answer.document)
    assert answer.document["status"] == answer.status
    assert "Traceback" not in answer.text
    return answer.document


@ways
def test_the_bodies_are_good_but_for_what_is_done_to_them(api: Api, way: str) -> None:
    assert send(api, way, BODIES[way].encode()).status == 200


TRAPS = {
    "NaN": "NaN", "infinity": "Infinity", "minus infinity": "-Infinity", "too large": "1e999",
    "huge": "9" * 400, "endless": "9" * 10_000, "deep": "[" * 50_000 + "]" * 50_000,
    "half a pair": '"\\ud800"', "an object": "{}", "a doubled key": '{"a":1,"a":1}',
    "hexadecimal": "0x7", "leading zero": "07", "no value": "", "two values": "7 7",
    "an open text": '"', "a control character": '"\x01"',
}  # fmt: skip


@ways
@pytest.mark.parametrize("trap", TRAPS)
def test_law_10_traps_of_json_are_refused(api: Api, way: str, trap: str) -> None:
    refused(send(api, way, BODIES[way].replace("7", TRAPS[trap], 1).encode()))


@ways
@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "utf-7", "utf-8-sig", "latin-1"])
def test_only_utf_8_is_read(api: Api, way: str, charset: str) -> None:
    sent = BODIES[way].replace('"UA"', '"\u00dc"').replace('"k"', '"\u00dc"').encode(charset)
    if charset != "utf-7":  # which is ASCII, and so UTF-8, unless somebody says otherwise
        refused(send(api, way, sent))
    named = f"application/json; charset={charset}"
    refused(send(api, way, sent, content_type=named))


@ways
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "application/xml"}, 415),
        ({"content_type": "multipart/form-data; boundary=x"}, 415),
        ({"content_type": ";;;"}, 415),
        ({"content_encoding": "br"}, 415),
        ({"content_encoding": "gzip"}, 400),
    ],
)
def test_media_that_nobody_reads(api: Api, way: str, headers: dict[str, str], status: int) -> None:
    assert refused(send(api, way, BODIES[way].encode(), **headers))["status"] == status


@ways
def test_a_bomb_is_not_unpacked(api: Api, way: str) -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    assert refused(send(api, way, bomb, content_encoding="gzip"))["status"] == 413


@ways
def test_more_rows_than_a_request_may_have(api: Api, way: str) -> None:
    key, rows = next(iter(json.loads(BODIES[way]).items()))
    answer = send(api, way, json.dumps({key: rows * 10_001}).encode())
    assert refused(answer)["status"] == 413


@given(data=st.data())
@bounded
def test_a_body_that_was_cut_or_muddled(api: Api, data: st.DataObject) -> None:
    way = data.draw(st.sampled_from(list(BODIES)))
    good = BODIES[way].encode()
    start = data.draw(st.integers(0, len(good) - 1))
    muddle = data.draw(st.binary(max_size=8))
    answer = send(api, way, good[:start] + muddle + good[start + data.draw(st.integers(0, 8)) :])
    if answer.status != 200 or not answer.document:  # it may still be a good one
        refused(answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["id", *ROW]), inner, max_size=4)
    ),
    max_leaves=8,
)
KEYS = ["instances", "inputs", "dataframe_records", "dataframe_split", "labels", "params"]


@given(way=st.sampled_from(list(BODIES)), key=st.sampled_from(KEYS), value=JSON)
@bounded
def test_any_json_at_all(api: Api, way: str, key: str, value: Any) -> None:
    refused(send(api, way, json.dumps({key: value}).encode()))


@given(body=st.binary(max_size=200))
@bounded
def test_any_bytes_as_csv(api: Api, body: bytes) -> None:
    refused(send(api, "predict", body, content_type="text/csv"))
