"""Every row predicted or rejected, as the endpoint would, the same bytes however it was cut."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import captured, keys
from driftloop.batch import sample
from driftloop.errors import DataError, IntegrityError, NotFound, UnreadableFile, WrongColumns
from driftloop.ids import id_ms, prediction_ids
from driftloop.plan import load, schema
from tests.driftloop.batch.batching import Bench, as_csv, as_jsonl, as_parquet
from tests.driftloop.memory import Crash
from tests.driftloop.plans import NOW, Desk, plan

HOURS = ["3", "7.25", "23", "24", "-1", "noon", "", "NA", "1e999"]
cell_rows = st.lists(
    st.fixed_dictionaries(
        {
            "flight_id": st.sampled_from(["a1", "b,2", 'c"3', "line\nend", ""]),
            "hour": st.sampled_from(HOURS),
            "carrier": st.sampled_from(["UA", "AA", "new one", "é", ""]),
            "temp": st.sampled_from(["3.5", "-40", "null", "", "warm"]),
            "late": st.sampled_from(["0", "1", "who knows"]),
        }
    ),
    min_size=1, max_size=60,
)  # fmt: skip
json_rows = st.lists(
    st.fixed_dictionaries(
        {"hour": st.sampled_from([3, 7.25, 24, None, "3", True, [1], 10**400])},
        optional={
            "flight_id": st.sampled_from(["a1", 7, None, 1.5, True, "\ud800"]),
            "carrier": st.sampled_from(["UA", "", "new", 5, None, {"a": 1}, "\udfff"]),
            "temp": st.sampled_from([3.5, -2, None, "warm"]),
            "late": st.just(1),
        },
    ),
    min_size=1, max_size=60,
)  # fmt: skip


def numbered(report: dict[str, Any], bench: Bench) -> list[int]:
    found = [int(p["line"]) for p in bench.predictions(report)]
    refused = [r["line"] for r in bench.rejects(report)]
    assert found == sorted(found) and refused == sorted(refused)
    assert (report["predicted"], report["rejected"]) == (len(found), len(refused))
    assert report["rows"] == len(found) + len(refused)
    return sorted(found + refused)


@given(cell_rows, st.integers(20, 400), st.booleans(), st.randoms())
@settings(max_examples=30)
def test_chunks_of_csv_give_the_bytes_of_a_single_pass(
    rows: list[dict[str, str]], size: int, packed: bool, random: Any
) -> None:
    data = as_csv(rows)
    data = gzip.compress(data, mtime=0) if packed else data
    one, many = Bench.new(), Bench.new()
    report = one.run(one.land(data))
    batch = many.land(data)
    assert many.run(batch, size) == report
    assert many.left() == one.left()
    lines = numbered(report, one)
    assert len(lines) == len(rows) == len(set(lines))


@given(json_rows, st.integers(20, 400))
@settings(max_examples=30)
def test_json_lines_are_answered_as_the_endpoint_answers_them(
    rows: list[dict[str, Any]], size: int
) -> None:
    one, many = Bench.new(), Bench.new()
    report = one.run(one.land(as_jsonl(rows)))
    assert many.run(many.land(as_jsonl(rows)), size) == report and many.left() == one.left()
    assert numbered(report, one) == list(range(1, len(rows) + 1))
    desk = Desk(one.plan)
    predicted = {p["line"]: p for p in one.predictions(report)}
    refused = {r["line"]: {r["field"], *r.get("also", ())} for r in one.rejects(report)}
    for line, row in enumerate(rows, 1):
        sent = {name: value for name, value in row.items() if name != "late"}
        status, _, body, _ = desk.ask([sent])
        assert (status == 200) == (line in predicted), (row, body)
        if status != 200 and "errors" in body:
            assert refused[line] == {e["field"].split(".")[-1] for e in body["errors"]}
        if status == 200:
            (answer,) = body["predictions"]
            found = predicted[line]
            assert (found["value"], found["probability"]) == (
                answer["value"], answer["probability"],
            )  # fmt: skip
            assert found["flight_id"] == row.get("flight_id")


@given(cell_rows, st.integers(1, 30))
@settings(max_examples=30)
def test_row_groups_of_parquet_give_the_bytes_of_a_single_pass(
    rows: list[dict[str, str]], group: int
) -> None:
    table = [
        {"hour": float(at % 25), "carrier": row["carrier"], "flight_id": at, "temp": None}
        for at, row in enumerate(rows)
    ]
    one, many = Bench.new(), Bench.new()
    data = as_parquet(table, group)
    report = one.run(one.land(data))
    assert many.run(many.land(data), 1) == report
    assert many.left() == one.left()
    assert numbered(report, one) == list(range(1, len(rows) + 1))
    for found in one.predictions(report):
        assert found["flight_id"] == str(found["line"] - 1)


@given(cell_rows, st.integers(0, 40))
@settings(max_examples=30)
def test_a_batch_that_died_anywhere_goes_on_and_scores_no_chunk_twice(
    rows: list[dict[str, str]], crash: int
) -> None:
    data = as_csv(rows)
    whole, died = Bench.new(), Bench.new()
    whole.run(whole.land(data), 200)
    died.store.crash_at = crash
    batch = died.land(data)
    try:
        died.run(batch, 200)
    except Crash:
        died.store.crash_at = None
        died.run(batch, 200)
    assert died.left() == whole.left()
    scored = [key for key in died.store.writes if keys.passing(key) and key.endswith(".json")]
    chunks = [key for key in scored if key.split("/")[-1][:5].isdigit()]
    assert len(chunks) == len(set(chunks))


def test_the_numbers_of_csv_are_those_the_endpoint_gives() -> None:
    rows = [{"hour": f"{h / 7}", "carrier": "UA", "temp": f"{h / 3}"} for h in range(60)]
    bench = Bench.new()
    report = bench.run(bench.land(as_csv(rows)))
    sent = [{"hour": float(r["hour"]), "carrier": "UA", "temp": float(r["temp"])} for r in rows]
    _, _, body, _ = Desk(bench.plan).ask(sent)
    found = [(p["value"], p["probability"]) for p in bench.predictions(report)]
    assert found == [(p["value"], repr(p["probability"])) for p in body["predictions"]]
    assert report["columns"] == ["line", "id", "value", "probability", "version"]
    assert {p["version"] for p in bench.predictions(report)} == {"3"}


@pytest.mark.parametrize("form", [as_csv, as_jsonl, as_parquet])
def test_classes_and_numbers_have_columns_of_their_own(form: Any) -> None:
    rows = [{"hour": 3.0, "carrier": "UA", "temp": 1.5, "flight_id": "a"}]
    bench = Bench.new(plan(classes=("no", "maybe", "yes")))
    report = bench.run(bench.land(form(rows)))
    names = ["probability_no", "probability_maybe", "probability_yes"]
    assert report["columns"] == ["line", "id", "flight_id", "value", *names, "version"]
    (found,) = bench.predictions(report)
    given = found["probabilities"].values() if form is as_jsonl else [found[n] for n in names]
    assert sum(map(float, given)) == pytest.approx(1)
    bench = Bench.new(plan(classes=None), task="regression", target="delay")
    (found,) = bench.predictions(bench.run(bench.land(form(rows))))
    assert float(found["value"]) == pytest.approx(-1 + 0.3 - 0.075)


def test_a_key_that_is_named_like_one_of_our_columns_is_called_key() -> None:
    bench = Bench.new(key="id")
    rows = [{"hour": 3, "carrier": "UA", "temp": 1, "id": "mine"}]
    (found,) = bench.predictions(bench.run(bench.land(as_csv(rows))))
    assert found["key"] == "mine" and found["id"] != "mine"


def test_rejects_say_line_field_and_reason() -> None:
    data = b'hour,carrier,temp\n3,UA,1\nnoon,UA,1\n3,,1\n3,UA\n99,UA,"a\nb"\n\xff,UA,1\n'
    bench = Bench.new()
    report = bench.run(bench.land(data))
    found = {r["line"]: (r["field"], r["reason"]) for r in bench.rejects(report)}
    assert found[3] == ("hour", "should be a number, not 'noon'")
    assert found[4] == ("carrier", "is required")
    assert found[5][0] == "" and "2 fields" in found[5][1]
    assert found[6][0] == "hour" and "above the greatest allowed, 23" in found[6][1]
    assert report["rejected_by"] == {"": 2, "carrier": 1, "hour": 2}
    assert [r["line"] for r in report["examples"]] == [3, 4, 5, 6, 8]
    assert bench.rejects(report)[3]["text"] == '99,UA,"a\nb"'


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"", UnreadableFile, "empty"),
        (b"hour,carrier,temp\n", UnreadableFile, "no rows"),
        (b"hour,carrier\n1,UA\n", WrongColumns, "missing 'temp'. Expected: 'hour', 'car"),
        (b"hour,carrier,temp,wind\n1,UA,1,1\n", WrongColumns, "unknown 'wind'"),
        (b"hour,hour,carrier,temp\n1,1,UA,1\n", WrongColumns, "doubled 'hour'"),
        (b"PAR1 and then nothing of it", UnreadableFile, "cut off"),
        (gzip.compress(b"hour,carrier,temp\n1,UA,1\n" * 9, mtime=0)[:-12], UnreadableFile, "gzip"),
    ],
    ids=["empty", "no rows", "missing", "unknown", "doubled", "damaged", "cut off"],
)
def test_a_file_that_cannot_be_scored_is_refused(
    data: bytes, error: type[DataError], said: str
) -> None:
    bench = Bench.new()
    with pytest.raises(error, match=said):
        bench.run(bench.land(data))
    assert not [key for key in bench.left() if "predictions." in key or "captures" in key]


def test_further_columns_are_ignored_where_the_spec_says_so() -> None:
    bench = Bench.new(data={"other_columns": "ignore"})
    rows = [{"hour": 3, "carrier": "UA", "temp": 1, "wind": 9}]
    assert bench.run(bench.land(as_csv(rows)))["predicted"] == 1
    rows = [{"hour": 3, "carrier": "UA", "temp": 1, "late": 1, "sched_dep": "never"}]
    strict = Bench.new()
    assert strict.run(strict.land(as_csv(rows)))["predicted"] == 1


def test_captures_are_what_the_monitor_reads() -> None:
    rows = [{"flight_id": f"f{n}", "hour": n % 24, "carrier": "UA", "temp": ""} for n in range(100)]
    bench = Bench.new(capture={"sample": 0.5, "redact": ["carrier"]})
    report = bench.run(bench.land(as_csv(rows)), 300)
    (key,) = [key for key in bench.left() if "/captures/" in key]
    assert key.startswith("flights/captures/version=000003/dt=2013-02-01/hour=00/batch-")
    records = list(captured.read(bench.store, [key]))  # type: ignore[arg-type]
    assert report["captured"] == len(records) and 25 < len(records) < 75
    predicted = {p["id"]: p for p in bench.predictions(report)}
    for record in records:
        found = predicted[record["id"]]
        assert record["role"] == "batch" and record["key"] == found["flight_id"]
        assert record["prediction"] == float(found["probability"])
        assert record["features"]["carrier"] is None and record["features"]["temp"] is None
        assert id_ms(record["id"]) == record["time"] == NOW


@given(st.integers(1, 30), st.permutations(range(60)), st.integers(1, 59))
def test_a_sample_is_the_same_however_it_was_cut(most: int, order: list[int], cut: int) -> None:
    records = [{"id": name} for name in prediction_ids("r", NOW, 60)]
    whole = sample.Sample(0.8, most)
    for at in order:
        if whole.wants(records[at]["id"]):
            whole.add(records[at])
    merged = sample.Sample(0.8, most)
    for part in (order[:cut], order[cut:]):
        one = sample.Sample(0.8, most)
        for at in part:
            if one.wants(records[at]["id"]):
                one.add(records[at])
        merged.add_sorted(one.records())
    assert merged.records() == whole.records()
    assert len(whole.records()) <= most


def test_law_7_a_plan_that_was_swapped_scores_nothing() -> None:
    bench = Bench.new()
    batch = bench.land(b"hour,carrier,temp\n1,UA,1\n")
    with pytest.raises(IntegrityError):
        load(plan(intercept=9.0), batch.served.sha256)


def test_another_version_of_the_model_takes_no_chunk_of_the_first() -> None:
    data = as_csv([{"hour": 3, "carrier": "UA", "temp": 1}])
    bench = Bench.new()
    first = bench.predictions(bench.run(bench.land(data)))
    bench.plan = plan(intercept=2.0)
    second = bench.predictions(bench.run(bench.land(data)))
    assert first[0]["probability"] != second[0]["probability"]


def test_what_was_not_scored_cannot_be_merged() -> None:
    bench = Bench.new()
    batch = bench.land(as_csv([{"hour": 3, "carrier": "UA", "temp": 1}] * 50))
    with pytest.raises(NotFound):
        bench.run(batch, 100, order=[0])


def test_what_is_no_data_asks_for_nothing() -> None:
    bench = Bench.new()
    with pytest.raises(AssertionError):
        bench.land(b"", "folder/")
    with pytest.raises(AssertionError):
        bench.land(b"", "out/_SUCCESS")


def test_law_10_a_row_without_a_finite_answer_is_a_reject() -> None:
    body = json.loads(plan(classes=None))
    body["model"]["weights"][0][2] = 1e10
    bench = Bench.new(schema.dump(body), task="regression", target="delay")
    rows = [{"hour": 3, "carrier": "UA", "temp": t} for t in (1, 1e300, 2, -1e300, 3)]
    report = bench.run(bench.land(as_csv(rows)))
    assert [r["line"] for r in bench.rejects(report)] == [3, 5]
    assert {r["reason"] for r in bench.rejects(report)} == {
        "the numbers are so extreme that the answer is not finite"
    }
    assert [p["line"] for p in bench.predictions(report)] == ["2", "4", "6"]
