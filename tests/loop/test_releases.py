"""Each strategy with a good, a slow, an erring and a silently wrong challenger: the right end for
each, with the reason in the audit. Real requests over HTTP, the deployed functions, and a clock
that is moved."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.cli.app import run
from tests.loop import challengers
from tests.loop.challengers import Desk
from tests.loop.conftest import PROBATION, Loop

STRATEGIES: dict[str, dict[str, Any]] = {
    "canary": {"share": 0.5},
    "linear": {"share": 0.4},
    "blue_green": {},
    "shadow": {},
    "all_at_once": {},  # the last, since it ends with whatever came
}
CHALLENGERS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "good": (challengers.good, ""),
    "slow": (challengers.slow, "latency: "),
    "erroring": (challengers.erroring, "errors: "),
    "wrong": (challengers.wrong, "answers: "),
}
PLAN = challengers.stumps("x", "y")


@pytest.fixture(scope="module")
def desk(loop: Loop) -> Desk:
    """A model whose first version answers."""
    found = Desk(loop, "probation")
    assert found.start(found.register(PLAN))["status"] == "promoted"
    return found


@pytest.fixture(scope="module", params=STRATEGIES)
def strategy(desk: Desk, request: pytest.FixtureRequest) -> str:
    """What the deployed release function goes by."""
    evidence = {} if request.param == "all_at_once" else {"bake": "2m", "min_requests": 20}
    said = {"strategy": request.param} | evidence | STRATEGIES[request.param]
    desk.obey(PROBATION | {"release": said})
    return str(request.param)


def send(desk: Desk, count: int) -> set[int]:
    """Which versions answered requests of many kinds."""
    rows = [{"x": (i * 7 % 10) / 10, "y": (i * 3 % 10) / 10} for i in range(count)]
    return {answer["version"] for answer in desk.send(rows)}


@pytest.mark.parametrize("kind", CHALLENGERS)
def test_every_strategy_brings_every_challenger_to_its_right_end(
    desk: Desk, strategy: str, kind: str
) -> None:
    make, check = CHALLENGERS[kind]
    champion = desk.route().champion.version
    if strategy == "blue_green":
        send(desk, 30)  # what the champion did before
    number = desk.register(make(PLAN))
    step, steps, told = desk.start(number), 0, set()
    while step["status"] == "baking":
        steps += 1
        told |= send(desk, 64 if strategy in ("canary", "linear") else 30)
        step = desk.follow(step)
    audit, route = desk.audit()[0], desk.route()
    assert route.challenger is None and audit.reason.startswith(step["reason"])
    if strategy == "all_at_once":
        assert step["status"] == "promoted" and "at once" in audit.reason
        return
    # who fails leaves the answer to the champion, and a shadow always does: nobody notices
    assert (number in told) == (kind != "erroring" and strategy != "shadow")
    assert told <= {champion, number}
    if kind == "good":
        assert (step["status"], audit.action) == ("promoted", "promote"), step
        assert route.champion.version == number and "requests failed" in step["reason"]
        assert steps == (2 if strategy == "linear" else 1)
    else:
        assert (step["status"], audit.action) == ("rolled_back", "withdraw"), step
        assert route.champion.version == champion and check in step["reason"]


def test_a_person_sees_holds_and_ends_a_release(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's word is one write, and the run finds it at its next look."""
    desk.obey(PROBATION | {"release": {"strategy": "shadow", "bake": "2m", "min_requests": 20}})
    champion = desk.route().champion.version
    step = desk.start(desk.register(challengers.good(PLAN)))
    send(desk, 10)
    with desk.registry():
        assert run(["release", "status", desk.model, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["strategy"], told["verdict"]) == ("shadow", "wait")
        assert [(f["check"], f["state"], f["n"]) for f in told["findings"][:3]] == [
            ("errors", "few", 10), ("latency", "few", 10), ("answers", "few", 10),
        ]  # fmt: skip
        assert run(["release", "pause", desk.model, "--reason", "the fair"]) == 0
    held = desk.observe()
    assert held["status"] == "baking" and "the fair" in held["reason"]
    with desk.registry():
        assert run(["release", "abort", desk.model, "--reason", "odd numbers"]) == 0
    ended = desk.follow(step)
    assert ended["status"] == "rolled_back" and "odd numbers" in ended["reason"]
    assert desk.route().champion.version == champion


def test_new_code_leaves_the_model_as_it_is(desk: Desk) -> None:
    """What a deployment does: another function version, and the alias that requests go to."""
    functions, name = desk.loop.client("lambda"), f"driftloop-dev-{desk.model}-predict"
    (alias,) = functions.list_aliases(FunctionName=name)["Aliases"]
    before = desk.route()
    functions.update_function_configuration(FunctionName=name, Description="newer code")
    new = functions.publish_version(FunctionName=name)["Version"]
    assert new != alias["FunctionVersion"]
    functions.update_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=new)
    assert send(desk, 3) == {before.champion.version} and desk.route() == before
