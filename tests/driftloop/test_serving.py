"""Whatever happens to registry and bucket, what is loaded answers, and says truly what it is."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import IntegrityError
from driftloop.plan import load
from driftloop.route import SHADOW, challenged, promoted, withdrawn
from driftloop.serving import FRESH_MS
from driftloop.wire import source
from tests.driftloop.plans import NOW, ROW, Desk, plan

SCORERS = {n: load(plan(float(n))) for n in range(1, 8)}
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 30_000)),
        st.tuples(st.sampled_from(["promote", "canary", "shadow", "withdraw", "spoil"]), st.none()),
        st.tuples(st.just("down"), st.booleans()),
        st.tuples(st.just("slow"), st.none() | st.integers(1, 1500)),
    ),
    max_size=30,
)


def move(desk, kind, value, number):
    shelf = desk.shelf
    route, since = shelf.current, shelf.current.since
    if kind == "down":
        shelf.down = value
    elif kind == "slow":
        shelf.slow = value
    elif kind == "withdraw" and route.challenger:
        shelf.current = withdrawn(route, since)
    elif kind in ("promote", "canary", "shadow", "spoil") and number < 8:
        served = shelf.put(number, plan(float(number)))
        if kind == "spoil":
            shelf.plans[served.key] += b" "
        if kind == "canary":
            shelf.current = challenged(route, served, 0.5, since)
        elif kind == "shadow":
            shelf.current = challenged(route, served, 0.0, since, SHADOW)
        else:
            shelf.current = promoted(route, served, since)
        return number + 1
    return number


@settings(max_examples=150, deadline=None)
@given(EVENTS)
def test_law_6_every_request_is_answered_by_the_version_it_names(events):
    desk = Desk(plan(1.0))
    now, number, released = NOW, 2, {1}
    assert desk.ask([ROW])[0] == 200
    for i, (kind, value) in enumerate(events):
        if kind == "wait":
            now += value
        else:
            number = move(desk, kind, value, number)
            released |= {s.version for s in (desk.shelf.current.champion,)}
            challenger = desk.shelf.current.challenger
            released |= {challenger.version} if challenger else set()
        status, headers, body, lines = desk.ask([ROW], now=now, request=f"r{i}")
        assert status == 200 and body["version"] in released
        scorer = SCORERS[body["version"]]
        assert body["predictions"][0]["probability"] == scorer.score([scorer.row(ROW)])[0]
        assert lines[0]["version"] == body["version"] and lines[0]["role"] != "shadow"
        age = headers.get("x-driftloop-stale")
        assert (age is not None) == desk.endpoint.live.stale
        served = next(line for line in lines if "BadRequests" in line)
        assert ("StaleSeconds" in served) == (age is not None)
    desk.shelf.down, desk.shelf.slow = False, None
    route = desk.shelf.current
    spoilt = [key for key, data in desk.shelf.plans.items() if data.endswith(b" ")]
    if not any(served and served.key in spoilt for served in (route.champion, route.challenger)):
        status, headers, body, _ = desk.ask([ROW], now=now + 2 * FRESH_MS)
        assert "x-driftloop-stale" not in headers  # it finds its way back
        assert desk.endpoint.live.route == route


def test_a_lost_bucket_costs_one_try_a_look_not_one_a_request():
    desk = Desk()
    desk.ask([ROW])
    route = desk.shelf.current
    desk.shelf.current = promoted(route, desk.shelf.put(2, plan(2.0)), route.since)
    desk.shelf.slow = 0  # nothing comes
    for ms in range(0, 9_000, 1_000):
        assert desk.ask([ROW], now=NOW + 11_000 + ms)[2]["version"] == 1
    assert (desk.shelf.looks, desk.shelf.fetches) == (2, 2)


def test_route_plan_and_challenger_share_one_budget_of_a_fifth_of_a_second():
    desk = Desk()
    desk.ask([ROW])
    route, since = desk.shelf.current, desk.shelf.current.since
    route = promoted(route, desk.shelf.put(2, plan(2.0)), since)
    desk.shelf.current = challenged(route, desk.shelf.put(3, plan(3.0)), 1.0, since)
    given_route, given_plan, budgets = desk.shelf.route, desk.shelf.plan, []

    def slow_route(budget):
        budgets.append(budget)
        time.sleep(0.08)
        return given_route(budget)

    def slow_plan(key, start, budget):
        budgets.append(budget)
        time.sleep(0.13)
        return given_plan(key, start, budget)

    desk.shelf.route, desk.shelf.plan = slow_route, slow_plan
    versions = [desk.ask([ROW], now=NOW + 11_000 + ms)[2]["version"] for ms in (0, 10)]
    assert versions == [2, 3]  # the challenger's turn came with the second request
    route_s, champion_s, challenger_s = budgets
    assert route_s <= 0.2 and champion_s <= 0.12 and challenger_s <= 0.2


def test_a_route_that_nobody_can_read_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(source, "get_item", lambda *_: {"revision": 1})
    settings = type("Settings", (), {"table": "t", "model": "m", "store": "s"})()
    with pytest.raises(IntegrityError, match="malformed"):
        source.Source(settings, None).route(0.1)
