"""From version to champion: at once, or step by step beside the champion. Pure.

What the challenger answers meanwhile is the strategy's:

| strategy | its share of the answers | judged beside |
| --- | --- | --- |
| all_at_once | everything, and no bake | – |
| canary | `release.share` | the champion, on the other requests |
| linear | `release.share` more at each step | the same |
| blue_green | everything; the champion stands by | the champion, before |
| shadow | nothing; it scores every request | the champion, on the same requests |

Each step is judged by :mod:`driftloop.releasing.verdict` on what came since it began. A person may
hold a release where it is, and what is held may still be rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from driftloop.errors import RouteMoved
from driftloop.ledger import Audit
from driftloop.releasing.checks import DUE, EARLY, Finding, checks
from driftloop.releasing.evidence import Evidence
from driftloop.releasing.terms import Terms
from driftloop.releasing.verdict import bakes, judge, next_look
from driftloop.route import Route, Served, advanced, challenged, first, promoted, withdrawn
from driftloop.spec import Release
from driftloop.when import parse

Status = Literal["baking", "promoted", "rolled_back"]
LONGEST_HOLD = 1800  # seconds between two looks at a release that is held


@dataclass(frozen=True)
class Step:
    """What to do now. ``route`` is to be written over the one that was read; None: nothing to
    write. ``audit`` goes with it."""

    status: Status
    reason: str
    wait_seconds: int = 0
    route: Route | None = None
    audit: Audit | None = None


def start(version: Served, route: Route | None, terms: Terms, now: str, run: str) -> Step:
    """The first step of releasing ``version``. Taken again, it changes nothing."""
    policy = terms.release
    number, before = version.version, route.champion.version if route else None

    def step(status: Status, action: str, new: Route, reason: str, wait: int = 0) -> Step:
        audit = Audit(now, action, "release", reason, before, number, run)
        return Step(status, reason, wait, new, audit)

    if route is None:
        reason = f"version {number} is the first: there is no champion to compare it with"
        return step("promoted", "promote", first(version, now), reason)
    if before == number:
        return Step("promoted", f"version {number} is the champion already")
    if route.challenger is not None and route.challenger.version == number:
        wait = next_look(route.since, now, policy)
        return Step("baking", f"version {number} is the challenger already", wait)
    if not policy.shares:
        reason = f"the spec releases at once; version {before} steps down"
        return step("promoted", "promote", promoted(route, version, now), reason)
    share = policy.shares[0]
    reason = f"version {number} {_role(policy, share)}"
    if route.challenger is not None:
        reason += f"; it replaces challenger {route.challenger.version}"
    new = challenged(route, version, share, now, policy.strategy, terms.to_json())
    return step("baking", policy.strategy, new, reason, next_look(now, now, policy))


def findings(route: Route, seen: Evidence, terms: Terms, now: str) -> list[Finding]:
    """What each check says of the present step. What chance may do is spent at the look that
    decides: once a step, however many bakes it takes and however long it is held."""
    policy = terms.release
    steps = max(1, len(policy.shares))
    found = checks(seen, policy.min_requests, EARLY / steps)
    if judge(found, baked(route, now, policy), policy).verdict == "wait":
        return found
    return checks(seen, policy.min_requests, DUE / steps)


def baked(route: Route, now: str, policy: Release) -> int:
    """Bakes of this step that have passed; none while it is held."""
    return 0 if route.paused else bakes(route.since, now, policy)


def observe(
    version: Served,
    route: Route | None,
    seen: Evidence | None,
    terms: Terms,
    now: str,
    run: str,
    past: Iterable[Audit] = (),
) -> Step:
    """The step after a look. ``seen``: evidence of the route's two versions. ``past``: the route's
    audit, newest first, to tell a step taken again or a person's word from a route that another
    release moved.

    Raises RouteMoved when ``version`` is neither challenger nor champion for such a reason.
    """
    number, policy = version.version, terms.release
    if route is not None and route.champion.version == number:
        return Step("promoted", f"version {number} is the champion already")
    challenger = route.challenger if route is not None else None
    if route is None or challenger is None or challenger.version != number or seen is None:
        return _gone(number, run, list(past))
    found = judge(findings(route, seen, terms, now), baked(route, now, policy), policy)
    before = route.champion.version
    if found.verdict == "roll_back":
        audit = Audit(now, "withdraw", "release", found.reason, number, before, run)
        return Step("rolled_back", found.reason, 0, withdrawn(route, now), audit)
    if route.paused is not None:
        held = (parse(now) - parse(route.paused.since)).total_seconds()
        reason = f"held by {route.paused.by} ({route.paused.reason})"
        return Step("baking", reason, round(min(max(60.0, held / 10), LONGEST_HOLD)))
    if found.verdict == "wait":
        return Step("baking", found.reason, next_look(route.since, now, policy))
    if route.step < len(policy.shares):
        share = policy.shares[route.step]
        reason = f"{found.reason}; version {number} {_role(policy, share)}"
        audit = Audit(now, "advance", "release", reason, before, number, run)
        wait = next_look(now, now, policy)
        return Step("baking", reason, wait, advanced(route, share, now), audit)
    audit = Audit(now, "promote", "release", found.reason, before, number, run)
    return Step("promoted", found.reason, 0, promoted(route, version, now), audit)


def _gone(number: int, run: str, past: Sequence[Audit]) -> Step:
    """Who took the challenger away since this run made it one."""
    for audit in past:
        if audit.run == run and audit.action == "withdraw":
            return Step("rolled_back", audit.reason)
        if audit.action in ("abort", "rollback"):
            return Step("rolled_back", f"{audit.actor}: {audit.reason}")
        if audit.run == run:
            break
    by = f"; {past[0].actor}: {past[0].action} ({past[0].reason})" if past else ""
    raise RouteMoved(f"version {number} is no longer the challenger{by}")


def _role(policy: Release, share: float) -> str:
    """What the challenger does at this share, as the rest of a sentence."""
    if policy.strategy == "shadow":
        does = "scores every request beside the champion, and answers none"
    elif share == 1:
        does = "answers everything while the champion stands by"
    else:
        does = f"answers {share:.3g} of the requests"
    return f"{does}; it is judged in {policy.bake.total_seconds():.0f} s"
