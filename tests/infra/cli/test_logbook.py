"""The ledger, read as a log book."""

import pytest
from rich.console import Console

from driftloop.ledger import Entry
from driftloop.run import Run
from infra.cli import console, logbook
from infra.cli.logbook import book
from tests.driftloop.ledgers import Books, at, spec

COOLING = "The last run of an alarm is too young: cooling down until {}."


def entry(hour, decision, reason="Because.", kind="alarm", cause="drift", run=None, delivery=None):
    return Entry(at(hour), kind, decision, reason, f"e{hour}", delivery or f"d{hour}", cause, run)


def test_what_was_decided_alike_one_after_another_is_one_line():
    rows = [entry(hour, "suppressed", COOLING.format(at(48))) for hour in (1, 5, 9, 30)]
    rows.insert(3, entry(9.5, "recorded", "All is well.", "sweep", None))
    (line,) = book(rows, {})
    assert (line.first, line.last, line.times) == (at(1), at(30), 4)
    assert [line.times for line in book(rows, {}, every=True)] == [1] * 5


def test_another_reason_is_another_line():
    rows = [
        entry(1, "suppressed", f"The drift alarm still stands since {at(0)}, but {why}.", "sweep")
        for why in ("it is cooling", "it is cooling", "nothing is new")
    ]
    assert [line.times for line in book(rows, {})] == [2, 1]


def test_so_many_are_shown_as_say_something():
    quiet = [entry(hour, "recorded", "All is well.", "sweep", None) for hour in range(9, 5, -1)]
    rows = [*quiet, entry(5, "suppressed"), entry(4, "started"), entry(3, "suppressed")]
    assert list(logbook._newest(iter(rows), 2, False)) == rows[:6]
    assert list(logbook._newest(iter(rows), 2, True)) == rows[:2]
    assert list(logbook._newest(iter(rows), 0, False)) == rows


def test_an_alarm_that_stands_for_days_does_not_crowd_out_what_was_before():
    standing = [entry(hour, "suppressed", "It still stands.", "sweep") for hour in range(90, 9, -1)]
    rows = [*standing, entry(5, "started"), entry(3, "suppressed")]
    found = list(logbook._newest(iter(rows), 2, False))
    assert [line.times for line in book(found[::-1], {})] == [1, 81]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({}, "still running"),
        ({"status": "SUCCEEDED", "outcome": "released", "version": 3, "ended": at(1.5)},
         "released as version 3 after 30 min"),
        ({"status": "FAILED", "outcome": "failed", "error": "X", "message": "y", "ended": at(4)},
         "failed after 3.0 h: X: y"),
        ({"status": "SUCCEEDED", "outcome": "rolled_back", "message": "slow", "ended": at(1.01)},
         "rolled back after 36 s: slow"),
    ],
)  # fmt: skip
def test_a_start_says_what_came_of_it(run, said):
    made = Run("drift-1", "drift", started=at(1), **run)
    (line,) = book([entry(1, "started", run="drift-1")], {"drift-1": made})
    assert line.outcome == said


def test_the_book_of_a_storm(capsys, monkeypatch):
    """What the governor really writes, as one reads it."""
    books = Books(spec(cooldown="6h", give_up_after=2))
    books.hear(books.upload(0, "incoming/flights/jan.csv"))
    books.hear(books.alarm(0.2))
    books.end(0.5, "released")
    for hour in (5, 5.5, 6, 6.25):
        books.hear(books.alarm(hour))
    books.end(7, "failed")
    books.stands(5)
    for hour in range(8, 60, 6):
        if books.hear(books.sweep(hour)).start:
            books.end(hour + 1, "rejected")
    monkeypatch.setattr(console, "out", Console(width=170, highlight=False))
    rows = sorted(books.rows, key=lambda row: (row.time, row.delivery))
    logbook._show(book(rows, books.runs))
    said = capsys.readouterr().out
    assert said.splitlines()[0] == "Friday 1 February 2013"
    assert "released as version 2 after 30 min: " not in said
    assert said.count("→") == 3 and "suppressed ×" in said
    assert "Given up" not in said and "but given up after 2 runs" in said
    assert "All is well" not in said
