"""Whole columns get the answers that the contract gives value by value."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftloop.checking import columnar, contract
from driftloop.data import parquet
from driftloop.data.rows import Rows
from driftloop.spec import Spec

UNTIL = 1_400_000_000_000


def make_spec(task: str = "classification") -> Spec:
    return Spec.parse(
        {
            "name": "toy",
            "task": task,
            "target": "late",
            "time": "at",
            "key": "id",
            "features": {
                "hour": {"type": "number", "min": 0, "max": 23},
                "temp": {"type": "number", "nullable": True, "min": -50},
                "carrier": {"type": "category"},
                "origin": {"type": "category", "categories": ["A", "B", "1", "2.5"]},
                "tail": {"type": "category", "nullable": True, "pattern": "N[0-9A-Z]*"},
            },
            "data": {
                "duplicates": "keep",
                "earliest": "2012-01-01",
                "latest": "2014-01-01",
                "rules": {"mild": "temp < hour * 2", "later": "at > '2012-06-01' or hour > 3",
                          "home": "origin != carrier"},
            },
        }
    )  # fmt: skip


COLUMNS = make_spec().columns
words = st.one_of(
    st.sampled_from([
        "7", "0", "23", "24", "-1", "", "NaN", "NA", "null", "inf", "-Infinity", "x", "A", "B", "1",
        "1e400", " 5 ", "+5", "5.", ".5", "1e1", "1.0", "-0", "-0.0", "1_0", "0x1F", "１", "5\n",
        "true", "None", "N1", "N", "n1", "N1\n", "A" * 257, "é" * 256, "é" * 257, "\0", "1.00",
        "2.50",
        "2013-01-05T10:00:00Z", "2013-01-05", "2013-13-05", "2013-02-30", "2013-01-05 10:00:00",
        "2013-01-05T10:00:00+05:30", "2013-01-05T10:00:00.123456-23:59", "2013-01-05T10:00:00.9999",
        "2011-12-31T23:59:59.999Z", "2013-12-31T23:30:00-01:00", "2014-01-01", "20130105",
        "2013-W02",
        "2013-01-05T10:00", "2013-01-05T24:00:00Z", "2013-01-05T10:00:60", "0000-01-01",
        "2013-01-05T1", "2013-01-05Z",
        "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "2013-01-05t10:00:00z",
        " 2013-01-05 ", "2012-05-01",
    ]),
    st.text(max_size=4),
)  # fmt: skip
texts = words.filter(lambda w: not any("\ud800" <= c <= "\udfff" for c in w))
scalars = st.one_of(
    st.none(),
    texts,
    st.sampled_from([
        "\ud800", True, False, [1], {}, 10**400, 2**63, 10**15, -(10**15), 2**53 + 1, 1.0, 2.5,
        -0.0, 7,
    ]),
    st.integers(-(10**14), 10**14),
    st.floats(allow_nan=False),
)  # fmt: skip


def columns_of(cell: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, list[Any]]]:
    return st.integers(1, 6).flatmap(
        lambda n: st.fixed_dictionaries(
            {name: st.lists(cell, min_size=n, max_size=n) for name in COLUMNS}
        )
    )


def alike(spec: Spec, raw: dict[str, list[Any]], given_as: dict[str, Any]) -> None:
    """Accepted rows and faults, values included, are those of the contract."""
    rows, faults = contract.check(spec, raw, UNTIL)
    typed, found = columnar.check(spec, given_as, UNTIL)
    assert [found[row] for row in sorted(found)] == faults
    kept = pa.array([row not in found for row in range(len(raw["hour"]))])
    columns = {name: column.filter(kept) for name, column in typed.items()}
    for name, column in columns.items():
        form = parquet.TYPES[rows.kinds[name]]
        assert column.type in (form, pa.dictionary(pa.int32(), form))
        expected = rows.columns[name].tolist()
        values = (column.cast(pa.int64()) if name == "at" else column).to_pylist()
        assert values == [None if v != v else v for v in expected]


@settings(max_examples=150, deadline=None)
@given(columns_of(texts), st.sampled_from(["classification", "regression"]))
@example({name: ["2013-01-05"] * 2 for name in COLUMNS}, "regression")
def test_texts_of_a_file_are_checked_alike(raw: dict[str, list[str]], task: str) -> None:
    spec = make_spec(task)
    arrays = {name: pa.array(values, pa.string()) for name, values in raw.items()}
    alike(spec, raw, arrays)
    alike(spec, raw, {name: column.dictionary_encode() for name, column in arrays.items()})


@settings(max_examples=150, deadline=None)
@given(columns_of(scalars), st.sampled_from(["classification", "regression"]))
def test_json_values_are_checked_alike(raw: dict[str, list[Any]], task: str) -> None:
    alike(make_spec(task), raw, dict(raw))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            st.one_of(st.none(), st.floats(allow_nan=False)),
            st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
        ),
        min_size=1,
    ),
    st.sampled_from(["s", "us"]),
)
def test_what_a_reader_typed_is_checked_as_what_it_read(sample: list[Any], unit: str) -> None:
    hours, temps, times = (list(column) for column in zip(*sample, strict=True))
    seconds = [None if t is None else t.replace(microsecond=0) for t in times]
    times = seconds if unit == "s" else times
    rest = {n: ["N"] * len(times) for n in ("id", "late", "tail")}
    rest |= {n: ["A"] * len(times) for n in ("carrier", "origin")}
    raw = {"hour": hours, "temp": temps, "at": [t and t.isoformat() for t in times], **rest}
    read = {
        "hour": pa.array(hours, pa.float64()),
        "temp": pa.array(temps, pa.float64()),
        "at": pa.array(times, pa.timestamp("us", "UTC")).cast(
            pa.timestamp(unit, "UTC"), safe=False
        ),
        **{name: pa.array(values) for name, values in rest.items()},
    }
    alike(make_spec(), raw, read)


@pytest.mark.parametrize(
    ("column", "as_json"),
    [
        (pa.array([1, None, 0], pa.int8()), [1, None, 0]),
        (pa.array([1.5, np.nan, np.inf], pa.float32()), [1.5, None, float("inf")]),
        (pa.array([True, False, None]), [1, 0, None]),
        (pa.nulls(3), [None] * 3),
        (pa.array(["5", "x", None]).dictionary_encode(), ["5", "x", None]),
        (pa.array(["5", "x", ""], pa.large_string()), ["5", "x", ""]),
    ],
)
def test_a_file_s_own_types_are_numbers(column: Any, as_json: list[Any]) -> None:
    rest = {"id": "k", "late": "0", "at": "2013-01-05", "carrier": "A", "origin": "B", "tail": "N"}
    raw: dict[str, list[Any]] = {name: [value] * 3 for name, value in rest.items()}
    raw |= {"hour": as_json, "temp": [-5] * 3}
    alike(make_spec(), raw, {**raw, "hour": column})


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([1, None, 2]), ["1", None, "2"]),
        (pa.array([1.0, np.nan, 2.5]), ["1", None, "2.5"]),
        (pa.array([True, None, False]), ["1", None, "0"]),
    ],
)
def test_a_file_s_own_types_are_texts(column: Any, words: list[str | None]) -> None:
    spec = make_spec()
    typed, found = columnar.check(spec, {**{n: ["A"] * 3 for n in COLUMNS}, "late": column})
    assert typed["late"].to_pylist() == words
    assert {(f.row, f.rule) for f in found.values() if f.field == "late"} <= {(1, "null")}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**62], pa.timestamp("s")),
        pa.array([-(2**62)], pa.timestamp("us", "UTC")),
        pa.array([2**62]),
        pa.array([10**9], pa.date32()),
        [10**16],
        ["10000-01-01"],
    ],
)
def test_a_time_beyond_the_calendar_is_none(column: Any) -> None:
    raw = {**{n: ["1"] for n in COLUMNS}, "hour": [5], "tail": ["N"], "carrier": ["2"]}
    _, found = columnar.check(make_spec(), {**raw, "at": column})
    assert (found[0].field, found[0].rule) == ("at", "not_a_time")


def test_a_whole_column_is_typed_like_its_parts() -> None:
    """Long columns, cut anywhere: slices of arrow arrays have offsets."""
    times = [datetime(2013, 1, 1 + i % 28, tzinfo=UTC).isoformat() for i in range(100)]
    raw: dict[str, Any] = {n: pa.array([str(i % 20) for i in range(100)]) for n in COLUMNS}
    raw |= {"at": pa.array(times), "origin": pa.array(["A", "B"] * 50).dictionary_encode()}
    raw |= {"tail": pa.array(["N", "n", ""] * 33 + ["N"])}
    whole, faults = columnar.check(make_spec(), raw)
    for start in (0, 1, 37, 99):
        typed, found = columnar.check(make_spec(), {n: c.slice(start, 30) for n, c in raw.items()})
        assert {start + r: f.rule for r, f in found.items()} == {
            r: f.rule for r, f in faults.items() if start <= r < start + 30
        }
        for name, column in typed.items():
            assert column.to_pylist() == whole[name].slice(start, 30).to_pylist()


def test_rows_of_the_contract_and_of_columns_have_one_name() -> None:
    raw = {
        "hour": ["7", "-0", "23"], "temp": ["NA", "-1.5", "-3"], "carrier": ["é", "B", "C"],
        "origin": ["A", "A", "B"], "tail": ["", "N1", "N2"], "late": ["1.0", "0", "1"],
        "at": ["2013-01-05", "2013-01-06", "2013-01-07"], "id": ["a", "b", "c"],
    }  # fmt: skip
    rows, faults = contract.check(make_spec(), raw)
    typed, _ = columnar.check(make_spec(), {n: pa.array(v) for n, v in raw.items()})
    assert not faults
    assert isinstance(rows, Rows)
    form = parquet.canonical.Digest(rows.kinds)
    form.update({name: parquet.canonical_of(column) for name, column in typed.items()})
    assert form.hexdigest() == rows.digest()
