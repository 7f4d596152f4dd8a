"""Every strategy's way from version to champion, step by step, and every end with its reason."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import RouteMoved
from driftloop.ledger import Audit
from driftloop.release import LONGEST_HOLD, observe, start
from driftloop.releasing.evidence import Evidence, Seen
from driftloop.releasing.terms import Terms
from driftloop.route import (
    BLUE_GREEN,
    CANARY,
    LINEAR,
    SHADOW,
    STEADY,
    Served,
    advanced,
    challenged,
    first,
    held,
    promoted,
    resumed,
)
from driftloop.spec import Release
from driftloop.traffic import Traffic
from driftloop.when import iso, parse
from tests.driftloop.ledgers import at

ONE, TWO, THREE = (Served(n, f"k{n}", f"s{n}") for n in (1, 2, 3))
BASE = first(ONE, at(0))
GOOD, NOBODY = Traffic(500, 0, 500, 2.0, 3.0), Traffic()
FAILING = Traffic(40, 20, 20, 2.0, 3.0)


def terms(strategy=CANARY, **said):
    share = {} if strategy in (BLUE_GREEN, SHADOW, "all_at_once") else {"share": 0.2}
    return Terms(Release(strategy=strategy, **({"bake": "1h"} | share | said)))


def began(strategy=CANARY, route=BASE, version=TWO, **said):
    return start(version, route, terms(strategy, **said), at(0), "upload-1")


def seen(challenger, champion=GOOD):
    return Evidence(Seen(champion), Seen(challenger))


def after(hours, challenger, champion=GOOD, route=None, past=(), strategy=CANARY, **said):
    route = route or began(strategy, **said).route
    found = seen(challenger, champion)
    return observe(TWO, route, found, terms(strategy, **said), at(hours), "upload-1", past)


# --- the first step


def test_the_first_version_answers_at_once():
    step = began(route=None, version=ONE)
    assert (step.status, step.route, step.wait_seconds) == ("promoted", first(ONE, at(0)), 0)
    assert (step.audit.before, step.audit.after) == (None, 1)
    assert "first" in step.reason


def test_all_at_once_replaces_the_champion_and_remembers_it():
    step = began("all_at_once")
    assert (step.status, step.route.champion, step.route.previous) == ("promoted", TWO, 1)
    assert "at once" in step.audit.reason


@pytest.mark.parametrize(
    ("strategy", "share", "says"),
    [(CANARY, 0.2, "answers 0.2 of"), (LINEAR, 0.2, "answers 0.2 of"),
     (BLUE_GREEN, 1.0, "everything while the champion stands by"),
     (SHADOW, 0.0, "answers none")],
)  # fmt: skip
def test_a_strategy_says_what_its_challenger_answers(strategy, share, says):
    step = began(strategy)
    assert (step.status, step.wait_seconds, step.audit.action) == ("baking", 720, strategy)
    route = step.route
    assert (route.champion, route.challenger, route.share, route.step) == (ONE, TWO, share, 1)
    assert (route.strategy, route.shadow) == (strategy, strategy == SHADOW)
    assert says in step.reason
    assert Terms.from_json(route.terms) == terms(strategy)


def test_a_leftover_challenger_is_replaced_and_named():
    step = began(route=began().route, version=THREE)
    assert step.route.challenger == THREE and "replaces challenger 2" in step.reason


@pytest.mark.parametrize(
    ("route", "status"), [(began().route, "baking"), (promoted(BASE, TWO, at(0)), "promoted")]
)
def test_starting_again_changes_nothing(route, status):
    step = began(route=route)
    assert (step.status, step.route, step.audit) == (status, None, None)


# --- looks and ends


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN, SHADOW])
def test_a_good_challenger_is_promoted_with_what_was_seen(strategy):
    early = after(0.5, GOOD, strategy=strategy)
    assert (early.status, early.route, early.wait_seconds) == ("baking", None, 720)
    step = after(1, Traffic(120, 0, 120, 2.1, 3.0), strategy=strategy)
    assert (step.status, step.route.champion, step.route.previous) == ("promoted", TWO, 1)
    assert "0 of 120 requests failed" in step.reason and "2.10 ms" in step.reason
    assert step.audit.reason == step.reason and step.audit.after == 2


def test_a_linear_release_takes_every_step():
    route, shares, hour = began(LINEAR, share=0.3).route, [], 0
    while route.challenger:
        shares.append(route.share)
        hour += 1
        step = after(hour, GOOD, route=route, strategy=LINEAR, share=0.3)
        route = step.route
    assert shares == [0.3, 0.6, 0.9] and step.status == "promoted"
    assert Release(strategy="linear", share=0.1).shares == [k / 10 for k in range(1, 10)]


def test_a_step_taken_again_is_not_taken_twice():
    """Its write was made and its answer lost: the retry has the same time and the new route."""
    step = after(1, GOOD, strategy=LINEAR)
    assert (step.route.step, step.audit.action) == (2, "advance")
    again = after(1, GOOD, route=step.route, strategy=LINEAR)
    assert (again.status, again.route) == ("baking", None)


def test_a_bad_challenger_does_not_wait_for_the_end_of_its_bake():
    step = after(0.2, FAILING)
    assert (step.status, step.route.champion, step.route.challenger) == ("rolled_back", ONE, None)
    assert "20 of 40 requests failed" in step.audit.reason and step.audit.action == "withdraw"


def test_no_traffic_is_no_success_and_says_so():
    for hours in (1, 2):
        step = after(hours, NOBODY)
        assert (step.status, step.wait_seconds, step.route) == ("baking", 720, None)
        assert "no request of the 30" in step.reason and f"{hours} of at most 3" in step.reason
    step = after(3, NOBODY)
    assert (step.status, step.route.champion) == ("rolled_back", ONE)
    assert "no evidence is no success" in step.reason and "`release.unseen: promote`" in step.reason
    step = after(3, Traffic(7, 0, 7, 1.0, 1.0), unseen="promote")
    assert step.status == "promoted" and "7 requests failed" in step.reason
    assert "release.unseen" in step.reason


def test_a_bake_that_takes_no_time_is_judged_at_once():
    assert after(0, GOOD, bake="0s").status == "promoted"
    assert after(0, NOBODY, bake="0s").status == "rolled_back"


def test_what_chance_may_do_is_spent_at_the_look_that_decides():
    """One error in ten beside one in a hundred: rolled back at the look that decides,
    not where it waits, be it for its bake, for a person, or for a check that has too few."""
    doubted = Traffic(40, 4, 40, 2.0, 3.0)
    champion, untimed = Traffic(400, 4, 400, 2.0, 3.0), replace(doubted, timed=9)
    assert after(0.5, doubted, champion).status == "baking"
    assert after(1, doubted, champion).status == "rolled_back"
    assert after(1.5, untimed, champion).status == "baking"
    assert after(3, untimed, champion, unseen="promote").status == "rolled_back"
    held_back = held(began().route, "ann", "the fair", at(0.5))
    assert after(9, doubted, champion, route=held_back).status == "baking"
    slowly = began(LINEAR, share=0.05).route  # nineteen steps may not each do what one may
    assert after(1, doubted, champion, route=slowly, strategy=LINEAR, share=0.05).route.step == 2


# --- people


def test_a_release_that_is_held_stays_where_it_is_but_for_the_worst():
    route = held(began().route, "ann", "the fair", at(0.5))
    for hours, wait in ((0.5, 60), (2, 540), (300, LONGEST_HOLD)):
        step = after(hours, GOOD if hours < 3 else NOBODY, route=route)
        assert (step.status, step.route, step.wait_seconds) == ("baking", None, wait)
        assert step.reason == "held by ann (the fair)"
    assert after(2, FAILING, route=route).status == "rolled_back"
    again = resumed(route, at(2))
    assert after(2.5, GOOD, route=again).route is None
    assert after(3, GOOD, route=again).status == "promoted"


@pytest.mark.parametrize("action", ["abort", "rollback"])
def test_a_person_who_takes_it_back_ends_the_release_well(action):
    mine = began().audit
    past = [Audit(at(0.4), action, "ann", "odd numbers", 2, 1), mine]
    step = after(1, GOOD, route=BASE, past=past)
    assert (step.status, step.reason, step.route) == ("rolled_back", "ann: odd numbers", None)
    with pytest.raises(RouteMoved, match="upload-9"):  # a word of before this run is not about it
        other = Audit(at(0.5), "promote", "release", "of upload-9", 1, 3, "upload-9")
        after(1, GOOD, route=promoted(BASE, THREE, at(0.5)), past=[other, mine, past[0]])


def test_a_person_who_promotes_it_ends_the_release_well():
    assert after(0.5, NOBODY, route=promoted(began().route, TWO, at(0.4))).status == "promoted"


def test_observing_again_after_the_write_gives_the_same_end():
    assert after(2, GOOD, route=promoted(began().route, TWO, at(1))).status == "promoted"
    rolled = after(1, FAILING)
    again = after(1, NOBODY, route=rolled.route, past=[rolled.audit])
    assert (again.status, again.route, again.reason) == ("rolled_back", None, rolled.reason)


@pytest.mark.parametrize("route", [None, BASE, promoted(BASE, THREE, at(0)),
                                   challenged(BASE, THREE, 0.1, at(0), CANARY)])  # fmt: skip
def test_a_route_that_another_release_moved_ends_the_run(route):
    last = Audit(at(1), "promote", "release", "better", 1, 3, "upload-2")
    with pytest.raises(RouteMoved, match="release: promote"):
        observe(TWO, route, seen(GOOD), terms(), at(1), "upload-1", [last])


# --- properties

STRATEGIES = st.sampled_from(["all_at_once", CANARY, LINEAR, BLUE_GREEN, SHADOW])


@st.composite
def stories(draw):
    strategy = draw(STRATEGIES)
    said = {"bake": draw(st.sampled_from(["0s", "30s", "10m", "1d"])),
            "patience": draw(st.integers(1, 4)), "min_requests": draw(st.integers(1, 60)),
            "unseen": draw(st.sampled_from(["roll_back", "promote"]))}  # fmt: skip
    if strategy in (CANARY, LINEAR):
        said["share"] = draw(st.floats(0.05, 0.99))
    counts = st.tuples(st.integers(0, 90), st.sampled_from([0, 0, 0, 0.01, 0.5]))
    return Terms(Release(strategy=strategy, **said)), draw(st.lists(counts, min_size=1))


@settings(max_examples=150, deadline=None)
@given(stories())
def test_every_release_ends_for_a_reason_and_never_gives_more_than_it_saw(story):
    """It terminates; shares lie in [0, 1] and never fall; every look is at most as far as the
    end of its bake; steps are counted; nothing is promoted unseen unless the spec says so."""
    held_to, traffic = story
    policy, now = held_to.release, parse(at(0))
    step = start(TWO, BASE, held_to, iso(now), "r")
    route, share, looks, enough = step.route, 0.0, 0, policy.strategy == "all_at_once"
    while step.status == "baking":
        assert 0 <= route.share <= 1 and route.share >= share and step.reason
        assert step.route is None or step.route.revision == route.revision
        assert 1 <= step.wait_seconds <= max(60, policy.bake.total_seconds())
        share, looks = route.share, looks + 1
        assert looks <= 60 * policy.patience * len(policy.shares) + 60
        now += timedelta(seconds=step.wait_seconds)
        n, rate = traffic[looks % len(traffic)]
        errors = int(n * rate)
        given = Traffic(n, errors, n - errors, 1.0, 2.0)
        enough = n >= policy.min_requests and n - errors >= policy.min_requests
        step = observe(TWO, route, seen(given, Traffic(900, 0, 900, 1.0, 2.0)), held_to,
                       iso(now), "r")  # fmt: skip
        if step.route is not None:
            assert step.route.revision == route.revision + 1 and step.audit.reason
            if step.status == "baking":
                assert step.route.step == route.step + 1
                assert enough or policy.unseen == "promote"
        route = step.route or route
    assert route.strategy == STEADY and route.challenger is None and route.share == 0
    if step.status == "promoted":
        assert route.champion == TWO and (enough or policy.unseen == "promote")
        assert route.previous == 1
    else:
        assert route.champion == ONE


@given(st.integers(0, 400), st.floats(0, 1), st.integers(0, 4000), st.floats(0, 1),
       st.floats(0, 5))  # fmt: skip
def test_judgements_are_sound(n, p, m, q, hours):
    challenger = Traffic(n, int(n * p), n - int(n * p), 1.0, 1.0)
    champion = Traffic(m, int(m * q), m - int(m * q), 1.0, 1.0)
    step = after(hours, challenger, champion)
    if step.status == "promoted":
        assert n >= 30 and hours >= 0.9
    if n >= 100 and challenger.errors == n and not champion.errors and m:
        assert step.status == "rolled_back"
    if not challenger.errors and hours < 2.9:
        assert step.status != "rolled_back"
    lesser = replace(challenger, errors=0, timed=n)
    if step.status == "promoted":
        assert after(hours, lesser, champion).status == "promoted"


def test_advancing_keeps_who_was_in():
    small = challenged(BASE, TWO, 0.2, at(0), LINEAR)
    large = advanced(small, 0.4, at(1))
    names = [str(i) for i in range(2000)]
    assert {n for n in names if small.pick(n) is TWO} <= {n for n in names if large.pick(n) is TWO}
