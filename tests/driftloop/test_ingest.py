"""Ingest: every row is in a part or in quarantine, and repeating it changes nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import dataset, keys
from driftloop.csvfile import LARGEST, open_csv
from driftloop.errors import NotFound, TooManyRejected, UnreadableFile, WrongColumns
from driftloop.ingest import Upload, ingest, read
from driftloop.spec import Spec
from infra.stages import LABELS, WORKFLOW
from tests.driftloop.memory import Crash, Memory

NOW = "2013-02-01T00:00:00.000Z"
HEADER = "id,at,hour,carrier,temp,late"


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
                "carrier": {"type": "category", "max_categories": 3},
                "temp": {"type": "number", "nullable": True},
            },
            "data": {"reject_above": 0.5, **data},
        }
    )


def row(number: int, **changed: str) -> str:
    fields = {"id": f"k{number}", "at": "2013-01-05T10:00:00Z", "hour": "7", "carrier": "AA",
              "temp": "1.5", "late": "0"}  # fmt: skip
    return ",".join({**fields, **changed}.values())


def file(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def run(store: Memory, spec: Spec, *files: bytes) -> dict[str, Any]:
    uploads = [Upload("landing", f"incoming/toy/{i}.csv", "v1") for i in range(len(files))]
    return ingest(store, spec, uploads, lambda u: files[uploads.index(u)], NOW)


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"hour": "noon"}, "hour", "not_a_number"),
        ({"hour": "1_0"}, "hour", "not_a_number"),
        ({"hour": ""}, "hour", "null"),
        ({"hour": "NaN"}, "hour", "null"),
        ({"hour": "inf"}, "hour", "not_finite"),
        ({"temp": "1e999"}, "temp", "not_finite"),
        ({"hour": "-1"}, "hour", "below_min"),
        ({"hour": "24"}, "hour", "above_max"),
        ({"carrier": ""}, "carrier", "null"),
        ({"carrier": "A" * 300}, "carrier", "too_long"),
        ({"at": "yesterday"}, "at", "not_a_time"),
        ({"at": ""}, "at", "null"),
        ({"late": ""}, "late", "null"),
        ({"id": ""}, "id", "null"),
        ({"id": "k1"}, "id", "duplicate"),
        ({"temp": "1,5"}, "", "unreadable_row"),
        ({"temp": '"x"y'}, "", "unreadable_row"),
    ],
)
def test_a_bad_row_is_quarantined_with_line_field_rule_and_text(
    changed: dict[str, str], field: str, rule: str
) -> None:
    bad = row(2, **changed)
    checked = read(file(row(1), bad, row(3)), make_spec())
    assert checked.accepted == 2
    (rejected,) = checked.rejected
    assert (rejected.line, rejected.field, rejected.rule) == (3, field, rule)
    assert rejected.text == bad


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableFile, "empty"),
        (b"\n\n", UnreadableFile, "empty"),
        (HEADER.encode() + b"\n", UnreadableFile, "no rows"),
        (b"PAR1 whatever", UnreadableFile, "Parquet"),
        (b"id\0hour", UnreadableFile, "NUL byte in line 1"),
        (file(row(1)) + "München".encode("latin-1"), UnreadableFile, "not UTF-8: byte 0xfc"),
        (file(row(1)).decode().encode("utf-16"), UnreadableFile, "UTF-16"),
        (b"hello world\nthis is prose\n", UnreadableFile, "not CSV"),
        (b'{"id": 1, "hour": 2}\n', WrongColumns, "missing 'hour'"),
        (gzip.compress(file(row(1)))[:-9], UnreadableFile, "damaged"),
        (file("1", header="id,at,hour,carrier,late"), WrongColumns, "missing 'temp'"),
        (file("1", header=HEADER + ",oops"), WrongColumns, "unknown 'oops'"),
        (file("1", header=HEADER + ",id"), WrongColumns, "doubled 'id'"),
    ],
)
def test_a_bad_file_is_refused_by_name(data: bytes, error: type[Exception], words: str) -> None:
    store = Memory()
    with pytest.raises(error, match=words):
        run(store, make_spec(), data)
    (report,) = [json.loads(v) for k, v in store.objects.items() if k.endswith("report.json")]
    assert report["error"]["name"] == error.__name__
    assert not any("/parts/" in key for key in store.objects)


def test_columns_may_come_in_any_order_delimiter_with_bom_and_packed() -> None:
    plain = read(file(row(1), row(2)), make_spec())
    turned = io.StringIO()
    writer = csv.writer(turned, delimiter=";")
    for line in file(row(1), row(2)).decode().splitlines():
        writer.writerow(reversed(line.split(",")))
    packed = gzip.compress(b"\xef\xbb\xbf" + turned.getvalue().encode())
    again = read(packed, make_spec())
    assert plain.rows is not None and again.rows is not None
    assert plain.rows.digest() == again.rows.digest()


def test_a_stray_quote_costs_one_line_not_the_file() -> None:
    rows = [row(i) for i in range(50)]
    rows[10] = row(10, carrier='"AA')
    checked = read(file(*rows), make_spec())
    assert [r.line for r in checked.rejected] == [12]
    assert checked.accepted == 49


def test_a_quoted_newline_is_one_row_and_lines_stay_right() -> None:
    checked = read(file(row(1, carrier='"A\nA"'), row(2, hour="x")), make_spec())
    assert checked.accepted == 1
    assert checked.rejected[0].line == 4


def test_a_new_category_is_welcome_until_there_are_too_many() -> None:
    rows = [row(i, carrier="ABCD"[min(i, 3)] if i < 4 else "A") for i in range(9)]
    checked = read(file(*rows), make_spec())
    assert [(r.line, r.rule) for r in checked.rejected] == [(5, "too_many_categories")]


def test_too_many_bad_rows_refuse_the_upload_with_counts_and_keep_every_row_law_1() -> None:
    store = Memory()
    data = file(row(1, hour="x"), row(2, hour="99"), row(3, hour="x"), row(4))
    with pytest.raises(TooManyRejected, match=r"3 of 4 .*not_a_number in hour ×2, above_max"):
        run(store, make_spec(), data)
    (key,) = [k for k in store.objects if k.endswith(".jsonl.gz")]
    kept = [json.loads(line) for line in gzip.decompress(store.objects[key]).splitlines()]
    assert [k["line"] for k in kept] == [2, 3, 4, 5]
    assert kept[-1]["rule"] == "upload_refused"


def test_duplicates_are_dropped_with_a_reason_and_do_not_refuse_the_upload() -> None:
    checked = read(file(*[row(1)] * 9), make_spec(reject_above=0.0))
    assert (checked.accepted, len(checked.rejected), checked.refusal) == (1, 8, None)
    assert read(file(*[row(1)] * 9), make_spec(duplicates="keep")).accepted == 9


def test_one_refused_upload_does_not_stop_the_others() -> None:
    store = Memory()
    answer = run(store, make_spec(), b"", file(row(1)), file(row(2, hour="x"), row(3)))
    assert answer["accepted"] == 2 and answer["rejected"] == 1
    assert [r["error"] for r in answer["refused"]] == ["UnreadableFile"]
    assert len(answer["parts"]) == 2 and answer["dataset"]


def test_without_uploads_the_dataset_of_now_is_resolved() -> None:
    store = Memory()
    assert run(store, make_spec())["dataset"] is None
    first = run(store, make_spec(), file(row(1)))
    assert run(store, make_spec())["dataset"] == first["dataset"]


def test_an_object_that_is_gone_is_a_named_refusal() -> None:
    def gone(upload: Upload) -> bytes:
        raise NotFound("s3://landing/x: there is no such thing")

    with pytest.raises(NotFound, match="incoming/toy/x"):
        ingest(Memory(), make_spec(), [Upload("landing", "incoming/toy/x")], gone, NOW)


def test_the_window_leaves_old_parts_out() -> None:
    store, spec = Memory(), make_spec(window="30d")
    run(store, spec, file(row(1, at="2012-06-01T00:00:00Z")))
    later = run(store, spec, file(row(2)))
    found = dataset.load(store, "toy", later["dataset"])
    assert [p.sha256 for p in found.parts] == later["parts"]


def test_from_any_crash_point_repeating_gives_the_same_store_law_2() -> None:
    data = file(row(1), row(2, hour="x"), row(3))
    whole = Memory()
    answer = run(whole, make_spec(), data)
    for point in range(len(whole.writes)):
        store = Memory(crash_at=point)
        with pytest.raises(Crash):
            run(store, make_spec(), data)
        store.crash_at = None
        assert run(store, make_spec(), data) == answer
        assert store.objects == whole.objects
    before = len(whole.writes)
    assert run(whole, make_spec(), data) == answer
    assert not any("/parts/" in key or "/datasets/" in key for key in whole.writes[before:])


cells = st.one_of(
    st.sampled_from(["7", "0", "23", "24", "-1", "", "NaN", "inf", "x", "AA", "B", "1e400", " 5 ",
                     "2013-01-05T10:00:00Z", "2013-13-05", "1.0", '"', '""', "a\nb", "a\r\nb", "\r",
                     ";", ",", "k1", "é", "\u2028", "\x0b", "true", "0x1F", "１"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5),
)  # fmt: skip


@st.composite
def messy(draw: st.DrawFn) -> tuple[str, bytes]:
    """A CSV text: clean rows, odd cells, wrong widths, stray quotes, any line end."""
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    rows = []
    for number in range(draw(st.integers(1, 15))):
        kind = draw(st.sampled_from(["clean", "cell", "width", "raw"]))
        out = io.StringIO()
        fields = row(number).split(",")
        if kind == "cell":
            fields[draw(st.integers(0, 5))] = draw(cells)
        elif kind == "width":
            fields = draw(st.lists(cells, min_size=1, max_size=8))
        csv.writer(out, lineterminator="").writerow(fields)
        rows.append(draw(cells) if kind == "raw" else out.getvalue())
    text = end.join([HEADER, *rows]) + draw(st.sampled_from(["", end]))
    return text, text.encode()


@settings(max_examples=150, deadline=None)
@given(messy())
def test_law_1_accepted_and_quarantined_rows_are_the_input(sample: tuple[str, bytes]) -> None:
    text, data = sample
    spec = make_spec(reject_above=1.0)
    try:
        checked = read(data, spec)
    except UnreadableFile as error:
        assert "no rows" in str(error)
        return
    opened = open_csv(data, spec.columns)
    records = list(opened.records())
    assert checked.accepted + len(checked.rejected) == checked.total == len(records)
    lines = [r.line for r in checked.rejected]
    assert lines == sorted(set(lines))
    # Every physical line that is not blank belongs to exactly one record.
    covered = [n for r in records for n in range(r.line, r.last + 1)]
    assert len(covered) == len(set(covered))
    physical = list(io.StringIO(text, newline=""))
    for number in range(2, len(physical) + 1):
        assert number in covered or not physical[number - 1].strip("\r\n")
    for rejected in checked.rejected:
        assert physical[rejected.line - 1].startswith(rejected.text.split("\n")[0].split("\r")[0])
    # What the part holds comes back from Parquet as the same rows.
    if checked.rows:
        store = Memory()
        name = dataset.add_part(store, spec, checked.rows, NOW, "upload", {})
        assert keys.part("toy", name) in store.objects
        found = dataset.current(store, spec)
        assert found is not None
        (back,) = dataset.read_parts(store, spec, found.parts)
        assert back.digest() == name


@pytest.mark.slow
def test_a_month_of_flights_takes_a_moment() -> None:
    rows = [row(i, hour=str(i % 24), temp=str(i / 7)) for i in range(27_000)]
    data = gzip.compress(file(*rows))
    started = time.perf_counter()
    assert run(Memory(), make_spec(), data)["accepted"] == 27_000
    assert time.perf_counter() - started < 5


def test_a_long_text_that_is_nearly_a_number_is_refused_at_once() -> None:
    started = time.process_time()
    checked = read(file(row(1), row(2, temp="1" * 100_000 + "x")), make_spec())
    assert checked.rejected[0].rule == "not_a_number"
    assert time.process_time() - started < 5


def test_the_largest_file_fits_the_memory_of_the_functions_that_read_it() -> None:
    """Measured: 19 bytes of memory for each byte of the flights, and 150 MiB besides."""
    readers = [stage for stage in (*WORKFLOW, LABELS) if stage.landing]
    assert min(stage.memory for stage in readers) << 20 > 150 * 2**20 + 25 * LARGEST


def test_a_row_from_the_future_is_quarantined_and_the_window_stays() -> None:
    """One mistyped year would push all other rows out of ``data.window`` for good."""
    spec = Spec.parse(
        {
            "name": "m", "task": "classification", "target": "y", "time": "at",
            "features": {"x": {"type": "number"}}, "data": {"reject_above": 0.5, "window": "60d"},
        }
    )  # fmt: skip
    data = b"x,at,y\n1,2013-01-01,0\n2,2013-02-01T23:00:00Z,1\n3,2103-01-01,0\n"
    checked = read(data, spec, "2013-02-01T00:00:00.000Z")
    assert checked.accepted == 2
    assert [(r.line, r.rule) for r in checked.rejected] == [(4, "in_the_future")]
