import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.errors import RouteMoved
from driftloop.route import CANARY, STEADY, Route, Served, canary, first, promoted, withdrawn

ONE, TWO, THREE = (Served(n, f"k{n}", f"s{n}") for n in (1, 2, 3))
T = "2013-02-01T00:00:00.000Z"


def test_transitions_and_their_revisions():
    route = first(ONE, T)
    assert (route.revision, route.champion, route.previous) == (1, ONE, None)
    trial = canary(route, TWO, 0.1, T)
    assert (trial.revision, trial.champion, trial.challenger, trial.step) == (2, ONE, TWO, CANARY)
    won = promoted(trial, TWO, T)
    assert (won.revision, won.champion, won.challenger, won.previous) == (3, TWO, None, 1)
    lost = withdrawn(trial, T)
    assert (lost.revision, lost.champion, lost.challenger, lost.step) == (3, ONE, None, STEADY)
    with pytest.raises(RouteMoved):
        withdrawn(lost, T)


@given(st.floats(0.001, 0.999))
def test_a_route_survives_the_registry(share):
    for route in (
        first(ONE, T),
        canary(first(ONE, T), TWO, share, T),
        promoted(first(ONE, T), TWO, T),
    ):
        assert Route.from_item(route.to_item()) == route
        assert all(value is not None for value in route.to_item().values())


def test_the_share_is_kept_and_keys_stick():
    route = canary(first(ONE, T), TWO, 0.1, T)
    picked = [route.pick(f"key-{i}") for i in range(20_000)]
    assert 1800 < picked.count(TWO) < 2200  # about 5 sigma
    again = promoted(route, ONE, "later")
    assert [canary(again, TWO, 0.1, T).pick(f"key-{i}") for i in range(20_000)] == picked


def test_more_share_keeps_who_was_in_and_another_challenger_draws_anew():
    small, large = (canary(first(ONE, T), TWO, share, T) for share in (0.1, 0.3))
    other = canary(first(ONE, T), THREE, 0.1, T)
    names = [f"key-{i}" for i in range(5000)]
    inside = {n for n in names if small.pick(n) is TWO}
    assert inside <= {n for n in names if large.pick(n) is TWO}
    assert len(inside & {n for n in names if other.pick(n) is THREE}) < len(inside) / 4


@given(st.text())
def test_any_key_is_answered(key):
    assert canary(first(ONE, T), TWO, 0.5, T).pick(key) in (ONE, TWO)
