"""`driftloop release …` against a deployed registry (moto in this process)."""

import json

import pytest

from driftloop import route
from driftloop.ledger import Audit
from driftloop.releasing.terms import Terms
from driftloop.spec import Release
from infra.cli import release_moves, release_status, target
from infra.cli.app import run
from tests.infra.cli.test_deployed import put, released, served

BEGAN, NOW = "2013-02-02T10:00:00.000Z", "2013-02-02T10:04:00.000Z"


@pytest.fixture
def baking(registry, monkeypatch):
    """Version 2 has been a canary beside version 1 for four minutes."""
    for module in (release_moves, release_status):
        monkeypatch.setattr(module, "now", lambda: target.datetime.fromisoformat(NOW))
    monkeypatch.setattr(release_moves, "actor", lambda: "ann")
    released(registry, 1)
    registry.table.write(put(2))
    terms = Terms(Release(bake="10m")).to_json()
    old = registry.route("flights")
    new = route.challenged(old, served(2), 0.1, BEGAN, "canary", terms)
    registry.move_route("flights", old, new, Audit(BEGAN, "canary", "release", "new", 1, 2, "r"))
    return registry


def test_status_says_the_step_the_evidence_and_what_it_waits_for(baking, capsys):
    assert run(["release", "status", "flights"]) == 0
    said = capsys.readouterr().out
    for part in ("version 2 beside version 1, canary, step 1 of 1 at 10% since 2013-02-02 10:00",
                 "bake 1 of at most 3, over at 2013-02-02 10:10", "too few yet",
                 "no request of the 30"):  # fmt: skip
        assert part in said
    assert run(["release", "status", "flights", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["bake_ends"]) == ("wait", "2013-02-02T10:10:00.000Z")
    assert [f["check"] for f in told["findings"]] == ["errors", "latency", "answers", "quality"]
    assert run(["status"]) == 0
    assert "2 (canary, 10%)" in capsys.readouterr().out


def test_a_release_is_held_and_let_go(baking, capsys):
    assert run(["release", "pause", "flights", "--reason", "the fair"]) == 0
    assert "stays at 10%" in capsys.readouterr().out
    assert baking.route("flights").paused == route.Paused("ann", "the fair", NOW)
    assert run(["release", "status", "flights"]) == 0
    assert "held by ann since 2013-02-02 10:04: the fair" in capsys.readouterr().out
    assert run(["release", "pause", "flights"]) == 1
    assert "ann holds it already (the fair)" in capsys.readouterr().err
    assert run(["release", "resume", "flights"]) == 0
    now = baking.route("flights")
    assert (now.paused, now.since, now.began) == (None, NOW, BEGAN)
    assert run(["release", "resume", "flights"]) == 1
    assert "nobody holds it" in capsys.readouterr().err
    assert {a.action for a in baking.audit("flights")} >= {"pause", "resume"}


def test_a_release_is_taken_back(baking, capsys):
    assert run(["release", "abort", "flights", "--reason", "odd numbers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["champion"] == 1
    now, audit = baking.route("flights"), next(baking.audit("flights"))
    assert (now.champion.version, now.challenger, now.strategy) == (1, None, "steady")
    assert (audit.action, audit.actor, audit.reason) == ("abort", "ann", "odd numbers")
    assert (audit.before, audit.after) == (2, 1)
    assert run(["release", "status", "flights"]) == 0
    said = capsys.readouterr().out
    assert "nothing is being released; version 1 answers" in said and "odd numbers" in said


def test_a_release_is_cut_short(baking, capsys):
    assert run(["release", "promote", "flights"]) == 0
    assert "version 2 answers everything, instead of 1" in capsys.readouterr().out
    now = baking.route("flights")
    assert (now.champion.version, now.previous, now.challenger) == (2, 1, None)


@pytest.mark.parametrize("word", ["pause", "resume", "abort", "promote"])
def test_without_a_release_there_is_nothing_to_say(registry, capsys, word):
    released(registry, 1)
    assert run(["release", word, "flights"]) == 1
    assert "nothing is being released; version 1 answers" in capsys.readouterr().err
    assert run(["release", word, "trains"]) == 2


def test_a_rollback_to_the_champion_takes_the_challenger_back(baking, capsys):
    """And no more than that: the champion before it is still the one to roll back to."""
    assert run(["rollback", "flights", "--to", "1"]) == 0
    left = baking.route("flights")
    assert (left.champion.version, left.challenger, left.previous) == (1, None, None)
    assert next(iter(baking.audit("flights"))).action == "rollback"
