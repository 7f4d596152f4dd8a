"""Bad input, from the first day: a name for every mistake, and the champion goes on answering."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import pytest

from tests.loop.conftest import Loop, as_csv, instance, rows

Table = list[dict[str, str]]


def _with(table: Table, number: int, **values: str) -> Table:
    return [row | values if n < number else row for n, row in enumerate(table)]


REFUSED: dict[str, tuple[str, Callable[[Table], bytes]]] = {
    "no-csv": ("UnreadableFile", lambda _: bytes(range(256)) * 40),
    "empty": ("UnreadableFile", lambda _: b""),
    "header-only": ("UnreadableFile", lambda t: as_csv(t).splitlines()[0] + b"\n"),
    "missing-column": (
        "WrongColumns",
        lambda t: as_csv([{k: v for k, v in row.items() if k != "carrier"} for row in t]),
    ),
    "extra-column": ("WrongColumns", lambda t: as_csv([row | {"extra": "1"} for row in t])),
    "double-column": (
        "WrongColumns",
        lambda t: as_csv(t).replace(b"flight_id,sched_dep", b"flight_id,hour", 1),
    ),
    "not-utf-8": ("TooManyRejected", lambda t: as_csv(t).replace(b"UA", b"\xff\xfe")),
    "text-in-a-number": ("TooManyRejected", lambda t: as_csv(_with(t, 200, hour="noon"))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_ends_its_run_by_name_and_the_champion_answers(name: str, loop: Loop) -> None:
    """law_6: a failed run leaves the champion answering."""
    error, make = REFUSED[name]
    before = loop.route("flights")
    run = loop.upload("flights", f"{name}.csv", make(_fresh(name)))
    assert run["status"] == "FAILED"
    assert run["error"] == error
    assert run["message"] and "Traceback" not in run["message"]
    assert loop.route("flights")["champion"] == before["champion"]
    assert loop.predict("flights", [instance(rows(most=1)[0])]).status == 200


def _fresh(name: str) -> Table:
    """400 rows that no other upload has."""
    return [row | {"flight_id": f"{name}-{row['flight_id']}"} for row in rows(most=400)]


def test_a_few_bad_rows_go_to_quarantine_with_line_and_reason(loop: Loop) -> None:
    """law_1: accepted + quarantined = input, in the run's own record and in the store."""
    table = _with(_fresh("few"), 5, hour="noon")
    run = loop.upload("flights", "few.csv", as_csv(table))
    assert run["rows"] == {"accepted": 395, "rejected": 5}
    kept = [
        json.loads(line)
        for key in loop.stored("flights/quarantine/")
        if key.endswith(".jsonl.gz")
        for line in gzip.decompress(loop.store(key)).splitlines()
        if b"few-" in line
    ]
    assert [row["line"] for row in kept] == [2, 3, 4, 5, 6]
    assert {row["field"] for row in kept} == {"hour"}
    assert all("noon" in str(row["value"]) for row in kept)


def test_what_is_merely_unusual_is_taken_in(loop: Loop) -> None:
    """Columns in another order, a carrier never seen, late flights only: all of it is learnt from,
    and the gates say what came of it."""
    table = [
        dict(reversed(list(row.items()))) | {"carrier": "ZZ", "late": "1"} for row in _fresh("odd")
    ]
    run = loop.upload("flights", "odd.csv", as_csv(table))
    assert run["rows"] == {"accepted": 400, "rejected": 0}
    assert run["status"] == "SUCCEEDED"
    assert all(reason["text"] for reason in run["verdict"]["reasons"])
    unseen = instance(rows(most=1)[0]) | {"carrier": "Q7"}
    assert loop.predict("flights", [unseen]).status == 200
