"""What a caller may send, and the path of what is wrong."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import BadRequest
from driftloop.plan import load, schema

from .test_schema import linear_plan, tree_plan


def scorer(**changes):
    plan = tree_plan()
    plan["inputs"][1] |= changes
    return load(schema.dump(plan))


@pytest.mark.parametrize(
    ("instance", "field", "words"),
    [
        ({"hour": 1}, "rows[3].carrier", "is required"),
        ({"hour": 1, "carrier": None}, "rows[3].carrier", "is required"),
        ({"hour": True, "carrier": "AA"}, "rows[3].hour", "should be a number, not True"),
        ({"hour": "7", "carrier": "AA"}, "rows[3].hour", "should be a number, not '7'"),
        ({"hour": [7], "carrier": "AA"}, "rows[3].hour", "not a list"),
        ({"hour": math.nan, "carrier": "AA"}, "rows[3].hour", "finite"),
        ({"hour": math.inf, "carrier": "AA"}, "rows[3].hour", "finite"),
        ({"hour": -0.5, "carrier": "AA"}, "rows[3].hour", "below the least allowed, 0"),
        ({"hour": 24, "carrier": "AA"}, "rows[3].hour", "above the greatest allowed, 23"),
        ({"hour": 10**5000, "carrier": "AA"}, "rows[3].hour", "a huge whole number"),
        ({"hour": 1, "carrier": 5}, "rows[3].carrier", "should be text, not 5"),
        ({"hour": 1, "carrier": {"a": 1}}, "rows[3].carrier", "should be text, not an object"),
        ([1, "AA"], "rows[3]", "an object of features, not a list"),
        (None, "rows[3]", "an object of features"),
    ],
)
def test_a_bad_row_is_refused_with_its_field(instance, field, words):
    with pytest.raises(BadRequest) as caught:
        scorer().row(instance, "rows[3]")
    assert caught.value.field == field
    assert words in str(caught.value) and str(caught.value).startswith(field)


def test_numbers_too_large_for_the_model_are_refused():
    plan = tree_plan()
    plan["inputs"][0] |= {"min": None, "max": None}
    for precision, largest in (("float64", sys.float_info.max), ("float32", 3.4e38)):
        loaded = load(schema.dump(plan | {"precision": precision}))
        loaded.row({"hour": -largest, "carrier": "AA"})
        with pytest.raises(BadRequest, match=f"too large for a {precision} number"):
            loaded.row({"hour": int(largest) * 10, "carrier": "AA"})


def test_fixed_categories_refuse_others_and_open_ones_do_not():
    fixed = scorer(allowed=["AA", "UA", "ZZ"])
    assert fixed.row({"hour": 1, "carrier": "ZZ"})[1] == 2  # allowed, but never seen
    with pytest.raises(BadRequest, match="'B6', which is not one of 'AA', 'UA', 'ZZ'"):
        fixed.row({"hour": 1, "carrier": "B6"})
    assert scorer().row({"hour": 1, "carrier": "B6"})[1] == 2


def test_an_empty_text_is_null_as_it_is_in_what_was_learned_from():
    plan = tree_plan()
    plan["inputs"][1] |= {"nullable": True, "missing": 1, "unknown": 2, "size": 3}
    loaded = load(schema.dump(plan))
    empty, null = {"hour": 1, "carrier": ""}, {"hour": 1, "carrier": None}
    assert loaded.row(empty) == loaded.row(null) == (1.0, 1)
    assert loaded.lenient_rows([empty]) == [(1.0, 1)]
    for changes in ({}, {"pattern": ".*"}, {"allowed": ["AA"]}):
        with pytest.raises(BadRequest, match="carrier: is required"):
            scorer(**changes).row(empty)


def test_a_pattern_holds_for_all_of_a_text_and_for_no_text_that_ingest_would_not_take():
    tail = scorer(pattern="N[0-9A-Z]+", nullable=True)
    assert tail.row({"hour": 1, "carrier": "N1"})[1] == 2 and tail.row({"hour": 1})[1] == 2
    for wrong in ("", "AA", "N", "N1 ", "xN1", "N1\n", "N" + "1" * 256):
        with pytest.raises(BadRequest, match="does not match the pattern 'N\\[0-9A-Z\\]\\+'"):
            tail.row({"hour": 1, "carrier": wrong})
    both = scorer(pattern="A+", allowed=["AA", "AAA"])
    with pytest.raises(BadRequest, match="'A', which is not one of 'AA', 'AAA'"):
        both.row({"hour": 1, "carrier": "A"})
    [row] = tail.lenient_rows([{"hour": 1, "carrier": "AA"}])
    assert row == (1.0, 0)


def test_a_nullable_field_may_be_null_or_left_out():
    assert scorer(nullable=True).row({})[1] == 2
    line = load(schema.dump(linear_plan()))
    assert line.row({"carrier": "AA"})[0] == (12.0 - 10.0) / 4.0


def test_rows_admitted_elsewhere_are_not_judged_again():
    [row] = scorer(allowed=["AA"]).lenient_rows([{"hour": 99, "carrier": None}])
    assert row == (99.0, 2)


def test_inputs_say_what_may_be_sent():
    hour, carrier = scorer(allowed=["AA"]).inputs
    assert (hour.name, hour.type, hour.nullable, hour.min, hour.max) == (
        "hour",
        "number",
        True,
        0.0,
        23.0,
    )
    assert carrier.categories == ("AA",) and not carrier.nullable


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner, max_size=3), max_leaves=4),
       st.text() | st.none() | st.integers())  # fmt: skip
def test_any_values_encode_finitely_or_are_refused(hour, carrier):
    try:
        row = scorer().row({"hour": hour, "carrier": carrier})
    except BadRequest as error:
        assert error.field in ("instances[0].hour", "instances[0].carrier")
    else:
        assert (hour is None and math.isnan(row[0])) or 0 <= row[0] <= 23
        assert row[1] in (0, 1, 2)


def test_every_mistake_of_a_row_is_told():
    bad = {"hour": 24, "carrier": 5, "more": 1}
    assert scorer().mistakes(bad) == [
        ("hour", "is 24, above the greatest allowed, 23"),
        ("carrier", "should be text, not 5"),
    ]
    assert scorer().mistakes({"carrier": "AA"}) == []
    assert scorer().mistakes({}) == [("carrier", "is required")]
