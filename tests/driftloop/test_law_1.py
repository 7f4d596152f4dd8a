"""Law 1 over the whole of ingest: what lies in the store afterwards is the input, every row once,
for every format and every rule, checked in one process, in pieces, or as many files."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import keys
from driftloop.data import dataset, parquet
from driftloop.data.rows import kinds
from driftloop.errors import DataError
from driftloop.spec import Spec
from driftloop.uploads.intake import intakes
from driftloop.uploads.upload import Upload
from tests.driftloop.intaking import quarantined, read_parts, report, take_in, world
from tests.driftloop.memory import Memory

HEADER = ["id", "at", "hour", "day", "carrier", "tail", "origin", "temp", "late"]
Table = list[dict[str, Any]]


def make_spec(reject_above: float = 1.0) -> Spec:
    """A spec with every rule there is."""
    return Spec.parse(
        {
            "name": "toy", "task": "classification", "target": "late", "time": "at", "key": "id",
            "features": {
                "hour": {"type": "number", "min": 0, "max": 23},
                "day": {"type": "number", "nullable": True},
                "carrier": {"type": "category", "max_categories": 2},
                "tail": {"type": "category", "pattern": "N[0-9]+", "unique": True,
                         "nullable": True, "max_categories": 1000},
                "origin": {"type": "category", "categories": ["JFK", "LGA"]},
                "temp": {"type": "number", "nullable": True},
            },
            "data": {"reject_above": reject_above, "earliest": "2012-06-01",
                     "latest": "2013-02-10", "future": "1d", "rules": {"mild": "temp <= hour"}},
        }
    )  # fmt: skip


def row(number: int, **changed: Any) -> dict[str, Any]:
    return {"id": f"k{number}", "at": "2013-01-05T10:00:00Z", "hour": "7", "day": "1",
            "carrier": "AA", "tail": f"N{number}", "origin": "JFK", "temp": "1.5", "late": "0",
            **changed}  # fmt: skip


def as_csv(rows: Table) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEADER, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def as_gzip(rows: Table) -> bytes:
    return gzip.compress(as_csv(rows), mtime=0)


def as_jsonl(rows: Table) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def as_parquet(rows: Table) -> bytes:
    out = io.BytesIO()
    columns = {name: [None if r[name] == "" else str(r[name]) for r in rows] for name in HEADER}
    pq.write_table(pa.table(columns), out, row_group_size=3)
    return out.getvalue()


FORMS: list[Callable[[Table], bytes]] = [as_csv, as_gzip, as_jsonl, as_parquet]

BAD: dict[str, dict[str, Any]] = {
    "not_a_number|hour": {"hour": "noon"},
    "not_finite|temp": {"temp": "1e999"},
    "null|hour": {"hour": ""},
    "below_min|hour": {"hour": "-1"},
    "above_max|hour": {"hour": "24"},
    "unknown_category|origin": {"origin": "LAX"},
    "too_many_categories|carrier": {"carrier": "ZZ"},
    "too_long|carrier": {"carrier": "A" * 300},
    "breaks_pattern|tail": {"tail": "D-ABCD"},
    "not_unique|tail": {"tail": "N0"},
    "not_a_time|at": {"at": "yesterday"},
    "too_early|at": {"at": "2012-01-01"},
    "too_late|at": {"at": "2013-02-11"},
    "in_the_future|at": {"at": "2013-02-05"},
    "breaks_rule|mild": {"temp": "20"},
    "duplicate|id": {"id": "k0", "tail": "N999"},
}


def accounted(store: Memory, upload: Upload, total: int) -> dict[str, Any]:
    """The upload's report, held against what the store really holds."""
    told = report(store, upload)
    parts = [p for i in intakes(store, "toy") if i.name == upload.name for p in i.parts]
    spec = make_spec()
    for part in parts:
        found = parquet.read(store.get(keys.part("toy", part.sha256)), kinds(spec))
        assert (found.digest(), len(found)) == (part.sha256, part.rows)
    assert sum(p.rows for p in parts) == told["accepted"]
    rejected = quarantined(store, upload)
    assert len(rejected) == told["rejected"] == sum(told["reasons"].values())
    places = [(r.get("file", ""), r["line"]) for r in rejected]
    assert places == sorted(set(places))
    assert told["total"] == total == told["accepted"] + told["rejected"] + told["refused_rows"]
    assert not (told["error"] and parts)
    return told


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("piece", [1 << 20, 300])
def test_every_rule_rejects_its_row_in_every_format(form: Any, piece: int) -> None:
    good = [row(n, carrier=["AA", "BB"][n % 2]) for n in range(6)]
    bad = [row(100 + n) | changed for n, changed in enumerate(BAD.values())]
    store, landing, uploads = world(form(good + bad), names=["file"])
    take_in(store, landing, make_spec(), uploads, piece)
    told = accounted(store, uploads[0], len(good + bad))
    assert (told["pieces"] > 1) == (piece == 300)
    assert told["reasons"] == dict.fromkeys(sorted(BAD), 1)
    first = 1 if form is as_parquet else 2 if form in (as_csv, as_gzip) else 1
    by_line = {r["line"] - first - len(good): f"{r['rule']}|{r['field']}"
               for r in quarantined(store, uploads[0])}  # fmt: skip
    assert by_line == dict(enumerate(BAD))


def test_what_only_json_can_hold_is_rejected_too() -> None:
    odd: Table = [
        row(1, carrier=["a"]), row(2, hour=True), row(3, at={"y": 1}), row(4, hour=10**400),
        row(5, carrier="\ud800"),
    ]  # fmt: skip
    lines = as_jsonl([row(0), *odd]) + b'[1]\n{"id": 1, "id": 2}\n{"x": 1}\n{"hour": NaN}\n{\n'
    store, landing, uploads = world(lines)
    take_in(store, landing, make_spec(), uploads)
    told = accounted(store, uploads[0], 11)
    assert told["accepted"] == 1
    assert {"not_a_text|carrier", "not_a_number|hour", "not_finite|hour", "unreadable_row|"} <= {
        *told["reasons"]
    }


@pytest.mark.parametrize(
    "odd", [{"hour": "\ud800"}, {"carrier": "\ud800" * 300}, {"at": {"\ud800": 1}}, {"\ud800": 1}]
)
def test_half_a_character_of_json_costs_its_row_alone(odd: Any) -> None:
    store, landing, uploads = world(as_jsonl([row(0), row(1) | odd]))
    take_in(store, landing, make_spec(), uploads)
    assert accounted(store, uploads[0], 2)["accepted"] == 1
    gzip.decompress(store.objects[keys.quarantine("toy", uploads[0].name)]).decode()


cells = st.sampled_from(
    ["7", "24", "", "NaN", "inf", "x", "AA", "B", "LGA", "N1", "k1", "é", "2013-01-06",
     "2103-01-01", '"', "a\nb", "=1+1", "\u2028"]
)  # fmt: skip


@st.composite
def messy(draw: st.DrawFn) -> Table:
    """Clean rows, the same again, rows that break a rule, odd cells anywhere."""
    kinds = st.one_of(
        st.just({}),
        st.sampled_from(list(BAD.values())),
        st.dictionaries(st.sampled_from(HEADER), cells, min_size=1, max_size=2),
    )
    carriers = st.sampled_from("ABC")
    return [
        row(draw(st.integers(0, 9)), carrier=draw(carriers)) | draw(kinds)
        for _ in range(draw(st.integers(1, 25)))
    ]


@settings(max_examples=60, deadline=None)
@given(messy(), st.sampled_from(FORMS), st.sampled_from([1.0, 0.5, 0.0]), st.integers(60, 900))
def test_law_1_accepted_and_quarantined_rows_are_the_input(
    rows: Table, form: Any, reject_above: float, piece: int
) -> None:
    """In one process, in pieces, and (the same rows in two files) as a folder; equal each time."""
    spec, data = make_spec(reject_above), form(rows)
    whole, landing, uploads = world(data, names=["file"])
    store = Memory(others={"landing": landing})
    outcomes = []
    for where, size in ((whole, 1 << 20), (store, piece)):
        try:
            answer = take_in(where, landing, spec, uploads, size)
        except DataError as error:
            answer = {"error": str(error), "dataset": None}
        told = accounted(where, uploads[0], len(rows))
        if told["error"]:
            assert where.objects[keys.original("toy", uploads[0].name)] == data
        kept = _kept(where, spec, answer["dataset"])
        assert len(kept) == told["accepted"]
        rejected = quarantined(where, uploads[0])
        outcomes.append((kept, rejected, *(told[n] for n in ("error", "reasons", "refused_rows"))))
    assert outcomes[0] == outcomes[1]
    files = form(rows[::2]), form(rows[1::2] or rows[:1]), b""
    store, landing, uploads = world(*files, names=["d/0", "d/1", "d/_SUCCESS"])
    with contextlib.suppress(DataError):
        take_in(store, landing, spec, uploads[2:], piece)
    accounted(store, uploads[2], max(2, len(rows)))


def _kept(store: Memory, spec: Spec, digest: str | None) -> list[Any]:
    if digest is None:
        return []
    found = dataset.load(store, "toy", digest)
    return [r for part in read_parts(store, spec, found.parts) for r in part.tuples()]
