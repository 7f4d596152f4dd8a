"""The contract of a row: what is accepted, what is not, and by which rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.checking.contract import allowed_categories, check, check_column
from driftloop.data.rows import kinds, plain, row_keys
from driftloop.spec import Spec

UNTIL = 1_388_534_400_000  # 2014-01-01


def make_spec(**data: Any) -> Spec:
    return Spec.parse(
        {
            "name": "toy",
            "task": "classification",
            "target": "late",
            "time": "at",
            "key": "id",
            "features": {
                "hour": {"type": "number", "min": 0, "max": 23},
                "temp": {"type": "number", "nullable": True, "unique": True},
                "carrier": {"type": "category", "max_categories": 2},
                "origin": {"type": "category", "categories": ["JFK", "LGA"]},
                "tail": {"type": "category", "nullable": True, "pattern": "N[0-9]+",
                         "unique": True},
            },
            "data": {
                "earliest": "2013-01-01", "latest": "2013-12-31T12:00:00Z",
                "rules": {"mild": "temp < 10 * hour or hour == 0", "away": "carrier != origin"},
                **data,
            },
        }
    )  # fmt: skip


GOOD = {"hour": "7", "temp": "", "carrier": "AA", "origin": "JFK", "tail": "", "late": "0",
        "at": "2013-01-05T10:00:00Z"}  # fmt: skip


def columns(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    whole = [{**GOOD, "id": f"k{i}", **row} for i, row in enumerate(rows)]
    return {name: [row[name] for row in whole] for name in kinds(make_spec())}


@pytest.mark.parametrize(
    ("changed", "field", "rule", "value"),
    [
        ({"hour": "noon"}, "hour", "not_a_number", "noon"),
        ({"hour": True}, "hour", "not_a_number", True),
        ({"hour": "inf"}, "hour", "not_finite", "inf"),
        ({"hour": 10**400}, "hour", "not_finite", str(10**400)),
        ({"hour": "NA"}, "hour", "null", None),
        ({"hour": "-1.50"}, "hour", "below_min", -1.5),
        ({"hour": 24}, "hour", "above_max", 24.0),
        ({"carrier": ""}, "carrier", "null", None),
        ({"carrier": ["AA"]}, "carrier", "not_a_text", "['AA']"),
        ({"carrier": "A\ud800"}, "carrier", "not_a_text", "'A\\ud800'"),
        ({"carrier": "A" * 300}, "carrier", "too_long", "A" * 256),
        ({"origin": "EWR"}, "origin", "unknown_category", "EWR"),
        ({"tail": "N12x"}, "tail", "breaks_pattern", "N12x"),
        ({"tail": "N12\n"}, "tail", "breaks_pattern", "N12\n"),
        ({"at": "soon"}, "at", "not_a_time", "soon"),
        ({"at": 10**18}, "at", "not_a_time", 10**18),
        ({"at": "NA"}, "at", "null", None),
        ({"at": "2012-12-31T23:59:59.999Z"}, "at", "too_early", "2012-12-31T23:59:59.999Z"),
        ({"at": "2013-12-31T13:00:00+00:30"}, "at", "too_late", "2013-12-31T12:30:00.000Z"),
        ({"late": "null"}, "late", "null", None),
        ({"id": ""}, "id", "null", None),
        ({"temp": 70}, "mild", "breaks_rule", {"temp": 70.0, "hour": 7.0}),
        ({"carrier": "JFK"}, "away", "breaks_rule", {"carrier": "JFK", "origin": "JFK"}),
        ({"id": "k0"}, "id", "duplicate", "k0"),
    ],
)
def test_a_bad_value_breaks_one_rule(
    changed: dict[str, Any], field: str, rule: str, value: Any
) -> None:
    rows, faults = check(make_spec(), columns({}, changed, {}))
    assert [(f.row, f.field, f.rule) for f in faults] == [(1, field, rule)]
    assert faults[0].value == value
    assert plain(rows.columns["id"]) == ["k0", "k2"]


@pytest.mark.parametrize(
    "changed",
    [
        {"hour": " +2.30e1 "}, {"hour": 0}, {"hour": 23.0}, {"temp": "nan"}, {"temp": None},
        {"temp": "1e308", "hour": "0"}, {"tail": "N007"}, {"tail": None}, {"late": 1},
        {"late": "1.0"}, {"at": "2013-01-01"}, {"at": "2013-12-31 12:00"},
        {"at": 1_357_000_000_000}, {"carrier": 5},
    ],
)  # fmt: skip
def test_what_is_allowed_passes(changed: dict[str, Any]) -> None:
    _, faults = check(make_spec(), columns(changed), UNTIL)
    assert not faults


def test_an_event_after_the_moment_to_believe_is_none() -> None:
    spec = make_spec(latest=None)
    _, faults = check(
        spec, columns({"at": "2014-01-01"}, {"at": "2014-01-01T00:00:00.001Z"}), UNTIL
    )
    assert [(f.row, f.rule, f.value) for f in faults] == [
        (1, "in_the_future", "2014-01-01T00:00:00.001Z")
    ]


def test_the_first_fault_in_the_order_of_the_spec_is_kept() -> None:
    bad = {"tail": "x", "at": "?", "hour": "70", "temp": "1e5", "id": "k0"}
    _, faults = check(make_spec(), columns({}, bad))
    assert [(f.field, f.rule) for f in faults] == [("hour", "above_max")]


def test_a_value_missing_from_a_rule_breaks_none() -> None:
    _, faults = check(make_spec(), columns({"temp": None}))
    assert not faults


def test_what_is_to_be_unique_is_accepted_once() -> None:
    rows = [{"temp": 1}, {"temp": 1.0}, {"temp": ""}, {"temp": ""}, {"tail": "N1"}, {"tail": "N1"}]
    _, faults = check(make_spec(), columns(*rows))
    assert [(f.row, f.field, f.rule, f.value) for f in faults] == [
        (1, "temp", "not_unique", 1.0),
        (5, "tail", "not_unique", "N1"),
    ]


def test_a_rejected_row_takes_no_value_from_others() -> None:
    rows = [{"tail": "N1"}, {"id": "k0", "tail": "N2"}, {"tail": "N2"}, {"id": "k1"}]
    _, faults = check(make_spec(), columns(*rows))
    assert [(f.row, f.rule) for f in faults] == [(1, "duplicate")]


def test_categories_are_counted_over_rows_that_are_sound_in_themselves() -> None:
    rows = [{"carrier": word} for word in ["A", "B", "B", "C", "C"]]
    rows += [{"carrier": "A", "hour": "x"}] * 3
    _, faults = check(make_spec(), columns(*rows))
    assert [(f.row, f.rule) for f in faults if f.rule != "not_a_number"] == [
        (0, "too_many_categories")
    ]


def test_the_most_frequent_categories_stay_and_the_alphabet_breaks_ties() -> None:
    spec = make_spec()
    assert allowed_categories(spec, {"carrier": {"C": 2, "B": 1, "A": 1}}) == {
        "carrier": ["C", "A"]
    }
    assert allowed_categories(spec, {"carrier": {"C": 2, "B": 1}}) == {}


def test_a_claimed_label_is_checked_alone() -> None:
    values, faults = check_column(make_spec(), "late", ["1.0", None, 0, "x", ["1"]])
    assert values == ["1", None, "0", "x", None]
    assert faults == {1: ("null", None), 4: ("not_a_text", "['1']")}


few = {
    "id": st.sampled_from(["a", "b", "c", ""]),
    "temp": st.sampled_from(["1", "2", "", "x"]),
    "tail": st.sampled_from(["N1", "N2", "", "?"]),
    "carrier": st.sampled_from("ABCD"),
}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.fixed_dictionaries(few), min_size=1, max_size=12), st.booleans())
def test_law_1_every_row_is_accepted_or_has_one_fault(
    sample: list[dict[str, str]], drop: bool
) -> None:
    spec = make_spec(duplicates="drop" if drop else "keep")
    raw = columns(*sample)
    rows, faults = check(spec, raw)
    assert len(rows) + len(faults) == len(sample)
    assert [f.row for f in faults] == sorted({f.row for f in faults})
    names = row_keys(rows, spec)
    assert not drop or len(set(names)) == len(names)
    for column in ("temp", "tail"):
        there = [value for value in plain(rows.columns[column]) if value is not None]
        assert len(set(there)) == len(there)
    assert len({*plain(rows.columns["carrier"])}) <= 2
    again, none = check(spec, {name: plain(rows.columns[name]) for name in raw})
    assert not none and again.digest() == rows.digest()  # what is accepted stays so
