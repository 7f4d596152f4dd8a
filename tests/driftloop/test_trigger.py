"""The governor's rules, one by one and under storms of events."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.arrived import Arrived
from driftloop.brakes import cooled_at
from driftloop.breaker import Breaker
from driftloop.route import Served, challenged, first
from driftloop.when import parse
from tests.driftloop.ledgers import Books, at, spec


def test_an_upload_starts_a_run_with_its_exact_input():
    books = Books()
    decision = books.hear(books.upload(0))
    run = decision.start
    assert decision.entry.decision == "started"
    assert run.run.startswith("upload-") and run.run.endswith("-1")
    assert json.loads(run.input) == {
        "model": "flights", "run": run.run, "cause": "upload", "mode": "train", "now": at(0),
        "uploads": run.uploads, "fence": 1, "event": run.event, "reason": "upload it was",
    }  # fmt: skip
    assert run.input == json.dumps(json.loads(run.input), sort_keys=True, separators=(",", ":"))


def test_law_3_a_second_delivery_of_an_event_is_suppressed_and_said():
    books = Books()
    books.hear(books.upload(0))
    twin = books.hear(books.upload(0))
    assert (twin.entry.decision, twin.start) == ("suppressed", None)
    assert "started already" in twin.entry.reason
    books.end(1)
    assert books.hear(books.upload(0)).start is None


def test_the_same_delivery_retried_repeats_and_writes_nothing():
    books = Books()
    event = books.upload(0)
    books.hear(event)
    again = books.hear(event)
    assert again.repeat and len(books.rows) == 1


def test_uploads_that_arrive_meanwhile_are_gathered_into_one_run():
    books = Books()
    books.hear(books.upload(0))
    for hour in (1, 2, 3):
        waits = books.hear(books.upload(hour, f"incoming/flights/{hour}.csv"))
        assert waits.entry.decision == "deferred"
    ended = books.end(4)
    assert [u["key"][-5:] for u in ended.start.uploads] == ["1.csv", "2.csv", "3.csv"]
    assert books.pending == [] and len(books.running) == 2
    assert sum(r.decision == "started" and "+" in r.delivery for r in books.rows) == 3


def test_an_alarm_waits_once_and_is_answered_by_a_release_meanwhile():
    books = Books()
    books.hear(books.upload(0))
    assert books.hear(books.alarm(1)).entry.decision == "deferred"
    assert books.hear(books.alarm(1.5)).entry.decision == "suppressed"
    ended = books.end(2, "released")
    assert ended.start is None and books.pending == []
    (row,) = ended.resolved
    assert row.decision == "suppressed" and "has released a version" in row.reason


def test_law_4_an_alarm_that_waited_runs_when_the_run_before_it_failed():
    books = Books()
    books.hear(books.upload(0))
    books.hear(books.alarm(1))
    assert books.end(2, "failed").start.cause == "drift"


def test_cooldown_holds_alarms_back_and_not_uploads():
    books = Books(spec(cooldown="6h"))
    books.hear(books.alarm(0))
    books.end(1)
    late = books.hear(books.alarm(5.9))
    assert late.start is None and "cooling down until 2013-02-01T06:00:00.000Z" in late.entry.reason
    assert books.hear(books.upload(5.95)).start
    books.end(6)
    assert books.hear(books.alarm(6.1, "performance")).start


def test_back_off_doubles_with_every_failure_and_with_no_rejection():
    books = Books(spec(cooldown="6h", give_up_after=9, max_per_day=96))
    for hours in (0, 6, 18):  # 6 h, then 12 h after the second failure, then 24 h
        assert books.hear(books.alarm(hours + 0.0)).start
        books.end(hours + 1, "failed")
        assert books.hear(books.alarm(hours + 5.9)).start is None
    assert "after 3 failures" in books.hear(books.alarm(41.9)).entry.reason
    assert books.hear(books.alarm(42)).start
    books.end(43, "rejected")
    assert books.hear(books.alarm(48)).start
    books.end(49, "rejected")
    assert books.hear(books.alarm(54)).start


@pytest.mark.parametrize(("cooldown", "times"), [("6h", 1000), ("3653d", 1000), ("0s", 1000)])
def test_law_4_who_never_gives_up_is_heard_all_the_same(cooldown, times):
    patient = spec(cooldown=cooldown, give_up_after=times).retrain
    ready = cooled_at(Breaker(failed=900, last=at(0)), patient)
    assert ready - parse(at(0)) <= max(timedelta(days=60), patient.cooldown)


def test_no_alarm_starts_a_run_without_new_labelled_rows():
    books = Books(spec(cooldown="1h"))
    books.arrived = Arrived(at(0))
    assert books.hear(books.alarm(1)).start
    books.end(2, "rejected")
    books.stands(1)
    waits = books.hear(books.sweep(30))
    assert waits.start is None
    assert f"no labelled rows have arrived since the last run began: {at(1)}" in waits.entry.reason
    books.arrived = Arrived(at(31))
    assert books.hear(books.sweep(32)).start


def test_a_run_that_failed_has_learned_nothing():
    books = Books(spec(cooldown="1h"))
    books.arrived = Arrived(at(0))
    books.hear(books.alarm(1))
    books.end(2, "failed")
    assert books.hear(books.alarm(3)).start


def test_rows_that_an_upload_brought_are_not_new_once_its_run_has_learned_them():
    books = Books(spec(cooldown="0s"))
    books.hear(books.upload(1))
    books.arrived = Arrived(at(1))  # ingest says when its run began
    books.end(2, "rejected")
    assert "o labelled rows" in books.hear(books.alarm(3)).entry.reason
    assert books.hear(books.event("schedule", 4, cause="schedule")).start, "it was asked for"


def test_the_daily_budget_defers_uploads_suppresses_alarms_and_lets_people_pass():
    books = Books(spec(max_per_day=2))
    for hours in (0, 1):
        books.hear(books.upload(hours))
        books.end(hours + 0.5)
    waits = books.hear(books.upload(2))
    assert waits.entry.decision == "deferred" and "2 runs started" in waits.entry.reason
    assert "retrain.max_per_day" in waits.entry.reason  # what to change, if that is too few
    assert books.hear(books.alarm(3)).entry.decision == "suppressed"
    assert books.hear(books.sweep(4)).start is None
    assert books.hear(books.event("manual", 5, cause="manual")).start
    # The person's run takes along what waits only if it waited as a wish of its own.
    books.end(6)
    swept = books.hear(books.sweep(25))
    assert swept.start.cause == "upload" and books.pending == []


def test_a_cause_the_spec_does_not_list_is_suppressed():
    books = Books(spec(on=["upload"], schedule=None))
    assert "does not list drift" in books.hear(books.alarm(0)).entry.reason
    assert books.hear(books.event("manual", 0, cause="manual")).start


def test_what_can_only_be_recorded_is():
    books = Books()
    folder = books.event("upload", 0, cause="upload", ignore="x/ is a folder, not a file")
    assert books.hear(folder).entry.decision == "recorded"


# --- the end of a run ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "message"),
    [
        ("released", "it is better"),
        ("rejected", "not better than the champion"),
        ("failed", "52 of 1,000 rows are bad"),
    ],
)
def test_the_end_of_a_run_is_told_in_words(outcome, message):
    books = Books()
    books.hear(books.upload(0))
    ended = books.end(1, outcome)
    assert (ended.finished.outcome, ended.finished.message) == (outcome, message)
    assert ended.finished.ended == at(1)
    assert books.lock.holder is None
    assert message in ended.entry.reason
    assert [outcome != "rejected"] == [bool(books.told)]
    if books.told:
        assert "flights" in books.told[0]["subject"] and message in books.told[0]["text"]


def test_people_hear_that_nothing_better_was_found_for_an_alarm():
    """Without new labels nothing is tried again, so silence would be the end of it."""
    books = Books()
    books.hear(books.alarm(0))
    books.end(1, "rejected")
    (told,) = books.told
    assert "nothing better was found for the drift alarm" in told["subject"]


def test_the_end_of_a_run_heard_twice_or_of_nobodys_run():
    books = Books()
    books.hear(books.upload(0))
    first_run = books.running[0]
    books.end(1)
    books.hear(books.upload(2))
    again = books.hear(books.ended(3, first_run, "ABORTED"))
    assert (again.entry.decision, again.frees) == ("suppressed", False)
    stranger = books.hear(books.ended(3, "by-hand"))
    assert (stranger.entry.decision, stranger.frees) == ("recorded", False)
    assert books.lock.holder == books.running[1]


def test_law_6_a_run_that_breaks_off_takes_its_challenger_out_of_the_traffic():
    books = Books()
    one, two = Served(1, "k", "s"), Served(2, "k", "s")
    books.hear(books.upload(0))
    run = books.running[0]
    books.runs[run] = books.runs[run].__class__(**{**vars(books.runs[run]), "version": 2})
    books.route = challenged(first(one, at(0)), two, 0.1, at(0.5))
    ended = books.hear(books.ended(1, run, "ABORTED"))
    assert ended.move.new.challenger is None and books.route.champion == one
    assert "before its challenger was judged" in ended.move.audit.reason


# --- the sweep ----------------------------------------------------------------------------------


def test_a_sweep_frees_a_lock_whose_end_was_not_heard():
    books = Books()
    books.hear(books.upload(0))
    books.hear(books.upload(1, "incoming/flights/b.csv"))
    lost = books.ended(2, books.running[0], "FAILED", error="X", cause="y").ended
    swept = books.hear(books.sweep(2), holder_end=lost)
    assert swept.finished.outcome == "failed" and swept.start.cause == "upload"


def test_a_sweep_with_nothing_to_do_says_so():
    books = Books()
    assert "All is well" in books.hear(books.sweep(0)).entry.reason
    books.hear(books.upload(1))
    assert "under way" in books.hear(books.sweep(2)).entry.reason


def test_law_4_an_alarm_that_still_stands_is_retried_then_escalated_once_then_silence():
    books = Books(spec(cooldown="6h", give_up_after=3, max_per_day=10))
    books.hear(books.alarm(0))
    books.end(1, "failed")
    books.stands(0)
    started, hours = [], 1
    while hours < 24 * 400:  # longer than any memory but the breaker's
        hours += 6
        if books.hear(books.sweep(hours)).start:
            started.append(hours)
            books.end(hours + 1, "failed")
    assert started == [7, 19]  # six hours, then twice that; a sweep comes every six
    assert [r.run[-1] for r in books.rows if r.kind == "sweep" and r.run] == ["2", "3"]
    calls = [n for n in books.told if "giving up" in n["subject"]]
    assert len(calls) == 1 and "3 runs" in calls[0]["subject"]
    assert sum(bool(r.escalated) for r in books.rows) == 1
    # A release by another cause closes the circuit again.
    books.hear(books.upload(hours))
    books.end(hours + 1, "released")
    assert books.hear(books.alarm(hours + 100)).start


def test_a_person_closes_the_circuit():
    books = Books(spec(cooldown="1h", give_up_after=1))
    books.hear(books.alarm(0))
    books.end(1, "failed")
    assert "Given up after one run" in books.hear(books.alarm(5)).entry.reason
    books.hear(books.event("manual", 6, cause="manual"))
    books.end(7, "rejected")
    assert books.hear(books.alarm(8)).start


# --- storms -------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.randoms(), st.integers(0, 99), st.sampled_from(["released", "rejected", "failed"]))
def test_law_3_a_hundred_shuffled_duplicated_flapping_alarms_start_one_run(chance, cut, outcome):
    """In any order, and whenever and however the run ends."""
    books = Books(spec(cooldown="6h"))
    books.serves(1)
    books.sees("population_shift", "retrain", performance=1.2)
    storm = [books.alarm(10 + minute / 60, cause) for minute in range(25)
             for cause in ("drift", "performance") for _ in range(2)]  # fmt: skip
    chance.shuffle(storm)
    for number, event in enumerate(storm):
        books.hear(event)
        if number == cut:
            books.end(10.5, outcome)
    assert len(books.running) == 1 and books.pending == []
    rows = [r for r in books.rows if r.kind == "alarm" and "+" not in r.delivery]
    assert Counter(r.decision == "started" for r in rows) == {True: 1, False: 99}
    assert all(r.reason.endswith(".") and len(r.reason) > 15 for r in rows)
    drifting = [told for told in books.told if "a population shift" in told["subject"]]
    assert len(drifting) == 1


STEP = st.tuples(
    st.sampled_from(["upload", "drift", "performance", "schedule", "manual", "sweep", "end"]),
    st.integers(0, 90),  # tenths of hours that pass; the event happened up to that long ago
    st.booleans(),  # delivered twice
    st.sampled_from(["released", "rejected", "failed"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_laws_3_and_5_any_storm_gives_one_effect_a_cause_and_one_writer(steps):
    books = Books(spec(cooldown="3h", max_per_day=5, give_up_after=2))
    hours, heard = 0.0, []
    for n, (kind, tenths, twice, outcome) in enumerate(steps):
        hours += tenths / 10
        if kind == "end":
            if books.lock.holder:
                books.end(hours, outcome)
            continue
        when = hours - (tenths / 10 if n % 3 == 0 else 0)
        make = {
            "upload": lambda w=when, n=n: books.upload(w, f"incoming/flights/{n}.csv"),
            "sweep": lambda w=when, n=n: books.event("sweep", w, identity=f"s{n}"),
        }.get(kind)
        if make is None:
            shape = "alarm" if kind in ("drift", "performance") else kind

            def make(w=when, n=n, kind=kind, shape=shape):
                return books.event(shape, w, cause=kind, identity=f"{kind}{n}")

        for _ in range(1 + twice):
            event = make()
            heard.append(event)
            books.hear(event)  # Books asserts that no two runs overlap

    rows = {(r.time, r.delivery) for r in books.rows}
    assert all((e.time, e.delivery) in rows for e in heard), "every delivery is in the ledger"
    assert len(set(books.running)) == len(books.running)
    taken = [u["key"] for run in books.runs.values() for u in run.uploads]
    waiting = [u["key"] for p in books.pending for u in p.uploads]
    sent = {u["key"] for e in heard for u in e.uploads}
    assert sorted(taken + waiting) == sorted(sent), "every upload is in one run, or waits"
    assert [run.input for run in books.runs.values()] == [
        json.dumps(json.loads(run.input), sort_keys=True, separators=(",", ":"))
        for run in books.runs.values()
    ]
    fences = [json.loads(books.runs[name].input)["fence"] for name in books.running]
    assert fences == list(range(1, len(fences) + 1))
