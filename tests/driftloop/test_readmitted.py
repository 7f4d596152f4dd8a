"""Law 1 through re-admission: whatever is rejected, mended and sent in again, in whatever format
and however large, each row of the input is in one place: a part, or quarantine."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import keys
from driftloop.data import parquet
from driftloop.data.rows import kinds
from driftloop.errors import DataError
from driftloop.rejects import mending, readmit
from driftloop.rejects.rejected import Held, holdings, rows
from driftloop.spec import Spec
from driftloop.uploads.intake import intakes
from driftloop.uploads.upload import Upload
from driftloop.when import parse
from tests.driftloop.intaking import NOW, take_in, world
from tests.driftloop.memory import Memory

LATER = "2013-02-02T00:00:00.000Z"
HEADER = ["id", "at", "hour", "carrier", "late"]


def make_spec(strict: bool, reject_above: float = 1.0) -> Spec:
    hour = {"type": "number", "min": 0, "max": 23} if strict else {"type": "number",
                                                                   "nullable": True}  # fmt: skip
    carrier = {"type": "category", "max_categories": 2 if strict else 50, "nullable": not strict}
    data = {"reject_above": reject_above, "rules": {"even": "hour != 13"} if strict else {}}
    return Spec.parse(
        {"name": "toy", "task": "classification", "target": "late", "time": "at", "key": "id",
         "features": {"hour": hour, "carrier": carrier}, "data": data}
    )  # fmt: skip


Row = dict[str, Any]
FAULTS: dict[str, Row] = {
    "clean": {}, "not_a_number": {"hour": "noon"}, "null": {"hour": None}, "above": {"hour": 99},
    "no carrier": {"carrier": None}, "rare": {"carrier": "rare"}, "a quote": {"carrier": 'A"\n,'},
    "not_a_time": {"at": "never"}, "no class": {"late": None}, "rule": {"hour": 13},
}  # fmt: skip
BROKEN = ["unreadable", "stray quote"]


def lay(faults: list[str]) -> list[Row]:
    """Rows with these faults; a ``repeat`` is the row before it once more."""
    made: list[Row] = []
    for number, fault in enumerate(faults):
        clean = {"id": f"k{number}", "at": "2013-01-05T10:00:00Z", "hour": number % 12,
                 "carrier": "AB"[number % 2], "late": "0"}  # fmt: skip
        again = fault == "repeat" and made
        made.append(made[-1] if again else {**clean, **FAULTS.get(fault, {}), "fault": fault})
    return made


def as_csv(made: list[Row]) -> bytes:
    lines = [mending.csv_line(HEADER, ";")]
    for row in made:
        cells = [mending.as_cell(row[name]) for name in HEADER]
        text = mending.csv_line(cells, ";")
        text += ";1" if row["fault"] == "unreadable" else ""
        lines.append(text.replace(";", ';"', 1) if row["fault"] == "stray quote" else text)
    return "\n".join([*lines, ""]).encode()


def as_json_lines(made: list[Row]) -> bytes:
    lines = [json.dumps({name: row[name] for name in HEADER}) for row in made]
    for i, row in enumerate(made):
        if row["fault"] in BROKEN:
            lines[i] = lines[i].replace("}", ',"more":1}' if row["fault"] == "unreadable" else "")
    return "\n".join([*lines, ""]).encode()


def as_parquet(made: list[Row]) -> bytes:
    """Where numbers are numbers and times are times."""
    hours = [float(row["hour"]) if isinstance(row["hour"], int) else math.nan for row in made]
    times = [None if row["at"] == "never" else parse(row["at"]) for row in made]
    texts = {n: [row[n] for row in made] for n in ("id", "carrier", "late")}
    out = io.BytesIO()
    table = pa.table({**texts, "hour": hours, "at": pa.array(times, pa.timestamp("us", "UTC"))})
    pq.write_table(table, out, row_group_size=3)
    return out.getvalue()


FORMATS = {"csv": as_csv, "jsonl": as_json_lines, "parquet": as_parquet}


def everywhere(store: Memory, spec: Spec) -> Counter[str]:
    """The id of every row in a part that counts or in quarantine."""
    found: Counter[str] = Counter()
    for intake in intakes(store, "toy"):
        for part in intake.parts:
            kept = parquet.read(store.get(keys.part("toy", part.sha256)), kinds(spec))
            found.update(kept.columns["id"].tolist())
    for held in holdings(store, "toy"):
        if not held.error:
            found.update(_id(row.text) for row in rows(store, "toy", held))
        elif not held.whole:
            original = store.get(held.originals[0])
            assert held.held == held.total  # nothing of it is anywhere else
            found.update({f"whole of {len(original)}": held.total})
    return found


def _id(text: str) -> str:
    if text.startswith("{"):
        return text.split('"id": "')[1].split('"')[0]
    return text.split(";")[0].split(",")[0].replace('"', "")


def ingest_all(store: Memory, landing: Memory, spec: Spec, piece: int) -> None:
    """Every object that no upload was made of yet."""
    known = {held.key for held in holdings(store, "toy")}
    new = [Upload("landing", key, "v1", len(data)) for key, data in landing.objects.items()
           if key not in known]  # fmt: skip
    if new:
        try:
            take_in(store, landing, spec, new, piece, LATER if known else NOW)
        except DataError:
            assert all(h.error for h in holdings(store, "toy") if h.key in {u.key for u in new})


def send(store: Memory, landing: Memory, held: Held, how: str) -> None:
    if held.error:
        if not held.whole:
            readmit.send_whole(store, landing, "store", "toy", held, LATER)
        return
    again = readmit.as_they_stood(held, rows(store, "toy", held), None if how == "all" else how)
    if how == "mended":
        again = readmit.mended(held, rows(store, "toy", held), mend(store, held))
    list(readmit.send(store, landing, "store", "toy", held, again, LATER))


def mend(store: Memory, held: Held) -> list[mending.Mended]:
    """Every other row, as a person would: out to a file, every cell put right, and read again."""
    out = io.StringIO(newline="")
    mending.write_csv(out, [(held, rows(store, "toy", held))])
    table = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    texts = [row.text for row in rows(store, "toy", held)]
    header, body = table[0], table[1:]
    put = {"hour": "7", "carrier": "A", "at": "2013-01-05T10:00:00Z", "late": "1"}
    mended = io.StringIO(newline="")
    writer = csv.writer(mended)
    writer.writerow(header)
    for row, text in list(zip(body, texts, strict=True))[::2]:
        filled = {**dict(zip(header, row, strict=True)), **put, "id": _id(text)}
        writer.writerow(filled[name] for name in header)
    mended.seek(0)
    return list(mending.read_csv(mended))


faults = st.lists(st.sampled_from([*FAULTS, *BROKEN, "repeat", "clean"]), min_size=1, max_size=14)
sendings = st.lists(
    st.sampled_from(["all", "mended", "not_a_number", "duplicate", "breaks_rule"]), max_size=4
)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("piece", [1 << 20, 150])
@settings(deadline=None, max_examples=25)
@given(faults, sendings, st.sampled_from([1.0, 0.3]))
def test_each_row_of_the_input_stays_in_one_place_law_1(
    form: str, piece: int, found: list[str], sent: list[str], reject_above: float
) -> None:
    made = lay(found)
    data = FORMATS[form](made)
    store, landing, _ = world(data, names=[f"jan.{form}"])
    landing.others = {"store": store}
    first, then = make_spec(True, reject_above), make_spec(False)
    ingest_all(store, landing, first, piece)
    (upload,) = holdings(store, "toy")
    assert upload.total == len(made) or (upload.error and not upload.total)
    wanted = Counter(row["id"] for row in made)
    whole = Counter({f"whole of {len(data)}": upload.total})  # 0: nothing of it could be read
    for how in ["", *sent]:
        for held in holdings(store, "toy") if how else ():
            send(store, landing, held, how)
        ingest_all(store, landing, then, piece)
        every = holdings(store, "toy")
        assert all(h.total == h.accepted + h.held + h.readmitted for h in every)
        assert upload.total == sum(h.accepted + h.held for h in every)
        there = everywhere(store, then)
        assert there in (wanted, whole)


def test_a_row_that_is_still_bad_does_not_cost_those_that_were_mended_with_it() -> None:
    made = lay(["clean"] * 7 + ["not_a_number", "no carrier", "above"])
    store, landing, _ = world(as_csv(made), names=["jan.csv"])
    landing.others = {"store": store}
    ingest_all(store, landing, make_spec(True, 0.5), 1 << 20)
    send(store, landing, holdings(store, "toy")[0], "all")
    ingest_all(store, landing, make_spec(False, 0.05), 1 << 20)
    again = holdings(store, "toy")[-1]
    assert (again.total, again.accepted, again.held, again.error) == (3, 2, 1, None)


@pytest.mark.parametrize("form", FORMATS)
def test_rows_of_every_format_are_accepted_once_the_spec_is_mended(form: str) -> None:
    made = lay(["clean", "null", "no carrier", "rule", "above" if form == "csv" else "null"])
    store, landing, _ = world(FORMATS[form](made), names=[f"jan.{form}"])
    landing.others = {"store": store}
    ingest_all(store, landing, make_spec(True), 1 << 20)
    (held,) = holdings(store, "toy")
    assert (held.accepted, held.held) == (1, 4)
    send(store, landing, held, "all")
    ingest_all(store, landing, make_spec(False), 1 << 20)
    before, after = sorted(holdings(store, "toy"), key=lambda h: h.time)
    assert (before.held, after.total, after.accepted) == (0, 4, 4)


def test_rows_that_were_mended_into_something_unreadable_are_in_quarantine_again() -> None:
    made = lay(["clean"] * 7 + ["not_a_number", "no carrier"])
    store, landing, _ = world(as_csv(made), names=["jan.csv"])
    landing.others = {"store": store}
    ingest_all(store, landing, make_spec(True, 0.5), 1 << 20)
    (held,) = holdings(store, "toy")
    lacking = [
        mending.Mended(held.upload, (held.key, row.line), {"id": _id(row.text), "hour": "7"}, 2 + i)
        for i, row in enumerate(rows(store, "toy", held))
    ]
    again = readmit.mended(held, rows(store, "toy", held), lacking)
    list(readmit.send(store, landing, "store", "toy", held, again, LATER))
    ingest_all(store, landing, make_spec(True), 1 << 20)
    first, second = holdings(store, "toy")
    assert second.error and second.error["name"] == "WrongColumns"
    assert (first.held, first.readmitted, second.held, second.originals) == (2, 0, 0, ())
    assert len(list(rows(store, "toy", first))) == 2
    send(store, landing, first, "mended")
    ingest_all(store, landing, make_spec(True), 1 << 20)
    assert sum(h.accepted for h in holdings(store, "toy")) == 7 + 1  # every other one was mended
    assert sum(h.accepted + h.held for h in holdings(store, "toy")) == len(made)
