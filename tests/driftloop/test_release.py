"""Every end of a release, with its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import RouteMoved
from driftloop.ledger import Audit
from driftloop.release import ENOUGH, MOST_BAKES, bakes, judge, observe, start
from driftloop.route import Served, canary, first, promoted
from driftloop.spec import Release
from driftloop.traffic import Traffic
from tests.driftloop.ledgers import at

ONE, TWO, THREE = (Served(n, f"k{n}", f"s{n}") for n in (1, 2, 3))
CANARY = Release(strategy="canary", share=0.2, bake="1h")
BASE = first(ONE, at(0))
TRIAL = canary(BASE, TWO, 0.2, at(0))
GOOD = Traffic(500, 0, 2.0)


def begin(version, route, policy=CANARY):
    return start(version, route, policy, at(0), "upload-1")


def after(hours, challenger, champion=GOOD, route=TRIAL, last=None):
    return observe(TWO, route, champion, challenger, CANARY, at(hours), "upload-1", last)


def test_the_first_version_answers_at_once():
    step = begin(ONE, None)
    assert (step.status, step.route, step.wait_seconds) == ("promoted", first(ONE, at(0)), 0)
    assert (step.audit.before, step.audit.after) == (None, 1)
    assert "first" in step.reason


def test_all_at_once_replaces_the_champion_and_remembers_it():
    step = begin(TWO, BASE, Release(strategy="all_at_once"))
    assert (step.status, step.route.champion, step.route.previous) == ("promoted", TWO, 1)


def test_a_canary_bakes():
    step = begin(TWO, BASE)
    assert (step.status, step.wait_seconds) == ("baking", 3600)
    assert (step.route.champion, step.route.challenger, step.route.share) == (ONE, TWO, 0.2)
    assert "20" not in step.reason and "0.2" in step.reason


def test_a_leftover_challenger_is_replaced_and_named():
    step = begin(THREE, TRIAL)
    assert step.route.challenger == THREE and "replaces challenger 2" in step.reason


@pytest.mark.parametrize(
    ("route", "status"), [(TRIAL, "baking"), (promoted(BASE, TWO, at(0)), "promoted")]
)
def test_starting_again_changes_nothing(route, status):
    step = begin(TWO, route)
    assert (step.status, step.route, step.audit) == (status, None, None)


def test_a_good_challenger_is_promoted_with_what_was_seen():
    step = after(1, Traffic(120, 0, 2.1))
    assert (step.status, step.route.champion) == ("promoted", TWO)
    assert "120 requests" in step.reason and step.audit.after == 2


def test_an_erring_challenger_is_rolled_back():
    for challenger in (Traffic(1, 1, None), Traffic(10, 3, 2.0), Traffic(200, 30, 2.0)):
        step = after(1, challenger)
        assert (step.status, step.route.champion, step.route.challenger) == (
            "rolled_back",
            ONE,
            None,
        )
        assert "failed" in step.reason and step.audit.action == "withdraw"


def test_errors_that_the_champion_has_too_are_not_the_challengers():
    assert after(1, Traffic(100, 12, 2.0), Traffic(1000, 110, 2.0)).status == "promoted"
    assert after(1, Traffic(1000, 2, 2.0)).status == "promoted"  # 2 in 1,000 may be chance


def test_a_slow_challenger_is_rolled_back():
    step = after(1, Traffic(100, 0, 9.0))
    assert step.status == "rolled_back" and "9.00 ms" in step.reason
    assert after(1, Traffic(100, 0, 0.9), Traffic(100, 0, 0.1)).status == "promoted"


def test_no_traffic_is_no_success_and_says_so():
    for hours in range(1, MOST_BAKES):
        step = after(hours, Traffic())
        assert (step.status, step.wait_seconds, step.route) == ("baking", 3600, None)
        assert "no traffic was seen" in step.reason
    step = after(MOST_BAKES, Traffic())
    assert step.status == "promoted"
    assert "no traffic was seen" in step.reason and "validation alone" in step.reason
    assert "only 7 of the 30" in after(1, Traffic(7, 0, 1.0)).reason


def test_observing_again_after_the_write_gives_the_same_end():
    assert after(2, GOOD, route=promoted(TRIAL, TWO, at(1))).status == "promoted"
    rolled = after(1, Traffic(10, 10))
    again = after(1, Traffic(), route=rolled.route, last=rolled.audit)
    assert (again.status, again.route) == ("rolled_back", None)


@pytest.mark.parametrize("route", [None, BASE, promoted(BASE, THREE, at(0)),
                                   canary(BASE, THREE, 0.1, at(0))])  # fmt: skip
def test_a_route_that_somebody_else_moved_ends_the_run(route):
    last = Audit(at(1), "rollback", "ann", "numbers look odd", 1, 3)
    with pytest.raises(RouteMoved, match="ann: rollback"):
        after(1, GOOD, route=route, last=last)


def test_bakes_are_counted_with_a_little_mercy():
    hour = CANARY.bake
    assert [bakes(at(0), at(h), hour) for h in (0, 0.5, 1, 1.5, 1.95, 3.01)] == [1, 1, 1, 1, 2, 3]
    assert bakes(at(0), at(0), Release(bake="0s").bake) == MOST_BAKES


COUNTS = st.integers(0, 2000)


@given(COUNTS, st.floats(0, 1), COUNTS, st.floats(0, 1), st.integers(1, 5))
def test_judgements_are_sound(n, p, m, q, done):
    challenger, champion = Traffic(n, int(n * p), 1.0), Traffic(m, int(m * q), 1.0)
    found = judge(champion, challenger, done)
    assert found.reason
    if found.verdict == "roll_back":
        assert challenger.errors
    if found.verdict == "wait":
        assert n < ENOUGH and done < MOST_BAKES
    if n >= 100 and challenger.errors == n and champion.errors == 0:
        assert found.verdict == "roll_back"
    if challenger.errors == 0:
        assert found.verdict != "roll_back"
