"""The timeline: who answered when, what was decided meanwhile, and nothing of later."""

from __future__ import annotations

import random
from datetime import timedelta

from driftloop.ledger import Audit, Entry
from driftloop.timeline import Reign, timeline

END = "2013-03-01T00:00:00.000Z"


def at(day: str) -> str:
    return f"2013-{day}T08:00:00.000Z"


def moved(day: str, action: str, before: int | None, after: int) -> Audit:
    return Audit(at(day), action, "release", "because", before, after, "run")


def decided(day: str, decision: str, reason: str, kind: str = "alarm") -> Entry:
    return Entry(at(day), kind, decision, reason, "event", f"delivery-{day}", cause="drift")


AUDIT = [
    moved("01-01", "register", None, 1),
    moved("01-01", "promote", None, 1),
    moved("02-10", "canary", 1, 2),
    moved("02-11", "rollback", 1, 1),  # takes the challenger away; the champion stays
    moved("02-20", "promote", 1, 3),
    moved("02-25", "rollback", 3, 1),
    moved("03-02", "promote", 1, 4),
]
LEDGER = [
    decided("02-08", "started", "The drift alarm rang."),
    decided("02-09", "suppressed", "Cooling down: until 2013-02-10."),
    decided("02-10", "suppressed", "Cooling down: until 2013-02-11."),
    decided("02-25", "rolled_back", "Version 1 was better."),
    decided("02-10", "recorded", "The run has ended.", "run-ended"),
    decided("03-03", "started", "Later."),
]


def test_reigns_begin_and_end_with_the_champion_not_with_challengers() -> None:
    found = timeline(AUDIT, [], END, reach=timedelta(days=45))
    assert found.start == "2013-01-15T00:00:00.000Z"
    assert found.reigns == (
        Reign(1, found.start, at("02-20")),
        Reign(3, at("02-20"), at("02-25")),
        Reign(1, at("02-25"), END),
    )


def test_a_young_models_timeline_begins_with_its_first_version() -> None:
    found = timeline(AUDIT, LEDGER, END, reach=timedelta(days=400))
    assert found.start == at("01-01") and found.reigns[0].start == at("01-01")


def test_marks_are_of_the_span_and_repeated_decisions_are_one() -> None:
    found = timeline(AUDIT, LEDGER, END)
    assert [(m.time[5:10], m.what, m.times) for m in found.marks] == [
        ("02-08", "started", 1),
        ("02-09", "suppressed", 2),
        ("02-10", "canary", 1),
        ("02-11", "rollback", 1),
        ("02-20", "promote", 1),
        ("02-25", "rollback", 1),
    ]
    assert found.marks[1].last == at("02-10")


def test_any_order_of_the_records_gives_the_same_timeline() -> None:
    wanted = timeline(AUDIT, LEDGER, END)
    for seed in range(5):
        audit, ledger = AUDIT[:], LEDGER[:]
        random.Random(seed).shuffle(audit)
        random.Random(seed).shuffle(ledger)
        assert timeline(audit, ledger, END) == wanted


def test_before_the_first_release_there_is_nothing() -> None:
    found = timeline([], [], END)
    assert (found.reigns, found.marks, found.since) == ((), (), None)
