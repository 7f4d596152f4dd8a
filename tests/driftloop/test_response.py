"""What an alarm leads to, by what is wrong; and what people are told of it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.arrived import Arrived
from driftloop.breaker import Breaker
from driftloop.route import Served, challenged, promoted
from tests.driftloop.ledgers import Books, at, spec

HELD = {"quarantine": "keeps these rows out of training", "tell": "is to tell people",
        "ignore": "is to let it be"}  # fmt: skip


@pytest.fixture
def books():
    found = Books(spec(cooldown="6h"))
    found.serves(1, 2, 3)
    return found


@pytest.mark.parametrize(
    ("action", "mode"), [("retrain", "train"), ("recalibrate", "recalibrate"), (None, "train")]
)
def test_what_can_be_learned_starts_a_run_in_its_mode(books, action, mode):
    books.sees("concept_shift" if action else None, action)
    run = books.hear(books.alarm(0)).start
    assert json.loads(run.input)["mode"] == mode
    assert ("temp looks 100 times too large" in run.reason) == (action is not None)


@pytest.mark.parametrize("action", HELD)
def test_what_must_not_be_learned_starts_nothing_ever(books, action):
    """However many alarms, sweeps and labels come: the ×100 unit bug never retrains."""
    books.sees("unit_bug", action, performance=3.0)
    books.stands(0)
    for hour in range(0, 24 * 10, 5):
        books.arrived = Arrived(at(hour))
        for heard in (books.alarm(hour, "performance"), books.alarm(hour), books.sweep(hour + 1)):
            decision = books.hear(heard)
            assert decision.start is None and decision.entry.decision == "suppressed"
            assert HELD[action] in decision.entry.reason
            assert "temp looks 100 times too large" in decision.entry.reason
    assert len(books.told) == (action != "ignore"), (
        "people are told once, and not of what is let be"
    )


def test_people_are_told_again_when_it_begins_again(books):
    books.sees("unit_bug", "tell")
    books.hear(books.alarm(0))
    books.sees("unit_bug", "tell", since=100)
    books.hear(books.alarm(150))
    assert len(books.told) == 2


def test_people_are_told_of_what_comes_to_stand_beside_it(books):
    """Labels of an old window keep its trouble standing; a new one is not to hide behind it."""
    books.sees("unit_bug", "quarantine", performance=3.0)
    books.hear(books.alarm(0, "performance"))
    both = replace(books.watch, other="missing_source", besides="wind is missing. Look for it.")
    books.watch = both
    reason = books.hear(books.alarm(30)).entry.reason
    books.hear(books.alarm(31))
    assert "nothing else moved; besides, wind is missing." in reason
    assert len(books.told) == 2 and "Besides: wind is missing. Look" in books.told[1]["text"]
    books.watch = replace(both, kind="missing_source", other=None, besides="")
    books.hear(books.alarm(60))
    assert len(books.told) == 2, "what was told beside another is told"


def test_after_giving_up_there_is_silence_but_for_what_no_run_would_mend(books):
    books.breaker = Breaker(fruitless=3, gave_up=at(0))
    for hour, kind, action in ((1, "concept_shift", "retrain"), (2, "unit_bug", "quarantine")):
        books.sees(kind, action, since=hour)
        books.hear(books.alarm(hour))
        assert len(books.told) == (action == "quarantine")


def test_people_hear_of_an_alarm_that_nothing_explains(books):
    books.sees(None, None)
    books.hear(books.alarm(0))
    (told,) = books.told
    assert "drift since 2013-02-02, retraining" in told["subject"]
    assert "nothing tells why" in told["text"]


def test_an_alarm_about_a_version_that_has_gone_starts_nothing(books):
    books.sees("concept_shift", "retrain", version=2)
    books.stands(0)
    reason = books.hear(books.alarm(0)).entry.reason
    assert "was about version 2; no window of version 3" in reason
    assert "All is well" in books.hear(books.sweep(20)).entry.reason
    books.sees("concept_shift", "retrain")
    assert books.hear(books.sweep(30)).start


def test_an_alarm_stands_on_until_its_next_window(books):
    """Nothing is retried for a ratio that is within its threshold, or not known yet."""
    books.sees(None, None, drift=0.7)
    for hour, cause in ((20, "drift"), (30, "performance")):
        books.stands(0, cause)
        assert "All is well" in books.hear(books.sweep(hour)).entry.reason


# --- going back ---------------------------------------------------------------------------------


def test_a_bad_release_goes_back_to_the_champion_before_without_a_run(books):
    books.sees("bad_release", "roll_back", performance=2.0)
    found = books.hear(books.alarm(0, "performance"))
    assert (found.entry.decision, found.start) == ("rolled_back", None)
    assert (books.route.champion.version, books.route.previous) == (2, 1)
    audit = found.move.audit
    assert (audit.action, audit.actor, audit.before, audit.after) == ("rollback", "trigger", 3, 2)
    assert found.counts == {"RolledBack": 1, "ChampionVersion": 2}
    assert "rolled back to version 2" in books.told[0]["subject"]
    assert "driftloop rollback flights --to 3" in books.told[0]["text"]
    books.stands(0, "performance")  # until a window of version 2 is judged
    assert "All is well" in books.hear(books.sweep(7)).entry.reason
    assert "was about version 3" in books.hear(books.alarm(8)).entry.reason


def test_going_back_ends_at_the_first_version_and_never_comes_round(books):
    seen = []
    for hour in range(6):
        books.sees("bad_release", "roll_back", since=hour)
        books.hear(books.alarm(hour))
        seen.append(books.route.champion.version)
    assert seen == [2, 1, 1, 1, 1, 1]
    assert "no older champion came before it" in books.rows[-1].reason
    assert len(books.told) == 6


def test_a_persons_going_back_is_not_undone(books):
    """To version 2, with 3 remembered as the champion before."""
    books.serves(1, 3, 2)
    books.sees("bad_release", "roll_back")
    assert books.hear(books.alarm(0)).move is None
    assert books.route.champion.version == 2 and len(books.told) == 1


def test_what_a_person_puts_back_is_not_taken_back_again(books):
    """People are told how to undo it, and then it is undone."""
    books.sees("bad_release", "roll_back")
    books.hear(books.alarm(0))
    three = Served(3, "k3", "s3")
    books.route = promoted(books.route, three, at(1))
    books.stands(0)
    for hour in (7, 30):  # the same trouble, and one that begins anew
        books.sees("bad_release", "roll_back", since=hour - 7)
        assert books.hear(books.sweep(hour)).move is None
        assert "was taken back before, and somebody put it back" in books.rows[-1].reason
    assert books.route.champion == three and len(books.told) == 2


@pytest.mark.parametrize("action", HELD)
def test_what_no_run_would_mend_waits_for_none(books, action):
    """A bake or an approval may last days: people hear of a wrong unit now."""
    books.hear(books.upload(0))
    books.sees("unit_bug", action)
    assert books.hear(books.alarm(1)).entry.decision == "suppressed"
    assert len(books.told) == (action != "ignore") and not books.pending


def test_going_back_waits_for_no_training(books):
    books.hear(books.upload(0))
    books.sees("bad_release", "roll_back")
    assert books.hear(books.alarm(1)).move and books.lock.holder == books.running[0]
    assert books.hear(books.alarm(2)).entry.decision == "deferred"


@pytest.mark.parametrize(("outcome", "champion"), [("rejected", 2), ("released", 3)])
def test_going_back_waits_for_a_release_under_way_and_people_know(books, outcome, champion):
    books.hear(books.upload(0))
    steady = books.route
    books.route = challenged(steady, Served(4, "k4", "s4"), 0.1, at(0.5))
    books.sees("bad_release", "roll_back")
    assert books.hear(books.alarm(1)).entry.decision == "deferred"
    (told,) = books.told
    assert "not taken back while version 4 is on probation" in told["text"]
    books.route = steady
    ended = books.end(2, outcome)
    assert books.route.champion.version == champion and books.pending == []
    if outcome == "rejected":
        assert [r.decision for r in ended.resolved] == ["rolled_back"]
        assert len(books.told) == 2


def test_a_retry_tells_all_that_was_to_be_told(books):
    """Of the run that ended, and of what waited for it."""
    books.hear(books.upload(0))
    books.sees("concept_shift", "retrain")
    books.hear(books.alarm(1))
    end = books.ended(2, books.running[0], "FAILED", error="X", cause="y")
    first = books.hear(end)
    again = books.hear(end)
    assert again.repeat and again.notices == first.notices and len(first.notices) == 2


# --- any order ----------------------------------------------------------------------------------

ACTIONS = ["retrain", "recalibrate", "roll_back", "quarantine", "tell", "ignore"]
STEP = st.tuples(
    st.sampled_from(["drift", "performance", "upload", "sweep", "end", "labels"]),
    st.integers(0, 200),
    st.sampled_from(["released", "rejected", "failed"]),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ACTIONS), st.lists(STEP, max_size=40))
def test_only_what_may_be_learned_is_and_only_once(action, steps):
    books = Books(spec(cooldown="2h", max_per_day=96, give_up_after=3))
    books.serves(1, 2)
    books.sees("concept_shift", action, performance=1.5)
    books.stands(0)
    books.arrived, hours, arrivals = Arrived(at(0)), 0.0, [at(0)]
    for n, (kind, tenths, outcome) in enumerate(steps):
        hours += 0.1 + tenths / 10
        books.watch = books.watch and type(books.watch)(
            **{**vars(books.watch), "version": books.route.champion.version}
        )
        if kind == "end":
            if books.lock.holder:
                books.end(hours, outcome)
        elif kind == "labels":
            books.arrived = Arrived(at(hours))
            arrivals.append(at(hours))
        elif kind == "upload":
            books.hear(books.upload(hours, f"incoming/flights/{n}.csv"))
        elif kind == "sweep":
            books.hear(books.event("sweep", hours, identity=f"s{n}"))
        else:
            books.hear(books.event("alarm", hours, cause=kind, identity=f"{kind}{n}"))
    alarmed = [r for r in books.runs.values() if r.cause in ("drift", "performance")]
    if action in HELD or action == "roll_back":
        assert not alarmed
    assert {json.loads(r.input)["mode"] for r in alarmed} <= {
        "recalibrate" if action == "recalibrate" else "train"
    }
    learned = ""
    for run in sorted(books.runs.values(), key=lambda run: run.started):
        if run in alarmed:
            assert any(learned < time <= run.started for time in arrivals), "nothing to learn"
        if run.outcome not in (None, "failed"):
            learned = run.started
    escalated = [r for r in books.rows if r.escalated]
    released = [r for r in books.runs.values() if r.outcome == "released"]
    assert len(escalated) <= 1 + len(released)
