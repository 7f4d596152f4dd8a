"""Rows are scored or refused alike in every shape, and every mistake is said in that shape."""

import csv
import io
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.ids import prediction_ids
from driftloop.plan import load, schema
from driftloop.scoring import MOST_MISTAKES, predictions, told
from tests.driftloop.plans import ROW, Desk, plan

COLUMNS = ["hour", "carrier", "temp"]
VALUES = [7, "UA", 3.5]
CSV = {"content_type": "text/csv"}


def errors(desk, body, **more):
    status, _, said, _ = desk.send(body if isinstance(body, str) else json.dumps(body), **more)
    assert status == 400
    assert said["detail"].startswith(said["errors"][0]["message"])
    assert all(e["message"].startswith(e["field"] + ": ") for e in said["errors"])
    return [e["field"] for e in said["errors"]], said


def test_every_shape_is_answered_alike():
    bodies = [
        {"instances": [ROW]},
        {"instances": [VALUES]},
        {"dataframe_records": [ROW]},
        {"dataframe_split": {"columns": COLUMNS, "data": [VALUES]}},
        {"inputs": [ROW]},
        {"inputs": {name: [value] for name, value in zip(COLUMNS, VALUES, strict=True)}},
    ]
    answers = [Desk().send(json.dumps(body))[2] for body in bodies]
    answers += [Desk().send(text, **CSV)[2] for text in ("7,UA,3.5", "carrier,hour\nUA,7\n")]
    *same, without = answers
    assert all(body == same[0] for body in same)
    assert without["predictions"] != same[0]["predictions"]  # it said nothing of temp


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {"instances": [ROW, {"hour": 24, "temp": "x", "tmep": 3}, 7, [None, 5, None]]},
            [
                "instances[1].tmep",
                "instances[1].hour",
                "instances[1].carrier",
                "instances[1].temp",
                "instances[2]",
                "instances[3][0]",
                "instances[3][1]",
            ],
        ),
        (
            {"dataframe_split": {"columns": COLUMNS[::-1], "data": [VALUES[::-1], [1, "AA", -1]]}},
            ["dataframe_split.data[1][2]"],
        ),
        (
            {"inputs": {"hour": [1, 99], "carrier": ["UA", 5]}},
            ["inputs.hour[1]", "inputs.carrier[1]"],
        ),
        (
            {"instances": [ROW | {"flight_id": True, "sched_dep": []}]},
            ["instances[0].flight_id", "instances[0].sched_dep"],
        ),
        (
            '{"instances": [{"hour": NaN, "carrier": "UA", "sched_dep": 1e999, "flight_id": NaN}]}',
            ["instances[0].hour", "instances[0].flight_id", "instances[0].sched_dep"],
        ),
    ],
)
def test_all_mistakes_are_said_at_once_by_their_paths(body, fields):
    found, said = errors(Desk(), body)
    assert found == fields
    assert len(found) == 1 or f"{len(found) - 1} more" in said["detail"]


def test_mistakes_in_csv_are_named_by_line_and_column():
    found, _ = errors(Desk(), "7,UA,3.5\n99,,x\n", **CSV)
    assert found == [f"csv line 2, column {name}" for name in COLUMNS]


def test_no_more_than_ten_are_said():
    found, _ = errors(Desk(), {"instances": [ROW | {"hour": 99}] * 1000})
    assert found == [f"instances[{i}].hour" for i in range(MOST_MISTAKES)]


def test_numbers_too_extreme_for_an_answer_are_named_by_their_row():
    huge = json.loads(plan(classes=None))
    huge["model"]["weights"][0][2] = 1e10
    found, said = errors(Desk(schema.dump(huge)), "7,UA,3\n7,UA,1e307\n7,UA,-1e305", **CSV)
    assert found == ["csv line 2", "csv line 3"] and "not finite" in said["detail"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
CELL = SCALARS | st.sampled_from(["UA", 7, 3.5])
ROWS = st.lists(
    st.fixed_dictionaries({}, optional=dict.fromkeys([*COLUMNS, "flight_id", "x"], CELL))
    | st.tuples(CELL, CELL, CELL).map(list),
    min_size=1,
    max_size=4,
)


@given(ROWS)
def test_a_request_is_answered_whole_or_each_wrong_row_is_named(rows):
    desk = Desk()
    status, _, body, _ = desk.ask(rows)
    alone = [desk.ask([row])[0] for row in rows]
    assert status == max(alone)
    if status == 400:
        wrong = {e["field"].split("]")[0] for e in body["errors"]}
        bad = [f"instances[{i}" for i, code in enumerate(alone) if code == 400]
        assert wrong <= set(bad) and (len(body["errors"]) == MOST_MISTAKES or wrong == set(bad))


WORDS = ["instances", "dataframe_records", "dataframe_split", "inputs", "parameters", "params"]
WORDS += ["columns", "data", "index", "explain", *COLUMNS, "flight_id", "sched_dep"]
ANY = st.recursive(
    CELL | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
SHAPED = st.dictionaries(st.sampled_from(WORDS), ANY | ROWS, min_size=1, max_size=3)
TABLES = st.lists(st.lists(CELL | st.sampled_from(COLUMNS), max_size=4), max_size=4).map(
    lambda rows: "\n".join(",".join(map(str, row)) for row in rows)
)


@settings(max_examples=200, deadline=None)
@given(
    SHAPED.map(json.dumps) | ANY.map(json.dumps) | TABLES | st.text(max_size=20),
    st.sampled_from(["application/json", "text/csv", "text/csv;header=present", "text/html"]),
    st.sampled_from(["*/*", "text/csv"]),
)
def test_law_10_any_body_of_any_type_is_answered_or_refused_by_a_document(body, kind, accept):
    desk = Desk(plan(background=True))
    status, _, said, _ = desk.send(body, content_type=kind, accept=accept)
    assert status in (200, 400, 415), said
    assert status != 200 or kind != "text/html"
    if status != 200:
        assert said["status"] == status and said["detail"] and not desk.said
    elif accept == "*/*":
        assert all(0 <= row["probability"] <= 1 for row in said["predictions"])


@given(st.lists(st.floats(0, 1), max_size=5), st.text(), st.text())
def test_what_is_written_by_hand_is_what_would_be_encoded(scores, no, yes):
    scorer = load(plan(classes=(no, yes if yes != no else yes + "x")))
    ids = prediction_ids("r", 1, len(scores))
    assert json.loads(told(scorer, ids, scores)) == predictions(scorer, ids, scores)


# --- answers ------------------------------------------------------------------------------------


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("classes", [("0", "1"), ("a", "b,", 'c"'), None])
def test_a_csv_answer_says_the_same_as_json(classes):
    desk = Desk(plan(classes=classes))
    expected = desk.ask([ROW, ROW | {"hour": 23}])[2]["predictions"]
    body = json.dumps({"instances": [ROW, ROW | {"hour": 23}]})
    status, headers, text, lines = desk.send(body, accept="application/json;q=0.1, text/csv")
    assert status == 200 and headers["content-type"].startswith("text/csv")
    assert headers["x-driftloop-version"] == "1" and lines[0]["capture"] == 1
    for row, document in zip(table(text), expected, strict=True):
        assert row.pop("id") == document["id"]
        assert row.pop("value") == str(document["value"])
        rest = document.get("probabilities", {"": document.get("probability")})
        assert [float(v) for v in row.values()] == [v for v in rest.values() if v is not None]


def test_a_mistake_is_json_whatever_was_asked_for():
    found, _ = errors(Desk(), {"instances": [{}]}, accept="text/csv")
    assert found == ["instances[0].hour", "instances[0].carrier"]


@pytest.mark.parametrize(
    "asked",
    [{"parameters": {"explain": True}}, {"params": {"explain": True}}, {}],
)
def test_reasons_sum_to_the_answer(asked):
    query = None if asked else {"explain": "true"}
    body = json.dumps({"instances": [ROW, ROW | {"hour": 23}], **asked})
    status, _, said, _ = Desk(plan(background=True)).send(body, query=query)
    assert status == 200
    for row in said["predictions"]:
        reasons = row["explanation"]
        assert list(reasons["contributions"]) == COLUMNS and reasons["scale"] == "log-odds"
        total = reasons["base"] + sum(reasons["contributions"].values())
        assert 1 / (1 + math.exp(-total)) == pytest.approx(row["probability"], abs=1e-12)


def test_reasons_of_many_classes_are_by_class():
    body = json.dumps({"instances": [ROW], "parameters": {"explain": True}})
    _, _, said, _ = Desk(plan(background=True, classes=("a", "b", "c"))).send(body)
    (row,) = said["predictions"]
    assert list(row["explanation"]["classes"]) == ["a", "b", "c"]


def test_reasons_that_cannot_be_given_are_refused_by_a_sentence():
    body = {"instances": [ROW], "parameters": {"explain": True}}
    status, _, said, _ = Desk(plan(background=False)).send(json.dumps(body))
    assert status == 400 and "cannot say why" in said["detail"]
    status, _, said, _ = Desk(plan(background=True)).send(json.dumps(body), accept="text/csv")
    assert status == 400 and "JSON" in said["detail"]
    many = json.dumps({**body, "instances": [ROW] * 101})
    assert Desk(plan(background=True)).send(many)[0] == 413


def test_reasons_too_extreme_to_be_written_are_refused():
    huge = json.loads(plan(background=True))
    huge["model"]["weights"][0][2] = 1e10
    desk = Desk(schema.dump(huge))
    row = ROW | {"temp": 1e300}  # the log-odds overflow, their probability does not
    assert desk.ask([row])[2]["predictions"][0]["probability"] == 1.0
    body = {"instances": [ROW, row], "params": {"explain": True}}
    status, _, said, _ = desk.send(json.dumps(body))
    assert status == 400 and said["errors"][0]["field"] == "instances[1]"


@pytest.mark.parametrize("value", [0.0, -7.5, 1.7e308])
def test_a_regression_says_where_the_truth_lies(value):
    scorer = load(plan(classes=None, interval={"confidence": 0.9, "low": -1e308, "high": 2.0}))
    span = predictions(scorer, ["x"], [value])[0]["interval"]
    assert span["confidence"] == 0.9 and span["low"] <= value <= span["high"]
    assert math.isfinite(span["low"]) and math.isfinite(span["high"])
