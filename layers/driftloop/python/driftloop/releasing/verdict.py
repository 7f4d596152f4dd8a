"""From findings to what becomes of a step: on, back, or wait. Pure.

- Any check that finds it bad: it is rolled back, at any look, paused or not.
- Before the bake is over nothing else happens.
- Then, where every check has what it takes, the release goes on. Where one still has too few
  requests it bakes again, `release.patience` bakes in all: *no traffic is no success*. After
  that `release.unseen` says what becomes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from driftloop.releasing.checks import Finding
from driftloop.spec import Release
from driftloop.when import parse

LOOKS = 5  # at each bake; every one costs the execution ten of its 25,000 events
MINUTE = timedelta(minutes=1)  # CloudWatch counts by it


@dataclass(frozen=True)
class Judgement:
    verdict: Literal["go_on", "wait", "roll_back"]
    reason: str


def bakes(since: str, now: str, policy: Release) -> int:
    """Whole bakes that have passed; all there may be if a bake takes no time."""
    bake = policy.bake
    if not bake:
        return policy.patience
    passed = parse(now) - parse(since) + min(timedelta(seconds=1), bake / 10)  # timers tick early
    return max(0, int(passed / bake))


def next_look(since: str, now: str, policy: Release) -> int:
    """Seconds to wait: a fifth of a bake (a minute at least), never past the end of the bake."""
    bake = policy.bake
    left = parse(since) + (bakes(since, now, policy) + 1) * bake - parse(now)
    wait = min(max(bake / LOOKS, MINUTE), left) if bake else MINUTE
    return max(1, round(wait.total_seconds()))


def judge(found: Sequence[Finding], done: int, policy: Release) -> Judgement:
    """``done``: bakes of this step that have passed."""
    bad = [f for f in found if f.state == "bad"]
    if bad:
        return Judgement("roll_back", told(bad))
    few = [f for f in found if f.state == "few"]
    if done < 1:
        return Judgement("wait", f"the first bake is not over; so far {told(few or found)}")
    if not few:
        return Judgement("go_on", told(found))
    if done < policy.patience:
        return Judgement(
            "wait", f"{told(few)}; it bakes on, {done} of at most {policy.patience} bakes are over"
        )
    seen = f"{told(few)} in {done} bakes, and no evidence is no success"
    if policy.unseen == "promote":
        return Judgement("go_on", f"{seen}; the spec says to go on all the same (release.unseen)")
    return Judgement("roll_back", f"{seen}; `release.unseen: promote` would have gone on")


def told(found: Sequence[Finding]) -> str:
    return "; ".join(f"{f.check}: {f.text}" for f in found)
