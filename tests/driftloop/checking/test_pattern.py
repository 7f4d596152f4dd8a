"""Patterns: whatever is let through answers in no time, whoever wrote the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.checking.pattern import LONGEST, refusal


@pytest.mark.parametrize(
    "pattern",
    [r"N[0-9A-Z]+", r"\d{4}-\d\d-\d\d", r"\w+@\w+", r"\w++@\w++\.\w++", "A|B|CC",
     r"[A-Z]{2}(-[0-9]{1,4})?", r"(?:[A-Z]|[0-9])+", r"(?:AB|CD)++", r"(?>a+b*)c", r"(a)\1",
     r"(?=.*\d).*", "a{1,99999999}", r"(a)?(?(1)b|c)", r"(?:AB|CD){1,8}"],
)  # fmt: skip
def test_what_people_write_is_taken(pattern: str) -> None:
    assert refusal(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+b", r"(a*)*", r"(a|aa)*b", r"(a?){30}a{30}", "a?" * 30, r"\w+@\w+\.\w+", r".*.*.*x",
     r"(?:(a+)+b)++", r"(?=(a+)+b)c", r"(?:AB|CD)+", r"((a{1,9}){1,9}){1,9}b",
     r"(a)?(?(1)(b*)*|c)"],
)  # fmt: skip
def test_what_can_take_for_ever_is_refused(pattern: str) -> None:
    assert "too many ways" in (refusal(pattern) or "")


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "*", "(?P<x>a)(?P<x>b)", "[[a]", "\\"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    assert (refusal(pattern) or "").startswith("is no regular expression: ")


pieces = st.sampled_from(["a", "b", ".", "[ab]", r"\w", "a|b", "ab|a", "a|aa", "(a|b)?"])
patterns = st.recursive(
    pieces,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,9}", "*?", "++"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(patterns, st.sampled_from(["a", "ab", "aab"]))
def test_whatever_is_taken_is_matched_before_the_end_of_days(pattern: str, unit: str) -> None:
    if refusal(pattern) is not None:
        return
    fits = re.compile(pattern).fullmatch
    text = (unit * LONGEST)[: LONGEST - 1] + "!"
    fits(text)  # were it to try every way to read it, this would not return
