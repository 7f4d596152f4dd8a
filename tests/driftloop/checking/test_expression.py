"""Row rules: what they say of a row, against a plain reading of each in Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.checking import expression
from driftloop.errors import SpecError
from driftloop.spec_words import Kind
from driftloop.when import parse, to_ms

KINDS: dict[str, Kind] = {
    "a": "number", "b": "number", "mean radius": "number", "größe": "number",
    "c": "text", "class": "text", "at": "time",
}  # fmt: skip
MOMENT = to_ms(parse("2013-02-01"))


def arrays(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def column(name: str, kind: str) -> Any:
        values = [row.get(name, 0 if kind == "time" else None) for row in rows]
        if kind == "number":
            return np.array([math.nan if v is None else v for v in values], np.float64)
        return np.array(values, np.int64 if kind == "time" else object)

    return {name: column(name, kind) for name, kind in KINDS.items()}


def holds(text: str, **row: Any) -> bool:
    (answer,) = expression.compile(text, KINDS).evaluate(arrays([row])).tolist()
    return bool(answer)


@pytest.mark.parametrize(
    ("text", "row", "answer"),
    [
        ("a > b", {"a": 2, "b": 1}, True),
        ("a > b", {"a": 1, "b": 1}, False),
        ("a > b", {"a": None, "b": 1}, True),  # unknown breaks no rule
        ("not a > b", {"a": None, "b": 1}, True),
        ("a is not null", {"a": None}, False),
        ("a is null or a >= 0", {"a": -1}, False),
        ("a > 1 and b > 1", {"a": None, "b": 0}, False),  # unknown and false
        ("a > 1 or b > 1", {"a": None, "b": 0}, True),
        ("0 <= a < b <= 10", {"a": 0, "b": 10}, True),
        ("0 <= a < b <= 10", {"a": 3, "b": 3}, False),
        ("a / b > 1", {"a": 1, "b": 0}, True),  # no number, so unknown
        ("1 / (a / b) == 0", {"a": 1, "b": 0}, True),
        ("(a / b) is null", {"a": 1, "b": 0}, True),
        ("a * a is not null", {"a": 1e300}, False),
        ("a % 2 == 1", {"a": -3}, True),
        ("-a == +b and abs(a - b) == 4", {"a": 2, "b": -2}, True),
        ("c in ['x', 'y']", {"c": "z"}, False),
        ("c not in ['x', 'y']", {"c": "z"}, True),
        ("c in ['x']", {"c": None}, True),
        ("a in (1, 2)", {"a": 2}, True),
        ("c == 'it\\'s `b`'", {"c": "it's `b`"}, True),
        ("len(c) == 3 and lower(c) == 'äbc'", {"c": "ÄBC"}, True),
        ("lower(c) == c", {"c": None}, True),
        ("`mean radius` + `größe` > a", {"mean radius": 1, "größe": 1, "a": 3}, False),
        ("`class` != c", {"class": "x", "c": "x"}, False),
        ("at >= '2013-02-01' and '2013-03-01' > at", {"at": MOMENT}, True),
        ("at > '2013-02-01T01:00:00+01:00'", {"at": MOMENT}, False),
        ("at in ['2013-02-01']", {"at": MOMENT}, True),
        ("\n a >\n  b ", {"a": 1, "b": 2}, False),
    ],
)
def test_a_rule_of_a_row(text: str, row: dict[str, Any], answer: bool) -> None:
    assert holds(text, **row) is answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arive > b", "character 1: 'arive' is no column; one of a, b, "),
        ("a > `mean radios`", "character 5: 'mean radios' is no column; did you mean "),
        ("`größe` > bb", "character 11: 'bb' is no column"),
        ("a = b", "character 3: invalid syntax; write comparisons like a > b, a == b"),
        ("a >", "character 1: invalid syntax"),
        ("`größe` > 'ä' )", "character 15: unmatched ')'"),
        ("a > 'x'", "character 5: compares a number with a text; a category's values are"),
        ("c == 7", "character 6: compares a text with a number; a category's values are"),
        ("c < 'x'", "character 1: < does not compare texts"),
        ("a + c > 1", "character 5: should be a number, and is a text"),
        ("a and b", "character 1: should be a truth, and is a number"),
        ("a + b", "is a number, nothing that holds or not; compare it"),
        ("1 < 2", "names no column; one of a, b, "),
        ("a > True", "character 5: True is neither number nor text"),
        ("a == null", "character 6: 'null' is no column"),
        ("a is 1", "character 6: `is` asks for null alone"),
        ("(a > 1) is null", "character 2: `is null` asks of a value"),
        ("a in b", "character 6: `in` wants a list"),
        ("a in [b]", "character 6: `in` wants plain values"),
        ("a in [1, 'x']", "character 10: compares a number with a text"),
        ("at > 'soon'", "character 6: 'soon' is no time; write it as '2013-01-31'"),
        ("at > 3", "character 6: compares a time with a number"),
        ("at - 3 > 1", "character 1: should be a number, and is a time"),
        ("max(a) > 1", "character 1: 'max' is no function; one of abs, len, lower"),
        ("abs(a, b) > 1", "character 1: abs takes one value"),
        ("a ** 9 > 1", "character 1: only comparisons, "),
        ("a.real > 1", "character 1: only comparisons, "),
        ("__import__('os') == 'x'", "'__import__' is no function"),
        ("(lambda: a)() > 1", "only comparisons, "),
        ("[a for a in [1]] == 1", "only comparisons, "),
        ("f'{a}' == 'x'", "only comparisons, "),
        ("(a := 1) > 0", "only comparisons, "),
        ("a > 1e999", "character 5: is beyond every number"),
        ("a > " + "9" * 400, "character 5: is beyond every number"),
        ("a > 1j", "neither number nor text"),
        ("a > " + "-" * 200 + "1", "is nested too deeply"),
        ("(" * 240 + "a" + ")" * 240 + " > 1", "too many nested parentheses"),
        ("a > 1" + " and a > 1" * 60, "has 605 characters; 500 at most"),
        ("a > 1\0", "null bytes"),
        ("", "invalid syntax"),
        ("`\ud800` > a", "no text at all"),
        ("a > '\ud800'", "no text at all"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        expression.compile(text, KINDS)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_it_says_which_columns_it_needs_and_evaluates_many_rows() -> None:
    rule = expression.compile("a > b or `class` == 'x'", KINDS)
    assert rule.columns == ("a", "b", "class")
    rows = [{"a": 1, "b": 2}, {"a": 2, "b": 1, "class": "y"}, {"a": 1, "b": 2, "class": "y"}]
    assert rule.evaluate(arrays(rows)).tolist() == [True, True, False]
    assert rule.evaluate(arrays([])).tolist() == []


# --- against a plain reading ----------------------------------------------------------------------

Row = dict[str, Any]
Meaning = Callable[[Row], Any]  # None is unknown
Written = tuple[str, Meaning]


def known(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Null in, null out; and so what is no finite number."""

    def computed(*values: Any) -> Any:
        if any(v is None for v in values):
            return None
        try:
            found = compute(*values)
        except (ZeroDivisionError, OverflowError):
            return None
        return None if isinstance(found, float) and not math.isfinite(found) else found

    return computed


ARITHMETIC = {
    "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y,
    "/": lambda x, y: x / y, "%": lambda x, y: x % y,
}  # fmt: skip
COMPARE = {
    "==": lambda x, y: x == y, "!=": lambda x, y: x != y, "<": lambda x, y: x < y,
    "<=": lambda x, y: x <= y, ">": lambda x, y: x > y, ">=": lambda x, y: x >= y,
}  # fmt: skip


def binary(table: dict[str, Any], sides: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    def write(op: str, left: Written, right: Written) -> Written:
        compute = known(table[op])
        return f"({left[0]} {op} {right[0]})", lambda row: compute(left[1](row), right[1](row))

    return st.builds(write, st.sampled_from(sorted(table)), sides, sides)


def both(left: Any, right: Any) -> Any:
    return False if left is False or right is False else None if None in (left, right) else True


def negated(truth: Any) -> Any:
    return None if truth is None else not truth


plain = st.floats(-100, 100) | st.sampled_from([0.0, 1.0, 2.0, 1e300])
columns = st.sampled_from(["a", "b", "mean radius"]).map(
    lambda name: (f"`{name}`", lambda row: row[name])
)
numbers: st.SearchStrategy[Written] = st.recursive(
    columns | plain.map(lambda v: (repr(v), lambda row: v)),
    lambda inner: binary(ARITHMETIC, inner) | st.one_of(
        inner.map(lambda w: (f"-{w[0]}", lambda row: known(lambda x: -x)(w[1](row)))),
        inner.map(lambda w: (f"abs({w[0]})", lambda row: known(abs)(w[1](row)))),
    ),
    max_leaves=4,
)  # fmt: skip
words = st.sampled_from(["x", "X", "yy", "", "it's"])
texts: st.SearchStrategy[Written] = st.one_of(
    st.sampled_from(["c", "class"]).map(lambda name: (f"`{name}`", lambda row: row[name])),
    words.map(lambda word: (repr(word), lambda row: word)),
)
texts |= texts.map(lambda w: (f"lower({w[0]})", lambda row: known(str.lower)(w[1](row))))
numbers |= texts.map(
    lambda w: (f"len({w[0]})", lambda row: known(lambda t: float(len(t)))(w[1](row)))
)
truths: st.SearchStrategy[Written] = st.recursive(
    st.one_of(
        binary(COMPARE, numbers),
        binary({k: COMPARE[k] for k in ("==", "!=")}, texts),
        (numbers | texts).map(lambda w: (f"({w[0]} is null)", lambda row: w[1](row) is None)),
        st.tuples(texts, st.lists(words, min_size=1, max_size=3)).map(
            lambda t: (f"{t[0][0]} in {t[1]!r}", lambda row: known(t[1].__contains__)(t[0][1](row)))
        ),
    ),
    lambda inner: st.one_of(
        inner.map(lambda w: (f"not ({w[0]})", lambda row: negated(w[1](row)))),
        st.tuples(inner, inner).map(
            lambda p: (f"(({p[0][0]}) and ({p[1][0]}))",
                       lambda row: both(p[0][1](row), p[1][1](row)))
        ),
        st.tuples(inner, inner).map(
            lambda p: (f"(({p[0][0]}) or ({p[1][0]}))",
                       lambda row: negated(both(negated(p[0][1](row)), negated(p[1][1](row)))))
        ),
    ),
    max_leaves=4,
)  # fmt: skip
rows = st.lists(
    st.fixed_dictionaries({
        **{name: st.none() | plain for name in ("a", "b", "mean radius")},
        **{name: st.none() | words for name in ("c", "class")},
    }),
    max_size=6,
)  # fmt: skip


@given(truths, rows)
def test_every_rule_means_what_it_says(rule: Written, table: list[Row]) -> None:
    text, meaning = f"({rule[0]}) and (a is null or a is not null)", rule[1]
    if len(text) > expression.LONGEST:
        return
    answer = expression.compile(text, KINDS).evaluate(arrays(table))
    assert answer.dtype == bool
    assert answer.tolist() == [meaning(row) is not False for row in table]


@given(st.text(max_size=60) | st.text("ab`'\"()<>=+-*/%. 019andortis[],", max_size=60))
def test_whatever_is_written_is_understood_or_refused(text: str) -> None:
    try:
        rule = expression.compile(text, KINDS)
    except SpecError as error:
        assert "\n" not in str(error).replace(repr(text), "")
    else:
        assert rule.evaluate(arrays([{"a": 1}, {}])).shape == (2,)
