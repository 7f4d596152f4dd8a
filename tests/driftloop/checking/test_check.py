"""A file is checked as the contract says, whatever its format and however it is cut."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.checking import contract, late
from driftloop.checking.check import Checked, check_source
from driftloop.checking.late import Late, late_of
from driftloop.data import parquet
from driftloop.data.rows import concatenate, kinds
from driftloop.errors import UnreadableFile, WrongColumns
from driftloop.reading import cut, open_piece, open_source
from driftloop.spec import Spec

UNTIL = 1_400_000_000_000
HEADER = ["id", "at", "hour", "carrier", "origin", "temp", "late"]


def make_spec(key: bool = True, unique: bool = False, duplicates: str = "drop") -> Spec:
    return Spec.parse(
        {
            "name": "toy",
            "task": "classification",
            "target": "late",
            "time": "at",
            **({"key": "id"} if key else {}),
            "features": {
                **({} if key else {"id": {"type": "category", "max_categories": 1000}}),
                "hour": {"type": "number", "min": 0, "max": 23, "unique": unique},
                "carrier": {"type": "category", "max_categories": 2},
                "origin": {"type": "category", "max_categories": 1, "nullable": True},
                "temp": {"type": "number", "nullable": True, "unique": unique},
            },
            "data": {"duplicates": duplicates, "rules": {"mild": "temp <= hour"}},
        }
    )  # fmt: skip


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {"id": f"k{number}", "at": "2013-01-05T10:00:00Z", "hour": str(number % 24),
            "carrier": "AA", "origin": "JFK", "temp": "-1.5", "late": "0", **changed}  # fmt: skip


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def as_parquet(rows: list[dict[str, Any]], group: int = 3) -> bytes:
    out = io.BytesIO()
    columns = {name: [None if r[name] == "" else r[name] for r in rows] for name in HEADER}
    pq.write_table(pa.table(columns), out, row_group_size=group)
    return out.getvalue()


def settle(spec: Spec, count: int, check: Callable[[int, Late | None], Checked]) -> list[Checked]:
    """Check pieces, again where the whole upload says so, until all is decided."""
    pieces = [check(i, None) for i in range(count)]
    while again := late_of(spec, pieces):
        for i, told in again.items():
            pieces[i] = check(i, told)
    return pieces


def checked(data: bytes, spec: Spec, folder: Path) -> Checked:
    """In one pass (or two, if categories are too many)."""

    def check(_: int, told: Late | None) -> Checked:
        source = open_source(io.BytesIO(data), kinds(spec))
        return check_source(source, spec, UNTIL, folder, told)

    return settle(spec, 1, check)[0]


def in_pieces(data: bytes, spec: Spec, target: int, folder: Path) -> list[Checked]:
    pieces = list(cut(io.BytesIO(data), kinds(spec), target))

    def check(number: int, told: Late | None) -> Checked:
        piece = pieces[number]
        packed = piece.data if piece.data is not None else data[piece.start : piece.end]
        source = open_piece(io.BytesIO(packed), piece.to_json(), kinds(spec))
        where = folder / str(number)
        where.mkdir(exist_ok=True)
        found = check_source(source, spec, UNTIL, where, told)
        return Checked.from_json(json.loads(json.dumps(found.to_json())), where)

    return settle(spec, len(pieces), check)


def rejected(*pieces: Checked) -> list[dict[str, Any]]:
    packed = b"".join(piece.rejected_file.read_bytes() for piece in pieces)
    return [json.loads(line) for line in gzip.decompress(packed).splitlines()]


def defined(data: bytes, spec: Spec) -> tuple[str, list[tuple[int, str, str]]]:
    """The name of the accepted rows, and (line, rule, field) of all others, by the contract."""
    columns: dict[str, list[Any]] = {name: [] for name in kinds(spec)}
    lines: list[int] = []
    broken = []
    for block in open_source(io.BytesIO(data), dict.fromkeys(columns, "text")).blocks():
        for name, values in columns.items():
            found = block.columns.get(name, [])  # no row of the block can be read
            values += found if isinstance(found, list) else found.to_pylist()
        lines += block.lines.tolist()
        broken += [(b.line, "unreadable_row", "") for b in block.broken]
    rows, faults = contract.check(spec, columns, UNTIL)
    return rows.digest(), sorted(broken + [(lines[f.row], f.rule, f.field) for f in faults])


cells = st.sampled_from(
    ["7", "0", "24", "", "NaN", "inf", "x", "AA", "B", "C", "JFK", "1.0", "-2", "k1", "k2", "é",
     "2013-01-05T10:00:00Z", "2013-01-06", "2013-13-05", "2103-01-01", '"', "a\nb", "A" * 300]
)  # fmt: skip


@st.composite
def messy(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Few keys, few categories: clean rows, odd cells, the same again."""
    odd = st.dictionaries(st.sampled_from(HEADER), cells, max_size=1)
    carriers, origins = st.sampled_from("ABCD"), st.sampled_from(["JFK", "LGA", ""])
    return [
        row(draw(st.integers(0, 6)))
        | {"carrier": draw(carriers), "origin": draw(origins)}
        | draw(odd)
        for _ in range(draw(st.integers(1, 14)))
    ]


specs = st.builds(make_spec, st.booleans(), st.booleans(), st.sampled_from(["drop", "keep"]))


@settings(max_examples=60, deadline=None)
@given(messy(), st.sampled_from([as_csv, as_jsonl, as_parquet]), specs, st.integers(1, 400))
def test_law_1_one_pass_and_pieces_accept_what_the_contract_does(
    rows: list[dict[str, Any]], form: Any, spec: Spec, target: int
) -> None:
    data = form(rows)
    name, faults = defined(data, spec)
    with tempfile.TemporaryDirectory() as folder:
        whole = checked(data, spec, Path(folder))
        if form is as_csv and target % 2:
            data = gzip.compress(data)
        pieces = in_pieces(data, spec, target, Path(folder))
        for found in ([whole], pieces):
            assert [(r["line"], r["rule"], r["field"]) for r in rejected(*found)] == faults
            for piece in found:
                assert piece.accepted + piece.rejected == piece.total
                assert piece.rejected == len(rejected(piece)) == sum(piece.reasons.values())
                back = parquet.read(piece.part_file.read_bytes(), kinds(spec))
                assert len(back) == piece.accepted == piece.profile.rows
                assert piece.part == (back.digest() if len(back) else None)
            parts = [parquet.read(p.part_file.read_bytes(), kinds(spec)) for p in found]
            assert concatenate(parts).digest() == name
            assert sum(piece.total for piece in found) == len(rows)
        assert rejected(whole) == rejected(*pieces)  # with values and texts


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(['k1,"a', '"', "1,2", "", '"a\nb",x', "\r", "k2,x\0", "k9" * 20]),
            st.integers(0, 4).map(lambda i: ",".join(row(i).values())),
        ),
        min_size=1,
    ),
    st.integers(1, 200),
)
def test_law_1_holds_for_lines_that_are_no_rows(lines: list[str], target: int) -> None:
    data = "\n".join([",".join(HEADER), *lines, ""]).encode()
    spec = make_spec()
    with tempfile.TemporaryDirectory() as folder:
        try:
            name, faults = defined(data, spec)
        except UnreadableFile as error:
            assert "no rows" in str(error)
            return
        for found in ([checked(data, spec, Path(folder))],
                      in_pieces(data, spec, target, Path(folder))):  # fmt: skip
            assert [(r["line"], r["rule"], r["field"]) for r in rejected(*found)] == faults
            parts = [parquet.read(p.part_file.read_bytes(), kinds(spec)) for p in found]
            assert concatenate(parts).digest() == name


def test_a_rejected_row_says_line_field_rule_value_and_text(tmp_path: Path) -> None:
    data = as_csv([row(1), row(2, hour="x"), row(3, hour="99"), row(1, temp="0"), row(4, at="?")])
    found = checked(data + b"1,2\n", make_spec(), tmp_path)
    assert [(r["line"], r["field"], r["rule"], r["value"]) for r in rejected(found)] == [
        (3, "hour", "not_a_number", "x"),
        (4, "hour", "above_max", 99.0),
        (5, "id", "duplicate", "k1"),
        (6, "at", "not_a_time", "?"),
        (7, "", "unreadable_row", "2 fields, not 7"),
    ]
    assert [r["text"] for r in rejected(found)] == [*data.decode().splitlines()[2:], "1,2"]
    assert found.reasons["above_max|hour"] == 1
    assert found.rules == dict.fromkeys(sorted({r["rule"] for r in rejected(found)}), 1)


def test_a_rule_that_is_broken_shows_what_it_speaks_of(tmp_path: Path) -> None:
    found = checked(as_csv([row(3, temp="3.5")]), make_spec(), tmp_path)
    (one,) = rejected(found)
    assert (one["rule"], one["field"], one["value"]) == (
        "breaks_rule", "mild", {"temp": 3.5, "hour": 3.0},
    )  # fmt: skip
    assert (found.part, found.accepted) == (None, 0)


def test_rows_say_which_file_they_stood_in(tmp_path: Path) -> None:
    source = open_source(io.BytesIO(as_csv([row(1, hour="x")])), kinds(make_spec()))
    found = check_source(source, make_spec(), UNTIL, tmp_path, file="incoming/toy/a/1.csv")
    assert rejected(found)[0]["file"] == "incoming/toy/a/1.csv"


def test_event_times_and_profile_are_those_of_accepted_rows(tmp_path: Path) -> None:
    rows = [
        row(1),
        row(2, at="2013-01-01"),
        row(3, at="2013-02-01"),
        row(4, at="2010-01-01", hour="x"),
    ]
    found = checked(as_csv(rows), make_spec(), tmp_path)
    assert (found.first, found.last) == (1_356_998_400_000, 1_359_676_800_000)
    assert found.profile.rows == 3
    assert found.profile.rejected == {"not_a_number|hour": 1}


def test_the_same_rows_give_the_same_files(tmp_path: Path) -> None:
    spec = make_spec()
    data = as_csv([row(i % 90, carrier="ABC"[i % 3]) for i in range(200)])
    files: list[dict[str, bytes]] = []
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        checked(data, spec, folder)
        files.append({f.name: f.read_bytes() for f in folder.iterdir()})
    assert files[0] == files[1]


def test_categories_that_tie_stay_by_the_alphabet_wherever_they_stand(tmp_path: Path) -> None:
    rows = [row(i, carrier=word) for i, word in enumerate("CBACBACBA")]
    found = in_pieces(as_jsonl(rows), make_spec(), 50, tmp_path)
    assert len(found) > 2
    assert {r["value"] for r in rejected(*found)} == {"C"}
    assert sum(piece.accepted for piece in found) == 6


def test_only_pieces_concerned_are_checked_again(tmp_path: Path) -> None:
    spec = make_spec()
    data = as_jsonl([row(i) for i in range(40)] + [row(3)])
    told: list[tuple[int, Late | None]] = []
    pieces = list(cut(io.BytesIO(data), kinds(spec), 300))

    def check(number: int, why: Late | None) -> Checked:
        told.append((number, why))
        piece = pieces[number]
        where = tmp_path / str(number)
        where.mkdir(exist_ok=True)
        body = io.BytesIO(data[piece.start : piece.end])
        source = open_piece(body, piece.to_json(), kinds(spec))
        return check_source(source, spec, UNTIL, where, why)

    found = settle(spec, len(pieces), check)
    last = len(pieces) - 1
    assert told == [*((i, None) for i in range(len(pieces))),
                    (last, Late({}, {41: ("id", "duplicate")}))]  # fmt: skip
    assert late_of(spec, found) == {}


def test_more_categories_than_can_be_counted_refuse_the_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late, "MOST_WORDS", 30)
    data = as_csv([row(i, carrier=f"c{i % 40}") for i in range(80)])
    with pytest.raises(WrongColumns, match=r"'carrier' has over .* different values"):
        checked(data, make_spec(), tmp_path)
    pieces = [p for p in (data[: len(data) // 2], data[len(data) // 2 :]) if p]
    assert len(pieces) == 2
    with pytest.raises(WrongColumns):
        in_pieces(data, make_spec(), 600, tmp_path)


def test_a_source_that_ends_badly_leaves_no_thread_behind(tmp_path: Path) -> None:
    import threading

    packed = gzip.compress(as_csv([row(i) for i in range(2000)]))[:-100]
    before = threading.active_count()
    with pytest.raises(UnreadableFile):
        checked(packed, make_spec(), tmp_path)
    assert threading.active_count() == before
