"""A dataset as one file is the same bytes every time, and uploaded again the same part."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.checking.check import check_source
from driftloop.data import dataset, export
from driftloop.data.dataset import Dataset
from driftloop.data.export import Format
from driftloop.data.rows import Rows, kinds
from driftloop.errors import BadRequest
from driftloop.reading import open_source
from driftloop.spec import Spec
from tests.driftloop.memory import Memory

NOW = "2013-02-01T00:00:00.000Z"
SPEC = Spec.parse(
    {"name": "toy", "task": "classification", "target": "late", "time": "at", "key": "id",
     "features": {"{x}": {"type": "number", "nullable": True},
                  "a,b": {"type": "category", "nullable": True, "max_categories": 1000}},
     "data": {"duplicates": "keep"}}
)  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1,
                max_size=6)  # fmt: skip
odd = st.sampled_from(["=1+1", '"', '""', "a\nb", "a\r\nb", "\r", " a ", ",", "NA", "null", "1.0",
                       "-5", "{}", "é\u2028", "'", "\\n", "\ufeff", "nan"])  # fmt: skip
words = st.one_of(odd, texts)
numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=False, width=64),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from([0.1, -0.0, 1e22, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e16]),
)
years = st.integers(-62_135_596_800_000, 253_402_300_799_999)  # 0001 to 9999
classes = st.sampled_from(["0", "1", "yes", "=no"])
row = st.tuples(numbers, st.one_of(st.none(), words), classes, years, words)


def kept(store: Memory, *parts: list[Any]) -> Dataset:
    for rows in parts:
        columns = [np.array(values, dtype) for values, dtype in
                   zip(zip(*rows, strict=True), (float, object, object, np.int64, object),
                       strict=True)]  # fmt: skip
        named = dict(zip(["{x}", "a,b", "late", "at", "id"], columns, strict=True))
        dataset.add_part(store, SPEC, Rows(kinds(SPEC), named), NOW, "upload", {})
    found = dataset.current(store, SPEC)
    assert found is not None
    return found


def written(store: Memory, found: Dataset, form: Format, defuse: bool = False) -> bytes:
    out = io.BytesIO()
    export.write(store, "toy", found, form, out, defuse)
    return out.getvalue()


@settings(deadline=None, max_examples=60)
@given(st.lists(row, min_size=1, max_size=8), st.sampled_from(["csv", "jsonl", "parquet"]))
def test_an_exported_part_uploaded_again_is_that_part(rows: list[Any], form: Format) -> None:
    store = Memory()
    found = kept(store, rows)
    data = written(store, found, form)
    assert data == written(store, found, form)
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(io.BytesIO(data), kinds(SPEC))
        assert source.format == form
        checked = check_source(source, SPEC, None, Path(folder))
        assert (checked.rejected, checked.part) == (0, found.parts[0].sha256)


def test_parts_follow_each_other_in_one_file() -> None:
    store = Memory()
    found = kept(store, [(1.0, "x", "0", 0, "k1")], [(2.5, None, "1", 1, "k2")])
    text = written(store, found, "csv").decode()
    first, second = ("1,x,0,1970-01-01T00:00:00.000Z,k1", "2.5,,1,1970-01-01T00:00:00.001Z,k2")
    header = '"{x}","a,b",late,at,id'
    assert text in ("\n".join([header, *lines, ""]) for lines in ((first, second),
                                                                   (second, first)))  # fmt: skip
    lines = written(store, found, "jsonl").decode().splitlines()
    assert '{"{x}":2.5,"a,b":null,"late":"1","at":"1970-01-01T00:00:00.001Z","id":"k2"}' in lines


def test_cells_that_spreadsheets_run_are_counted_and_on_demand_made_harmless() -> None:
    store = Memory()
    found = kept(store, [(-1.0, "=1", "0", 0, "-5"), (2.0, "=1", "0", 1, "@x")])
    out = io.BytesIO()
    done = export.write(store, "toy", found, "csv", out)
    assert (done.rows, done.formulas) == (2, 3)
    assert out.getvalue().splitlines()[1] == b"-1,=1,0,1970-01-01T00:00:00.000Z,-5"
    safe = written(store, found, "csv", defuse=True).splitlines()
    assert safe[1:] == [b"-1,'=1,0,1970-01-01T00:00:00.000Z,-5",
                        b"2,'=1,0,1970-01-01T00:00:00.001Z,'@x"]  # fmt: skip


def test_what_csv_cannot_hold_is_named() -> None:
    store = Memory()
    found = kept(store, [(1.0, "a\0b", "0", 0, "k")])
    with pytest.raises(BadRequest, match="'a,b' has a text with a NUL"):
        written(store, found, "csv")
    assert b"a\\u0000b" in written(store, found, "jsonl")
