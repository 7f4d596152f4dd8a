"""What quarantine holds at any time, and by what it is grouped."""

from __future__ import annotations

from driftloop import keys
from driftloop.rejects import readmit
from driftloop.rejects.rejected import grouped, holdings, rows
from tests.driftloop.held import NOW, again, buckets, hold, rejected
from tests.driftloop.memory import Memory


def test_rows_are_held_until_they_go_in_again_and_always_add_up_law_1() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"), rejected(5, "b,y,AA"),
                rejected(9, "c,1,", "null", "carrier", ""))  # fmt: skip
    assert (held.held, held.readmitted) == (3, 0)
    chosen = readmit.as_they_stood(held, rows(store, "toy", held), "not_a_number")
    assert len(list(readmit.send(store, landing, "store", "toy", held, chosen, NOW))) == 1
    later = again(store, held.upload)
    assert (later.held, later.readmitted) == (1, 2)
    assert later.accepted + later.held + later.readmitted == later.total
    assert [r.line for r in rows(store, "toy", later)] == [9]
    assert later.reasons_now == {"null|carrier": 1}


def test_reports_of_label_files_are_none_of_uploads() -> None:
    store = Memory()
    held = hold(store, rejected(3, "a,x,AA"))
    store.put(keys.ingest_report("toy", "f" * 16), b'{"labels":{},"now":"","error":null}')
    assert [h.upload for h in holdings(store, "toy")] == [held.upload]


def test_reasons_are_grouped_by_what_one_asks_for_most_first() -> None:
    store = Memory()
    hold(store, *(rejected(i, "a,x,AA") for i in range(3)), rejected(7, "a,1,", "null", "carrier"))
    hold(store, rejected(2, "a,,AA", "null", "hour"), key="incoming/toy/feb.csv")
    found = holdings(store, "toy")
    assert grouped(found, ("rule", "field")) == [
        {"rule": "not_a_number", "field": "hour", "rows": 3, "uploads": 1},
        {"rule": "null", "field": "carrier", "rows": 1, "uploads": 1},
        {"rule": "null", "field": "hour", "rows": 1, "uploads": 1},
    ]
    assert [(g["rule"], g["rows"], g["uploads"]) for g in grouped(found, ["rule"])] == [
        ("not_a_number", 3, 1), ("null", 2, 2),
    ]  # fmt: skip
    assert [g["rows"] for g in grouped(found, ["upload"])] == [4, 1]
