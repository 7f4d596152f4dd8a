"""Event patterns, against the examples of EventBridge's own guide."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.event_pattern import InvalidPattern, check, matches

EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "resources": ["arn:aws:s3:::landing"],
    "detail": {
        "bucket": {"name": "landing"},
        "object": {"key": "incoming/flights/01.csv", "size": 300, "version-id": None},
        "c-count": 5.5,
        "flag": True,
        "items": [{"kind": "a", "n": 1}, {"kind": "b", "n": 2}],
        "empty": [],
        "ip": "10.0.3.4",
    },
}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ({"bucket": {"name": ["landing"]}}, True),
        ({"bucket": {"name": ["other", "landing"]}}, True),
        ({"bucket": {"name": ["Landing"]}}, False),
        ({"bucket": {"name": [{"equals-ignore-case": "LANDING"}]}}, True),
        ({"object": {"key": [{"prefix": "incoming/flights/"}]}}, True),
        ({"object": {"key": [{"prefix": {"equals-ignore-case": "INCOMING/"}}]}}, True),
        ({"object": {"key": [{"suffix": ".csv"}]}}, True),
        ({"object": {"key": [{"suffix": {"equals-ignore-case": ".CSV"}}]}}, True),
        ({"object": {"key": [{"suffix": ".gz"}]}}, False),
        ({"object": {"key": [{"wildcard": "incoming/*/*.csv"}]}}, True),
        ({"object": {"key": [{"wildcard": "incoming\\*"}]}}, False),
        ({"object": {"key": [{"anything-but": {"prefix": "labels/"}}]}}, True),
        ({"object": {"key": [{"anything-but": {"prefix": ["labels/", "incoming/"]}}]}}, False),
        ({"object": {"key": [{"anything-but": ["a", "b"]}]}}, True),
        ({"object": {"size": [300]}}, True),
        ({"object": {"size": [300.0]}}, False),
        ({"object": {"size": [True]}}, False),
        ({"object": {"size": [{"numeric": [">", 0, "<=", 300]}]}}, True),
        ({"object": {"size": [{"numeric": ["<", 300]}]}}, False),
        ({"c-count": [{"numeric": ["=", 5.5]}]}, True),
        ({"flag": [{"numeric": ["=", 1]}]}, False),
        ({"flag": [True]}, True),
        ({"object": {"version-id": [None]}}, True),
        ({"object": {"version-id": [{"exists": True}]}}, True),
        ({"object": {"etag": [{"exists": False}]}}, True),
        ({"object": {"etag": [{"exists": True}]}}, False),
        ({"object": {"etag": [{"anything-but": "x"}]}}, False),
        ({"object": [{"exists": True}]}, False),
        ({"absent": {"deeper": [{"exists": False}]}}, True),
        ({"empty": [{"exists": True}]}, False),
        ({"ip": [{"cidr": "10.0.0.0/16"}]}, True),
        ({"ip": [{"cidr": "10.1.0.0/16"}]}, False),
        ({"items": {"kind": ["b"], "n": [2]}}, True),
        # both leaves must be of the same element
        ({"items": {"kind": ["a"], "n": [2]}}, False),
        ({"$or": [{"flag": [False]}, {"c-count": [5.5]}]}, True),
        ({"$or": [{"flag": [False]}, {"c-count": [5]}], "flag": [True]}, False),
    ],
)
def test_operators(detail: dict[str, Any], expected: bool) -> None:
    pattern = {"source": ["aws.s3"], "detail": detail}
    check(pattern)
    assert matches(pattern, EVENT) is expected


def test_an_array_of_the_event_matches_by_intersection() -> None:
    assert matches({"resources": ["x", "arn:aws:s3:::landing"]}, EVENT)
    assert not matches({"resources": ["x"]}, EVENT)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ([], "not an object"),
        ({}, "Empty objects"),
        ({"detail": {}}, "Empty objects"),
        ({"source": "aws.s3"}, "must be an object or an array"),
        ({"source": []}, "Empty arrays"),
        ({"source": [["nested"]]}, "String, number"),
        ({"source": [{"begins": "a"}]}, "Unrecognized match type begins"),
        ({"source": [{"prefix": "a", "suffix": "b"}]}, "Only one key"),
        ({"source": [{"prefix": 1}]}, "must be a string"),
        ({"source": [{"exists": "yes"}]}, "true or false"),
        ({"n": [{"numeric": ["~", 1]}]}, "range operator"),
        ({"n": [{"numeric": [">", 1, ">", 2]}]}, "Bad numeric range"),
        ({"n": [{"numeric": [">", "1"]}]}, "must be numeric"),
        ({"n": [{"numeric": [">"]}]}, "one or two pairs"),
        ({"n": [{"anything-but": []}]}, "anything-but"),
        ({"n": [{"anything-but": {"numeric": ["=", 1]}}]}, "anything-but"),
        ({"n": [{"wildcard": "a**b"}]}, "Consecutive"),
        ({"n": [{"cidr": "10.0.0.0/99"}]}, "CIDR"),
        ({"$or": [{"a": ["b"]}]}, "at least 2"),
    ],
)
def test_what_put_rule_refuses(pattern: Any, reason: str) -> None:
    with pytest.raises(InvalidPattern, match=reason):
        check(pattern)


leaves = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)
events = st.recursive(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), leaves, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        st.text("abc", min_size=1, max_size=2), inner | leaves, min_size=1, max_size=3
    ),
    max_leaves=6,
)


def exact(event: Any) -> Any:
    return {k: exact(v) if isinstance(v, dict) else [v] for k, v in event.items()}


@given(events)
def test_every_event_matches_the_pattern_made_of_its_own_values(event: dict[str, Any]) -> None:
    check(exact(event))
    assert matches(exact(event), json.loads(json.dumps(event)))


@given(events, st.text("abc", min_size=1, max_size=2))
def test_exists_is_the_opposite_of_not_exists(event: dict[str, Any], name: str) -> None:
    assert matches({name: [{"exists": True}]}, event) is not matches(
        {name: [{"exists": False}]}, event
    )


@given(st.text("ab*\\", max_size=6), st.text("ab*\\", max_size=6))
def test_a_wildcard_without_stars_is_equality(pattern: str, text: str) -> None:
    literal = pattern.replace("\\", "\\\\").replace("*", "\\*")
    assert matches({"t": [{"wildcard": literal}]}, {"t": text}) is (pattern == text)
