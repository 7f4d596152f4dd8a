"""From version to champion: at once, or after a while beside the champion. Pure.

A canary bakes: after every `release.bake` the challenger is judged by what the endpoint reported
of both versions since it began.

- *Errors*: it is rolled back when its error rate is above the champion's beyond chance (lower end
  of the 95 % Wilson score interval; Wilson 1927) and above 1 %.
- *Latency*: rolled back when its mean is over twice the champion's and 1 ms more.
- *No or little traffic is not success*: below :data:`ENOUGH` requests it bakes on, up to
  :data:`MOST_BAKES` bakes. Then it is promoted on the evidence of its validation alone, and the
  reason says that nobody came to see it: a model without traffic must be able to move on, and
  there is nobody whom a bad version would hurt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from driftloop.errors import RouteMoved
from driftloop.ledger import Audit
from driftloop.route import Route, Served, canary, first, promoted, withdrawn
from driftloop.spec import Release
from driftloop.traffic import Traffic
from driftloop.when import parse

ENOUGH = 30  # requests, before their mean latency and their lack of errors mean anything
MOST_BAKES = 3
_Z = 1.959963984540054  # of the normal distribution, for 95 %

Status = Literal["baking", "promoted", "rolled_back"]


@dataclass(frozen=True)
class Step:
    """What to do now. ``route`` is to be written over the one that was read; None: nothing to
    write. ``audit`` goes with it."""

    status: Status
    reason: str
    wait_seconds: int = 0
    route: Route | None = None
    audit: Audit | None = None


@dataclass(frozen=True)
class Judgement:
    verdict: Literal["promote", "wait", "roll_back"]
    reason: str


def start(version: Served, route: Route | None, policy: Release, now: str, run: str) -> Step:
    """The first step of releasing ``version``. Taken again, it changes nothing."""
    number, bake = version.version, int(policy.bake.total_seconds())

    def step(status: Status, action: str, new: Route, reason: str, wait: int = 0) -> Step:
        before = route.champion.version if route else None
        return Step(
            status, reason, wait, new, Audit(now, action, "release", reason, before, number, run)
        )

    if route is None:
        reason = f"version {number} is the first: there is no champion to compare it with"
        return step("promoted", "promote", first(version, now), reason)
    if route.champion.version == number:
        return Step("promoted", f"version {number} is the champion already")
    if route.challenger is not None and route.challenger.version == number:
        return Step("baking", f"version {number} is the challenger already", bake)
    if policy.strategy == "all_at_once":
        reason = f"the spec releases at once; version {route.champion.version} steps down"
        return step("promoted", "promote", promoted(route, version, now), reason)
    reason = (
        f"version {number} answers {policy.share:.3g} of the requests and is judged every {bake} s"
    )
    if route.challenger is not None:
        reason += f"; it replaces challenger {route.challenger.version}"
    return step("baking", "canary", canary(route, version, policy.share, now), reason, bake)


def observe(
    version: Served,
    route: Route | None,
    champion: Traffic,
    challenger: Traffic,
    policy: Release,
    now: str,
    run: str,
    last: Audit | None = None,
) -> Step:
    """The step after a bake. ``last``: the newest audit entry of the route, to tell a step taken
    again from a route that somebody else moved.

    Raises RouteMoved when ``version`` is neither challenger nor champion, and not by this run.
    """
    number = version.version
    if route is not None and route.champion.version == number:
        return Step("promoted", f"version {number} is the champion already")
    if route is None or route.challenger is None or route.challenger.version != number:
        if last is not None and (last.run, last.action) == (run, "withdraw"):
            return Step("rolled_back", last.reason)
        by = f"; {last.actor}: {last.action} ({last.reason})" if last else ""
        raise RouteMoved(f"version {number} is no longer the challenger{by}")
    found = judge(champion, challenger, bakes(route.since, now, policy.bake))
    before = route.champion.version
    if found.verdict == "wait":
        return Step("baking", found.reason, int(policy.bake.total_seconds()))
    if found.verdict == "promote":
        audit = Audit(now, "promote", "release", found.reason, before, number, run)
        return Step("promoted", found.reason, 0, promoted(route, version, now), audit)
    audit = Audit(now, "withdraw", "release", found.reason, number, before, run)
    return Step("rolled_back", found.reason, 0, withdrawn(route, now), audit)


def bakes(since: str, now: str, bake: timedelta) -> int:
    """Whole bakes that have passed; as many as there may be if a bake takes no time."""
    if not bake:
        return MOST_BAKES
    return max(1, int((parse(now) - parse(since)) / bake + 0.1))  # a clock may tick early


def judge(champion: Traffic, challenger: Traffic, done: int) -> Judgement:
    """``done``: bakes that have passed, at least 1."""
    n, errors = challenger.requests, challenger.errors
    usual = champion.errors / champion.requests if champion.requests else 0.0
    if n and _lower(errors, n) > max(usual, 0.01):
        return Judgement(
            "roll_back",
            f"{errors} of {n} requests failed, beside {usual:.2%} of the champion's",
        )
    ours, theirs = challenger.latency_ms, champion.latency_ms
    compared = n >= ENOUGH and champion.requests >= ENOUGH
    if compared and ours is not None and theirs is not None and ours > 2 * theirs + 1:
        return Judgement(
            "roll_back", f"it takes {ours:.2f} ms on average, the champion {theirs:.2f} ms"
        )
    if n >= ENOUGH:
        speed = f", {ours:.2f} ms on average" if ours is not None else ""
        return Judgement("promote", f"it answered {n} requests, {errors} of them failed{speed}")
    seen = "no traffic was seen"
    if n:
        seen = f"only {n} of the {ENOUGH} requests it takes to judge were seen ({errors} failed)"
    if done < MOST_BAKES:
        return Judgement("wait", f"{seen} in {done} of at most {MOST_BAKES} bakes; it bakes on")
    return Judgement(
        "promote", f"{seen} in {done} bakes; promoted on the evidence of its validation alone"
    )


def _lower(errors: int, n: int) -> float:
    """Lower end of the Wilson score interval for ``errors`` in ``n``."""
    p, zz = errors / n, _Z * _Z
    middle = p + zz / (2 * n)
    spread = _Z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n))
    return max(0.0, (middle - spread) / (1 + zz / n))
