"""Each shape gives the same rows, and names what is wrong by its own path."""

import json
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import BadRequest
from driftloop.payload import from_event, read
from driftloop.plan import Input, load
from tests.driftloop.plans import plan

INPUTS = load(plan()).inputs  # hour, carrier, temp (nullable)
KNOWN = {"hour", "carrier", "temp", "flight_id"}
NAMES = ["hour", "carrier", "temp"]
ROWS = [[7, "UA", 3.5], [23, 'A"A', None], [0, "ü,;\n", -1e-7]]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]


def csv(rows):
    cells = [["" if v is None else str(v) for v in row] for row in rows]
    return "".join(
        ",".join('"' + c.replace('"', '""') + '"' for c in row) + "\r\n" for row in cells
    )


SHAPES = {
    "instances": {"instances": RECORDS},
    "positional": {"instances": ROWS},
    "mixed": {"instances": [ROWS[0], *RECORDS[1:]]},
    "dataframe_records": {"dataframe_records": RECORDS},
    "dataframe_split": {
        "dataframe_split": {"columns": NAMES, "data": ROWS, "index": [5, "x", 1.5]}
    },
    "reordered": {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in ROWS]}},
    "inputs": {"inputs": RECORDS},
    "tensor": {"inputs": ROWS},
    "columns": {"inputs": {n: [row[i] for row in ROWS] for i, n in enumerate(NAMES)}},
    "csv": csv(ROWS),
    "csv_header": csv([NAMES, *ROWS]),
}


def asked(sent, **headers):
    if isinstance(sent, str):
        return from_event({"headers": {"content-type": "text/csv"}, "body": sent}, INPUTS, KNOWN)
    return read(json.dumps(sent), INPUTS, KNOWN)


def refused(sent):
    with pytest.raises(BadRequest) as caught:
        asked(sent)
    assert caught.value.field in str(caught.value)
    return caught.value


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_rows(shape):
    assert asked(SHAPES[shape]).rows == RECORDS


@pytest.mark.parametrize(
    ("shape", "row", "field"),
    [
        ("instances", "instances[1]", "instances[1].temp"),
        ("positional", "instances[1]", "instances[1][2]"),
        ("dataframe_records", "dataframe_records[1]", "dataframe_records[1].temp"),
        ("dataframe_split", "dataframe_split.data[1]", "dataframe_split.data[1][2]"),
        ("reordered", "dataframe_split.data[1]", "dataframe_split.data[1][0]"),
        ("inputs", "inputs[1]", "inputs[1].temp"),
        ("tensor", "inputs[1]", "inputs[1][2]"),
        ("columns", "inputs.*[1]", "inputs.temp[1]"),
        ("csv", "csv line 2", "csv line 2, column temp"),
        ("csv_header", "csv line 3", "csv line 3, column temp"),
    ],
)
def test_a_place_is_named_in_the_callers_own_shape(shape, row, field):
    place = asked(SHAPES[shape]).place
    assert (place.row(1), place.field(1, "temp")) == (row, field)


def test_a_csv_line_is_where_its_row_begins():
    place = asked(csv([*ROWS, ROWS[0]])).place  # the third row goes over two lines
    assert [place.row(i) for i in range(4)] == [f"csv line {n}" for n in (1, 2, 3, 5)]


def test_columns_of_which_there_are_none_are_no_rows():
    nullable = [Input("temp", "number", nullable=True)]
    with pytest.raises(BadRequest, match="inputs: is empty; send at least one column"):
        read('{"inputs": {}}', nullable, {"temp"})


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"instances": {}}, "instances", "list"),
        ({"instances": []}, "instances", "empty"),
        ({"instances": [[1, "UA"]]}, "instances[0]", "2 values where there should be 3"),
        ({"instances": RECORDS, "inputs": RECORDS}, "inputs", "once"),
        ({"instances": RECORDS, "parametres": {}}, "parametres", "'parameters'"),
        ({"instances": RECORDS, "parameters": []}, "parameters", "explain"),
        ({"instances": RECORDS, "params": {"explan": True}}, "params.explan", "'explain'"),
        ({"instances": RECORDS, "params": {"explain": 1}}, "params.explain", "true or false"),
        ({"dataframe_split": []}, "dataframe_split", "object"),
        ({"dataframe_split": {"columns": NAMES}}, "dataframe_split.data", "required"),
        ({"dataframe_split": {"data": ROWS}}, "dataframe_split.columns", "required"),
        ({"dataframe_split": {"data": [], "columns": NAMES}}, "dataframe_split.data", "empty"),
        (
            {"dataframe_split": {"data": ROWS, "columns": NAMES, "idx": []}},
            "dataframe_split.idx",
            "index",
        ),
        (
            {"dataframe_split": {"data": ROWS, "columns": NAMES, "index": [1]}},
            "dataframe_split.index",
            "one entry a row",
        ),
        (
            {"dataframe_split": {"data": ROWS, "columns": ["hour", "carier", "temp"]}},
            "dataframe_split.columns.carier",
            "'carrier'",
        ),
        (
            {"dataframe_split": {"data": ROWS, "columns": ["hour", "temp"]}},
            "dataframe_split.columns",
            "lacks 'carrier'",
        ),
        (
            {"dataframe_split": {"data": ROWS, "columns": ["hour", "carrier", "hour"]}},
            "dataframe_split.columns",
            "twice",
        ),
        (
            {"dataframe_split": {"data": ROWS, "columns": ["hour", "carrier", 7]}},
            "dataframe_split.columns[2]",
            "name of a field",
        ),
        (
            {"dataframe_split": {"data": [ROWS[0], [1]], "columns": NAMES}},
            "dataframe_split.data[1]",
            "1 values where there should be 3",
        ),
        (
            {"dataframe_split": {"data": [{}], "columns": NAMES}},
            "dataframe_split.data[0]",
            "list of 3",
        ),
        ({"inputs": {}}, "inputs", "lacks 'hour', 'carrier'"),
        ({"inputs": {"hour": [], "carrier": []}}, "inputs", "empty"),
        ({"inputs": {"hour": 7, "carrier": "UA"}}, "inputs.hour", "list of values"),
        ({"inputs": {"hour": [7], "carrier": ["UA", "UA"]}}, "inputs.carrier", "2 values"),
        ({"inputs": {"hour": [7], "carier": ["UA"]}}, "inputs.carier", "'carrier'"),
        ({"inputs": 7}, "inputs", "list"),
        ("", "csv", "empty"),
        ("hour,carrier\n", "csv", "no rows"),
        ("hour,temp\n7,3\n", "csv line 1", "lacks 'carrier'"),
        ("hour,carier\n7,UA\n", "csv line 1, column carier", "'carrier'"),
        ("hour,carrier\n7\n", "csv line 2", "1 cells where there should be 2"),
        ("7,UA,3\n\n8,UA,3\n", "csv line 2", "1 cells"),
        ('7,"UA,3\n', "csv line 1", "no CSV"),
        ('7,UA,3\n7,"U"A,3\n', "csv line 2", "no CSV"),
    ],
)
def test_a_wrong_shape_is_refused_by_its_path(sent, field, words):
    error = refused(sent)
    assert error.field == field and words in str(error)


@pytest.mark.parametrize("beside", [{}, {"parameters": None}, {"params": {}}])
def test_no_reasons_unless_asked_for(beside):
    assert not asked({"inputs": RECORDS, **beside}).explain
    assert asked({"inputs": RECORDS, "params": {"explain": True}}).explain


@pytest.mark.parametrize(("said", "explain"), [("true", True), ("False", False)])
def test_reasons_can_be_asked_for_in_the_query(said, explain):
    event = {"body": json.dumps({"instances": RECORDS}), "queryStringParameters": {"explain": said}}
    assert from_event(event, INPUTS, KNOWN).explain is explain
    with pytest.raises(BadRequest, match="true or false"):
        from_event(event | {"queryStringParameters": {"explain": "please"}}, INPUTS, KNOWN)


def test_a_header_can_be_told_from_a_row_or_is_said():
    def rows(text, kind="text/csv"):
        event = {"headers": {"content-type": kind}, "body": text}
        return from_event(event, INPUTS, KNOWN).rows

    assert rows("\ufeffhour,carrier\n7,UA") == [{"hour": 7, "carrier": "UA"}]
    assert rows("7,hour,3") == [{"hour": 7, "carrier": "hour", "temp": 3}]  # a number: no header
    assert rows("x,carrier,y", "text/csv; header=absent")[0]["carrier"] == "carrier"
    with pytest.raises(BadRequest, match="no such field"):
        rows("x,y\n7,UA", "text/csv; header=present")
    with pytest.raises(BadRequest, match="present or absent"):
        rows("7,UA,3", "text/csv; header=maybe")


def test_a_line_of_names_that_are_numbers_is_not_guessed_at():
    inputs = [Input(name, "number", nullable=False) for name in ("0", "1")]

    def rows(text, kind="text/csv"):
        return from_event({"headers": {"content-type": kind}, "body": text}, inputs, {"0", "1"})

    with pytest.raises(BadRequest, match="say header=present or header=absent"):
        rows("0,1\n7.5,3\n")
    assert rows("1,0\n7.5,3\n", "text/csv; header=present").rows == [{"1": 7.5, "0": 3.0}]
    assert rows("1,0\n", "text/csv; header=absent").rows == [{"0": 1.0, "1": 0.0}]
    assert rows("2,0\n").rows == [{"0": 2.0, "1": 0.0}]


@pytest.mark.parametrize("cell", ["nan", "inf", "1_000", "0x7", "٧", "7 h", "1e", "--7", "NULL"])
def test_a_cell_that_only_python_would_take_for_a_number_stays_text(cell):
    (row,) = asked(f"{cell},UA,1").rows
    assert row["hour"] == cell


CELLS = st.text(st.characters(codec="utf-8"), min_size=1)


@given(st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), CELLS), min_size=1))
def test_csv_gives_what_was_written(rows):
    found = asked(csv([["hour", "carrier"], *[[repr(n), c] for n, c in rows]])).rows
    assert found == [{"hour": n, "carrier": c} for n, c in rows]


@pytest.mark.parametrize("where", ["in a row", "beside"])
def test_a_name_of_megabytes_is_refused_in_no_time(where):
    name = "q" * 5_000_000
    began = process_time()
    if where == "beside":
        error = refused({"instances": RECORDS, name: 1})
    else:
        error = refused({"dataframe_split": {"columns": [*NAMES, name], "data": [[0, "", 0, 0]]}})
    assert len(error.field) < 100 and process_time() - began < 0.5
