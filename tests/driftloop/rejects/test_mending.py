"""The file a person mends says which rows it is about, and gives back what was put in."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import DataError
from driftloop.rejects import mending
from driftloop.rejects.quarantine import LONGEST_TEXT
from driftloop.rejects.rejected import rows
from tests.driftloop.held import JSON, hold, rejected
from tests.driftloop.memory import Memory


def exported(store: Memory, *found: Any, write: Any = mending.write_csv) -> io.StringIO:
    out = io.StringIO(newline="")
    write(out, [(held, rows(store, "toy", held)) for held in found])
    out.seek(0)
    return out


def test_a_row_stands_with_its_reason_and_its_own_columns() -> None:
    store = Memory()
    held = hold(store, rejected(3, 'k1,noon,"A,A"', value="noon"))
    (row,) = csv.DictReader(exported(store, held))
    assert row == {"upload": held.upload, "file": held.key, "line": "3", "rule": "not_a_number",
                   "field": "hour", "value": "noon", "text": "", "id": "k1", "hour": "noon",
                   "carrier": "A,A"}  # fmt: skip


def test_what_could_not_be_taken_apart_stands_as_text_to_be_filled_in() -> None:
    store = Memory()
    long = "k2,7," + "A" * LONGEST_TEXT
    held = hold(store, rejected(3, 'k1,"x', "unreadable_row", "", "2 fields"),
                rejected(4, long, "too_long", "carrier"))  # fmt: skip
    broken, cut = csv.DictReader(exported(store, held))
    assert broken["text"] == 'k1,"x' and broken["id"] == ""
    assert cut["text"] == long[:LONGEST_TEXT] and cut["id"] == ""


def test_columns_of_ours_that_the_rows_have_too_step_back() -> None:
    store = Memory()
    shape = {"format": "csv", "header": ["value", "_value", "line"], "delimiter": ";"}
    held = hold(store, rejected(3, "1;2;77", value="x"), shape=shape)
    out = exported(store, held)
    (row,) = csv.DictReader(out)
    assert (row["__value"], row["_line"], row["value"], row["line"]) == ("x", "3", "1", "77")
    out.seek(0)
    (back,) = mending.read_csv(out)
    assert back.place == (held.key, 3)
    assert back.row == {"value": "1", "_value": "2", "line": "77"}


@pytest.mark.parametrize("write", [mending.write_csv, mending.write_json_lines])
def test_json_rows_stand_as_they_were(write: Any) -> None:
    store = Memory()
    row = {"id": None, "hour": "x", "carrier": ["A"]}
    held = hold(store, rejected(3, json.dumps(row)), shape=JSON)
    read = mending.read_csv if write is mending.write_csv else mending.read_json_lines
    (back,) = read(exported(store, held, write=write))
    told = {"id": "", "hour": "x", "carrier": '["A"]'} if write is mending.write_csv else row
    assert back.row == told


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
cells = st.one_of(
    st.sampled_from(["=1+1", "'=1", "-3", "a\nb", 'a"b', ";;;", "@x", "\r", ""]), texts
)


@given(st.lists(st.tuples(texts, cells, cells), min_size=1, max_size=6))
def test_what_is_exported_comes_back_cell_by_cell(found: list[tuple[str, str, str]]) -> None:
    store = Memory()
    made = []
    for line, row in enumerate(found, 2):
        made.append(rejected(line, mending.csv_line(row, ",")))
    held = hold(store, *made)
    out = exported(store, held)
    for line in csv.reader(io.StringIO(out.getvalue(), newline="")):
        assert not any(cell[:1] in set("=@\t\r") for cell in line)
    back = list(mending.read_csv(out))
    assert [tuple(m.row.values()) for m in back] == found
    assert [m.place for m in back] == [(held.key, line) for line in range(2, len(found) + 2)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no columns upload and line"),
        ("id,hour\n1,2\n", "no columns upload and line"),
        ("upload,line,id\nabc,three,1\n", "line 2: line is 'three', no number"),
        ("upload,line,id\nabc,3\n", "line 2: 2 fields, not 3"),
        ('upload,line,id\nabc,3,"x\n', "unexpected end"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        list(mending.read_csv(io.StringIO(text, newline="")))


@pytest.mark.parametrize("line", ["[]", "{}", "{", '{"upload":"a","line":"x","row":{}}'])
def test_a_line_of_json_that_names_no_row_is_refused(line: str) -> None:
    with pytest.raises(DataError, match="line 1"):
        list(mending.read_json_lines(io.StringIO(line)))


def test_a_spreadsheet_of_another_country_is_read() -> None:
    (row,) = mending.read_csv(io.StringIO("upload;line;id\nabc;3;7\n\n;;\n", newline=""))
    assert (row.upload, row.place, row.row, row.at) == ("abc", ("", 3), {"id": "7"}, 2)
