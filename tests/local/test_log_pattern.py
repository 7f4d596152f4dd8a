"""Filter patterns, against the examples of CloudWatch Logs' own guide."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.log_pattern import InvalidFilterPattern, compile_pattern

TRAIL = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "capture": 1,
        "size": 12.5,
        "user": {"id": 1, "email": "John.Stiles@example.com"},
    }
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ('{ $.eventType = "Update*" }', True),
        ("{ $.eventType = *Trail }", True),
        ('{ $.eventType != "UpdateTrail" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id > 1 }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.eventType IS NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.eventType NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.ThisFlag = true }", True),
        ("{ $.capture = 1 }", True),
        ("{$.capture=1}", True),
        ("{ $.capture = 1e0 }", True),
        ("{ $.capture = 2 }", False),
        ("{ $.eventType = 1 }", False),
        ("{ $.ThisFlag = 1 }", False),
        ("{ $.size >= 12.5 && $.size < 13 }", True),
        ('{ ($.user.id = 1) && ($.user.email = "John.Stiles@example.com") }', True),
        ('{ ($.user.id = 2 && $.size > 1) || $.eventType = "UpdateTrail" }', True),
        ('{ $.user.id = 2 && ($.size > 1 || $.eventType = "UpdateTrail") }', False),
        ("{ $.user.missing != 1 }", False),
        ("{ $['user']['id'] = 1 }", True),
        ("{ $.user.email = %@example% }", True),
        ("{ $.user.* = 1 }", True),
        ("", True),
        ("UpdateTrail", True),
        ("updatetrail", False),
        ("UpdateTrail arrayKey", True),
        ("UpdateTrail absent", False),
        ("?absent ?UpdateTrail", True),
        ("?absent ?neither", False),
        ("UpdateTrail -arrayKey", False),
        ("-absent", True),
        ('"another value"', True),
        ('"UpdateTrail another"', False),
        ("%Update[A-Z]%", True),
    ],
)
def test_examples(pattern: str, expected: bool) -> None:
    assert compile_pattern(pattern)(TRAIL) is expected


@pytest.mark.parametrize("message", ["plain text", "", "[", "1", '{"capture": 1'])
def test_a_json_pattern_takes_no_line_that_is_not_json(message: str) -> None:
    assert not compile_pattern("{ $.capture = 1 }")(message)
    assert not compile_pattern("{ $.capture NOT EXISTS }")(message)


@pytest.mark.parametrize(
    "pattern",
    [
        "[ip, user, status = 4*]",
        "{ $.a = 1",
        "{ }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a > text }",
        "{ a = 1 }",
        "{ ($.a = 1 }",
        "{ $.a = 1 $.b = 2 }",
        "{ $.a = 1 && }",
        "{ $.a == 1 }",
        '"open',
        "%(%",
    ],
)
def test_refused(pattern: str) -> None:
    with pytest.raises(InvalidFilterPattern):
        compile_pattern(pattern)


@given(st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_numbers_compare_as_numbers(value: int, bound: int) -> None:
    message = json.dumps({"n": value})
    assert compile_pattern(f"{{ $.n < {bound} }}")(message) is (value < bound)
    assert compile_pattern(f"{{ $.n = {bound} }}")(message) is (value == bound)
    assert compile_pattern(f"{{ $.n != {bound} }}")(message) is (value != bound)


@given(st.text(min_size=1), st.text())
def test_a_quoted_phrase_is_found_where_it_stands(phrase: str, around: str) -> None:
    quoted = '"' + phrase.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert compile_pattern(quoted)(around + phrase + around)


@given(st.text())
def test_any_pattern_is_taken_or_refused_by_name(pattern: str) -> None:
    with contextlib.suppress(InvalidFilterPattern):
        compile_pattern(pattern)(TRAIL)
