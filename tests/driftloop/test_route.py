from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import RouteMoved
from driftloop.route import (
    CANARY,
    LINEAR,
    SHADOW,
    STEADY,
    Paused,
    Route,
    Served,
    advanced,
    challenged,
    first,
    held,
    promoted,
    resumed,
    withdrawn,
)

ONE, TWO, THREE = (Served(n, f"k{n}", f"s{n}") for n in (1, 2, 3))
T, LATER = "2013-02-01T00:00:00.000Z", "2013-02-01T01:00:00.000Z"


def test_transitions_and_their_revisions():
    route = first(ONE, T)
    assert (route.revision, route.champion, route.previous) == (1, ONE, None)
    trial = challenged(route, TWO, 0.1, T)
    assert (trial.revision, trial.champion, trial.challenger) == (2, ONE, TWO)
    assert (trial.strategy, trial.step, trial.began, trial.shadow) == (CANARY, 1, T, False)
    won = promoted(trial, TWO, T)
    assert (won.revision, won.champion, won.challenger, won.previous) == (3, TWO, None, 1)
    lost = withdrawn(trial, T)
    assert (lost.revision, lost.champion, lost.challenger, lost.strategy) == (3, ONE, None, STEADY)
    assert replace(lost, revision=1) == route
    for change in (withdrawn, resumed, lambda r, t: advanced(r, 0.2, t),
                   lambda r, t: held(r, "ann", "why", t)):  # fmt: skip
        with pytest.raises(RouteMoved, match="nothing is being released"):
            change(lost, T)


def test_steps_pauses_and_what_they_keep():
    trial = challenged(first(ONE, T), TWO, 0.2, T, LINEAR)
    second = advanced(trial, 0.4, LATER)
    assert (second.step, second.share, second.since, second.began) == (2, 0.4, LATER, T)
    stopped = held(second, "ann", "odd numbers", LATER)
    assert stopped.paused == Paused("ann", "odd numbers", LATER)
    assert (stopped.share, stopped.since, stopped.step) == (0.4, LATER, 2)
    again = resumed(replace(stopped, since=T), LATER)
    assert (again.paused, again.since, again.began, again.revision) == (None, LATER, T, 5)


def test_a_shadow_answers_nobody_and_a_standby_champion_neither():
    shadow = challenged(first(ONE, T), TWO, 0.0, T, SHADOW)
    assert shadow.shadow and {shadow.pick(str(i)) for i in range(1000)} == {ONE}
    assert not withdrawn(shadow, T).shadow
    green = challenged(first(ONE, T), TWO, 1.0, T, "blue_green")
    assert {green.pick(str(i)) for i in range(1000)} == {TWO}


def test_routes_of_before_there_were_steps_are_read():
    trial = challenged(first(ONE, T), TWO, 0.1, T)
    for route, step in ((trial, "canary"), (first(ONE, T), "steady")):
        item = route.to_item() | {"step": step}
        del item["strategy"]
        item.pop("began", None)
        assert Route.from_item(item) == route


@given(st.floats(0.001, 0.999))
def test_a_route_survives_the_registry(share):
    for route in (
        first(ONE, T),
        challenged(first(ONE, T), TWO, share, T),
        promoted(first(ONE, T), TWO, T),
        challenged(first(ONE, T), TWO, 0.0, T, SHADOW),
        held(advanced(challenged(first(ONE, T), TWO, 0.1, T), share, T), "ann", "why", T),
    ):
        assert Route.from_item(route.to_item()) == route
        assert all(value is not None for value in route.to_item().values())


def test_the_share_is_kept_and_keys_stick():
    route = challenged(first(ONE, T), TWO, 0.1, T)
    picked = [route.pick(f"key-{i}") for i in range(20_000)]
    assert 1800 < picked.count(TWO) < 2200  # about 5 sigma
    again = promoted(route, ONE, "later")
    assert [challenged(again, TWO, 0.1, T).pick(f"key-{i}") for i in range(20_000)] == picked


def test_more_share_keeps_who_was_in_and_another_challenger_draws_anew():
    small, large = (challenged(first(ONE, T), TWO, share, T) for share in (0.1, 0.3))
    other = challenged(first(ONE, T), THREE, 0.1, T)
    names = [f"key-{i}" for i in range(5000)]
    inside = {n for n in names if small.pick(n) is TWO}
    assert inside <= {n for n in names if large.pick(n) is TWO}
    assert len(inside & {n for n in names if other.pick(n) is THREE}) < len(inside) / 4


@given(st.text())
def test_any_key_is_answered(key):
    assert challenged(first(ONE, T), TWO, 0.5, T).pick(key) in (ONE, TWO)
