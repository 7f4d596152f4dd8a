"""Ingest: every row is in a part or in quarantine, and repeating it changes nothing."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftloop import keys
from driftloop.checking import late
from driftloop.data import dataset
from driftloop.errors import (
    ExpectationFailed,
    NotFound,
    TooManyRejected,
    UnreadableFile,
    WrongColumns,
)
from driftloop.ingest import ingest, merge
from driftloop.spec import Spec
from driftloop.uploads.division import MOST_PIECES
from driftloop.uploads.pieces import check
from driftloop.uploads.upload import Upload
from tests.driftloop.intaking import (
    NOW,
    lasting,
    quarantined,
    read_parts,
    report,
    take_in,
    world,
)
from tests.driftloop.memory import Crash, Memory

HEADER = "id,at,hour,carrier,temp,late"


def make_spec(features: dict[str, Any] | None = None, **data: Any) -> Spec:
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
                **(features or {}),
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
    """Take in the files, one after the other, as one run's uploads."""
    _, landing, uploads = world(*files)
    store.others = {"landing": landing}
    return take_in(store, landing, spec, uploads)


def one(spec: Spec, data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Report and quarantined rows of one file that is not refused."""
    store, landing, uploads = world(data)
    take_in(store, landing, spec, uploads)
    return report(store, uploads[0]), quarantined(store, uploads[0])


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"hour": "noon"}, "hour", "not_a_number"),
        ({"hour": ""}, "hour", "null"),
        ({"temp": "1e999"}, "temp", "not_finite"),
        ({"hour": "24"}, "hour", "above_max"),
        ({"carrier": "A" * 300}, "carrier", "too_long"),
        ({"at": "yesterday"}, "at", "not_a_time"),
        ({"late": ""}, "late", "null"),
        ({"id": "k1"}, "id", "duplicate"),
        ({"temp": "1,5"}, "", "unreadable_row"),
        ({"temp": '"x"y'}, "", "unreadable_row"),
    ],
)
def test_a_bad_row_is_quarantined_with_line_field_rule_and_text(
    changed: dict[str, str], field: str, rule: str
) -> None:
    bad = row(2, **changed)
    told, rejected = one(make_spec(), file(row(1), bad, row(3)))
    assert (told["total"], told["accepted"], told["rejected"]) == (3, 2, 1)
    assert told["reasons"] == {f"{rule}|{field}": 1} and told["rules"] == {rule: 1}
    assert [(r["line"], r["field"], r["rule"], r["text"]) for r in rejected] == [
        (3, field, rule, bad)
    ]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableFile, "empty"),
        (b"\n\n", UnreadableFile, "empty"),
        (HEADER.encode() + b"\n", UnreadableFile, "no rows"),
        (b"PAR1 whatever", UnreadableFile, "Parquet"),
        (file(row(1)).decode().encode("utf-16"), UnreadableFile, "UTF-16"),
        (b"hello world\nthis is prose\n", UnreadableFile, "not CSV"),
        (gzip.compress(file(row(1)), mtime=0)[:-9], UnreadableFile, "damaged"),
        (file("1", header="id,at,hour,carrier,late"), WrongColumns, "missing 'temp'"),
        (file("1", header=HEADER + ",oops"), WrongColumns, "unknown 'oops'"),
        (file("1", header=HEADER + ",id"), WrongColumns, "doubled 'id'"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_kept_bit_for_bit(
    data: bytes, error: type[Exception], words: str
) -> None:
    store, landing, uploads = world(data)
    with pytest.raises(error, match=words):
        take_in(store, landing, make_spec(), uploads)
    told = report(store, uploads[0])
    assert told["error"]["name"] == error.__name__
    assert not any("/parts/" in key or "/facts/" in key for key in store.objects)
    assert told["originals"] == [keys.original("toy", uploads[0].name)]
    assert store.objects[told["originals"][0]] == data


def test_columns_may_come_in_any_order_delimiter_with_bom_and_packed() -> None:
    turned = io.StringIO()
    writer = csv.writer(turned, delimiter=";")
    for line in file(row(1), row(2)).decode().splitlines():
        writer.writerow(reversed(line.split(",")))
    packed = gzip.compress(b"\xef\xbb\xbf" + turned.getvalue().encode())
    plain = one(make_spec(), file(row(1), row(2)))[0]
    assert one(make_spec(), packed)[0]["parts"] == plain["parts"]


def test_the_report_says_how_the_file_was_read() -> None:
    told, _ = one(make_spec(), file(row(1)).replace(b",", b";"))
    assert told["format"] == "csv" and told["shape"]["delimiter"] == ";"
    assert told["shape"]["header"] == HEADER.split(",")
    assert [f["key"] for f in told["files"]] == ["incoming/toy/0.csv"]


def test_too_many_bad_rows_refuse_the_upload_with_counts_and_keep_every_row_law_1() -> None:
    data = file(row(1, hour="x"), row(2, hour="99"), row(3, hour="x"), row(4))
    store, landing, uploads = world(data)
    with pytest.raises(TooManyRejected, match=r"3 of 4 .*not_a_number in hour ×2, above_max"):
        take_in(store, landing, make_spec(), uploads)
    told = report(store, uploads[0])
    assert [told[n] for n in ("total", "accepted", "rejected", "refused_rows")] == [4, 0, 3, 1]
    assert [r["line"] for r in quarantined(store, uploads[0])] == [2, 3, 4]
    assert store.objects[keys.original("toy", uploads[0].name)] == data
    assert not any("/parts/" in key or "/facts/" in key for key in store.objects)


def test_a_broken_expectation_refuses_the_upload() -> None:
    store, landing, uploads = world(file(row(1), row(2)))
    with pytest.raises(ExpectationFailed, match="2 accepted rows"):
        take_in(store, landing, make_spec(expect={"rows": ">= 3"}), uploads)
    told = report(store, uploads[0])
    assert (told["refused_rows"], told["parts"]) == (2, [])


def test_duplicates_are_dropped_with_a_reason_and_do_not_refuse_the_upload() -> None:
    told, rejected = one(make_spec(reject_above=0.0), file(*[row(1)] * 9))
    assert (told["accepted"], len(rejected), told["error"]) == (1, 8, None)
    assert one(make_spec(duplicates="keep"), file(*[row(1)] * 9))[0]["accepted"] == 9


def test_the_same_rows_again_are_known() -> None:
    store, landing, uploads = world(file(row(1)), file(row(1)))
    answer = take_in(store, landing, make_spec(), uploads)
    assert len(answer["parts"]) == 1
    assert report(store, uploads[0])["known"] == {}
    assert report(store, uploads[1])["known"] == {answer["parts"][0]: uploads[0].name}


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
    with pytest.raises(NotFound, match="incoming/toy/x"):
        take_in(Memory(), Memory(), make_spec(), [Upload("landing", "incoming/toy/x")])


def test_the_window_leaves_old_parts_out() -> None:
    store, landing, uploads = world(file(row(1, at="2012-06-01T00:00:00Z")), file(row(2)))
    take_in(store, landing, make_spec(window="30d"), uploads[:1], now="2013-01-31T00:00:00Z")
    later = take_in(store, landing, make_spec(window="30d"), uploads[1:])
    found = dataset.load(store, "toy", later["dataset"])
    assert [p.sha256 for p in found.parts] == later["parts"]


def test_a_row_from_the_future_is_quarantined_and_the_window_stays() -> None:
    """One mistyped year would push all other rows out of ``data.window`` for good."""
    data = file(row(1), row(2, at="2013-02-01T23:00:00Z"), row(3, at="2013-04-01"))
    rejected = one(make_spec(), data)[1]
    assert [(r["line"], r["rule"]) for r in rejected] == [(4, "in_the_future")]
    assert one(make_spec(future="60d"), data)[0]["accepted"] == 3


def test_profiles_of_the_upload_and_of_the_dataset_are_kept_with_their_pages() -> None:
    store, landing, uploads = world(file(row(1), row(2, hour="x")), file(row(3), row(4)))
    answer = take_in(store, landing, make_spec(), uploads)
    first = json.loads(store.objects[keys.profile("toy", "uploads", uploads[0].name, "json")])
    assert (first["rows"], first["rejected"]) == (1, {"not_a_number|hour": 1})
    whole = json.loads(store.objects[keys.profile("toy", "datasets", answer["dataset"], "json")])
    assert (whole["rows"], whole["rejected"]) == (3, {"not_a_number|hour": 1})
    page = store.objects[keys.profile("toy", "uploads", uploads[0].name, "html")].decode()
    assert "incoming/toy/0.csv" in page and row(2, hour="x") in page
    assert keys.profile("toy", "datasets", answer["dataset"], "html") in store.objects


def test_from_any_crash_point_repeating_gives_the_same_store_law_2() -> None:
    files = file(row(1), row(2, hour="x"), row(3)), file(row(1, hour="x")), file(row(5))
    _crash_everywhere(make_spec(), *files)


def _crash_everywhere(spec: Spec, *files: bytes, **how: Any) -> None:
    whole, landing, uploads = world(*files)
    answer = take_in(whole, landing, spec, uploads, **how)
    for point in range(len(whole.writes)):
        store = Memory(crash_at=point, others={"landing": landing})
        with pytest.raises(Crash):
            take_in(store, landing, spec, uploads, **how)
        assert not _half_counted(store)
        store.crash_at = None
        assert take_in(store, landing, spec, uploads, **how) == answer
        assert store.objects == whole.objects
    before = len(whole.writes)
    assert take_in(whole, landing, spec, uploads, **how) == answer
    again = [key for key in whole.writes[before:] if "/parts/" in key or "/datasets/" in key]
    assert not again


@pytest.mark.parametrize(
    ("data", "refused"),
    [({"reject_above": 0.1}, 6), ({"reject_above": 1, "earliest": "2014-01-01"}, 0)],
)
def test_an_upload_that_another_spec_refuses_no_longer_counts_law_1(
    data: dict[str, Any], refused: int
) -> None:
    store, landing, uploads = world(file(*[row(i, hour="x" if i < 4 else "7") for i in range(10)]))
    assert take_in(store, landing, make_spec(), uploads)["accepted"] == 6
    with contextlib.suppress(TooManyRejected):
        take_in(store, landing, make_spec(**data), uploads, now="2013-02-02T00:00:00Z")
    told = report(store, uploads[0])
    assert (told["accepted"], told["refused_rows"]) == (0, refused)
    assert dataset.current(store, make_spec()) is None


def test_an_upload_whose_object_is_gone_since_stays_as_it_was_taken_in() -> None:
    store, landing, uploads = world(file(row(1)))
    answer = take_in(store, landing, make_spec(), uploads)
    before = dict(store.objects)
    landing.objects.clear()
    assert take_in(store, landing, make_spec(), uploads) == answer
    assert store.objects == before


def _half_counted(store: Memory) -> list[str]:
    """Intakes that name a part which is not there."""
    intakes = [json.loads(v) for k, v in store.objects.items() if "/facts/" in k]
    parts = [keys.part("toy", p["sha256"]) for i in intakes for p in i["parts"]]
    return [key for key in parts if key not in store.objects]


# --- pieces ---------------------------------------------------------------------------------------


def many(count: int = 60) -> bytes:
    """Rows with a repeat far apart, categories that are too many, and bad cells."""
    rows = [
        row(i % (count - 5), carrier="ABCDE"[i % 7 % 5], hour=str(i % 26)) for i in range(count)
    ]
    return file(*rows)


def test_a_large_upload_is_taken_in_as_a_small_one_would_be() -> None:
    whole, landing, uploads = world(many())
    answer = take_in(whole, landing, make_spec(), uploads)
    items: list[Any] = []
    store = Memory(others={"landing": landing})
    cut = take_in(store, landing, make_spec(), uploads, piece=400, on_check=items.append)
    told, single = report(store, uploads[0]), report(whole, uploads[0])
    assert told["pieces"] > 3 and single["pieces"] == 1
    differ = {name for name in told if told[name] != single[name]}
    assert differ == {"pieces", "parts"}
    assert quarantined(store, uploads[0]) == quarantined(whole, uploads[0])
    assert {r["rule"] for r in quarantined(store, uploads[0])} >= {
        "duplicate", "too_many_categories", "above_max",
    }  # fmt: skip
    assert _rows(store, cut) == _rows(whole, answer)
    assert len(items) > told["pieces"]  # some were told more, and checked again
    page = keys.profile("toy", "uploads", uploads[0].name, "json")
    assert json.loads(store.objects[page])["rows"] == single["accepted"]


def _rows(store: Memory, answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = dataset.load(store, "toy", answer["dataset"])
    parts = read_parts(store, make_spec(), found.parts)
    return [r for part in parts for r in part.tuples()]


def test_packed_text_is_staged_in_pieces() -> None:
    whole, landing, uploads = world(gzip.compress(many()))
    answer = take_in(whole, landing, make_spec(), uploads)
    store = Memory(others={"landing": landing})
    cut = take_in(store, landing, make_spec(), uploads, piece=400)
    assert _rows(store, cut) == _rows(whole, answer)
    assert report(store, uploads[0])["shape"] == report(whole, uploads[0])["shape"]


def test_small_and_large_uploads_may_come_in_one_run() -> None:
    store, landing, uploads = world(
        file(row(900)), many(), file(row(901)), b"nonsense", file(row(902)) + b"x\n"
    )
    answer = take_in(store, landing, make_spec(), uploads, piece=400)
    assert [r["key"] for r in answer["refused"]] == [uploads[3].key]
    assert [report(store, u)["accepted"] for u in uploads] == [1, answer["accepted"] - 3, 1, 0, 1]
    assert dataset.load(store, "toy", answer["dataset"]).rows == answer["accepted"]


def test_when_all_is_refused_before_it_is_cut_nothing_is_checked() -> None:
    store, landing, uploads = world(b"nonsense " * 1000, b"x" * 900)
    with pytest.raises(UnreadableFile, match="and 1 more"):
        take_in(store, landing, make_spec(), uploads, piece=400)


def test_a_large_upload_that_is_refused_leaves_no_part() -> None:
    data = file(*[row(i, hour="x" if i % 3 else "7") for i in range(50)])
    store, landing, uploads = world(data)
    with pytest.raises(TooManyRejected, match="33 of 50"):
        take_in(store, landing, make_spec(), uploads, piece=400)
    told = report(store, uploads[0])
    assert [told[n] for n in ("total", "accepted", "rejected", "refused_rows")] == [50, 0, 33, 17]
    assert not any("/parts/" in key and "profiles" not in key for key in lasting(store))


def test_categories_that_are_too_many_together_refuse_a_large_upload(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late, "MOST_WORDS", 30)
    data = file(*[row(i, carrier=f"c{i}") for i in range(50)])
    store, landing, uploads = world(data, many())
    answer = take_in(store, landing, make_spec(), uploads, piece=400)
    assert [(r["key"], r["error"]) for r in answer["refused"]] == [(uploads[0].key, "WrongColumns")]
    told = report(store, uploads[0])
    assert told["pieces"] > 3 and told["refused_rows"] == told["total"] == 50
    assert store.objects[told["originals"][0]] == data
    assert report(store, uploads[1])["accepted"] == answer["accepted"] > 0


def test_damage_in_the_middle_refuses_the_upload_either_way() -> None:
    packed = gzip.compress(many(400), mtime=0)
    store, landing, uploads = world(packed[: len(packed) // 2])
    for piece in (400, 1 << 20):
        with pytest.raises(UnreadableFile, match="damaged"):
            take_in(store, landing, make_spec(), uploads, piece=piece)
        assert report(store, uploads[0])["total"] == 0


def test_what_was_checked_is_not_checked_again() -> None:
    """Partial failure: only the piece whose check broke off is checked once more."""
    store, landing, uploads = world(many())
    seen: list[list[Any]] = []

    def once(item: Any) -> None:
        seen.append(item["pieces"])
        if len(seen) == 3:
            raise Crash

    with pytest.raises(Crash):
        take_in(store, landing, make_spec(), uploads, piece=400, on_check=once)
    before = dict(store.objects)
    start = len(store.writes)
    take_in(store, landing, make_spec(), uploads, piece=400, on_check=seen.append)
    done = {k for k in before if k.endswith(("/00000.json", "/00001.json"))}
    assert len(done) == 2 and not done & set(store.writes[start:])
    other = take_in(store, landing, make_spec(), uploads, piece=400, code="c2")
    assert any(k.endswith("/00000.json") for k in store.writes[start:]) and other["accepted"]


def test_two_runs_that_divide_the_same_upload_check_each_their_own() -> None:
    """A run that is redriven goes on after a later one, of other code, divided the upload too."""
    store, landing, uploads = world(many())
    with tempfile.TemporaryDirectory() as name:
        runs = {
            code: ingest(store, landing, make_spec(), uploads, NOW, Path(name), code, code, 400)
            for code in ("c1", "c2")
        }
        for code, answer in runs.items():
            for item in json.loads(store.get(answer["items"])):
                done = check(store, landing, make_spec(), item, NOW, Path(name))
                assert done == len(item["pieces"]), code
        assert merge(store, make_spec(), uploads, NOW, Path(name), "c1", 0, 400)["pieces"]


def test_from_any_crash_point_of_the_pieces_repeating_gives_the_same_store_law_2() -> None:
    _crash_everywhere(make_spec(), gzip.compress(many(24)), many(13), piece=500)


# --- many files -----------------------------------------------------------------------------------


def folder(*files: bytes, large: int = 1 << 20) -> tuple[dict[str, Any], Memory, Upload]:
    names = [f"d/part-{i}.csv" for i in range(len(files))]
    store, landing, _ = world(*files, names=names)
    landing.objects["incoming/toy/d/_SUCCESS"] = b""
    upload = Upload("landing", "incoming/toy/d/_SUCCESS", "v9")
    try:
        return take_in(store, landing, make_spec(), [upload], piece=large), store, upload
    except (UnreadableFile, WrongColumns):
        return {}, store, upload


@pytest.mark.parametrize("large", [1 << 20, 200])
def test_many_files_are_one_upload(large: int) -> None:
    files = file(row(1), row(2, hour="x")), file(row(3), row(1), row(4)), file()
    answer, store, upload = folder(*files, large=large)
    told = report(store, upload)
    assert (told["total"], told["accepted"], told["rejected"]) == (5, 3, 2)
    rejected = quarantined(store, upload)
    assert [(r["file"].rsplit("/")[-1], r["line"], r["rule"]) for r in rejected] == [
        ("part-0.csv", 3, "not_a_number"), ("part-1.csv", 3, "duplicate"),
    ]  # fmt: skip
    assert [f["key"].rsplit("/")[-1] for f in told["files"]] == [
        "part-0.csv", "part-1.csv", "part-2.csv",
    ]  # fmt: skip
    assert dataset.load(store, "toy", answer["dataset"]).rows == 3


@pytest.mark.parametrize("large", [1 << 20, 100])
def test_one_bad_file_refuses_all_and_names_it(large: int) -> None:
    _, store, upload = folder(file(row(1)), b"a,b\n1,2\n", file(row(2)), large=large)
    told = report(store, upload)
    assert told["error"]["name"] in ("WrongColumns", "UnreadableFile")
    assert "d/part-1.csv" in told["error"]["message"]
    assert [store.objects[k] for k in told["originals"]] == [
        file(row(1)), b"a,b\n1,2\n", file(row(2)),
    ]  # fmt: skip
    assert not any("/parts/" in k for k in lasting(store))


def test_many_small_files_are_no_large_upload() -> None:
    files = [file(row(i)) for i in range(MOST_PIECES + 1)]
    answer, store, upload = folder(*files)
    assert report(store, upload)["accepted"] == answer["accepted"] == len(files)
    assert len(report(store, upload)["parts"]) == len(files) > len(answer["parts"]) >= 100


def test_a_small_file_of_parquet_with_many_rows_is_cut() -> None:
    """Its size says nothing: what repeats is folded."""
    rows = 30_000
    columns: dict[str, Any] = {name: [text] * rows for name, text in zip(
        HEADER.split(","), row(1).split(","), strict=True)}  # fmt: skip
    table = pa.table(columns | {"id": list(map(str, range(rows)))})
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=5_000, compression="zstd")
    store, landing, uploads = world(out.getvalue())
    assert uploads[0].size < 1 << 18
    take_in(store, landing, make_spec(), uploads, piece=1 << 18)
    told = report(store, uploads[0])
    assert (told["accepted"], told["pieces"]) == (rows, 3)


def test_files_without_any_row_are_no_upload() -> None:
    _, store, upload = folder(file(), file())
    assert "no file of the upload has rows" in report(store, upload)["error"]["message"]


# --- size -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_month_of_flights_is_one_upload() -> None:
    rows = [row(i, hour=str(i % 24), temp=str(i / 7)) for i in range(27_000)]
    data = gzip.compress(file(*rows), mtime=0)
    assert run(Memory(), make_spec(), data)["accepted"] == 27_000
