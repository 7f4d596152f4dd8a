"""What each check finds in the evidence: good, bad, or not enough to tell. Pure.

``alpha`` is the chance at which a check may call an equal challenger bad: :data:`DUE` at the one
look that decides on a step, :data:`EARLY` at every other, so that looking often finds hardly more
by chance than looking once does (Haybittle 1971, *Br. J. Radiol.* 44; Peto et al. 1976, *Br. J.
Cancer* 34). The steps of a release share both. So does chance alone end one release of an equal
challenger in twenty at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from driftloop.releasing import bounds
from driftloop.releasing.distance import gap, shifts
from driftloop.releasing.evidence import Evidence

EARLY, DUE = 0.0005, 0.0125
TOLERABLE = 0.01  # an error rate that ends no release
MARGIN = 0.1  # by which answers may lie further apart than at validation: people are no holdout
TAIL = 1000  # requests, before a 99th percentile means anything
FEWEST = 30  # requests, before a mean is near enough to normal

State = Literal["good", "bad", "few", "unknown"]


@dataclass(frozen=True)
class Finding:
    """``n`` of the ``needs`` requests that it takes. "few" is waited for; "unknown" is not, since
    it may never come (labels) or cannot (no capture, nothing to compare with)."""

    check: str
    state: State
    text: str
    n: int = 0
    needs: int = 0


def checks(seen: Evidence, enough: int, alpha: float) -> list[Finding]:
    """``enough``: `release.min_requests`."""
    return [
        errors(seen, enough, alpha),
        latency(seen, enough),
        answers(seen, enough, alpha),
        quality(seen, enough, alpha),
    ]


def errors(seen: Evidence, enough: int, alpha: float) -> Finding:
    """Bad where its error rate is above the champion's, and above 1 %, beyond chance."""
    ours, theirs = seen.challenger.traffic, seen.champion.traffic
    n, failed = ours.requests, min(ours.errors, ours.requests)
    if not n:
        return Finding("errors", "few", f"no request of the {enough} it takes was seen", 0, enough)
    text, chance = f"{failed} of {n:,} requests failed", bounds.at_least(failed, n, TOLERABLE)
    if theirs.requests:
        when, beside = " before it" if seen.before else "", min(theirs.errors, theirs.requests)
        text += f", {beside} of {theirs.requests:,} of the champion's{when}"
        chance = max(chance, bounds.at_least_of((failed, n), (beside, theirs.requests)))
    if chance <= alpha:
        return Finding("errors", "bad", text, n, enough)
    if n < enough:
        return Finding("errors", "few", f"{text}; {enough} it takes to judge", n, enough)
    return Finding("errors", "good", text, n, enough)


def latency(seen: Evidence, enough: int) -> Finding:
    """Bad where seven in ten of its requests take over twice the champion's median and 1 ms more;
    of many requests, also where one in fifty takes over twice its 99th percentile and 10 ms more.

    Medians of a few requests would differ by chance where single rows and whole files are asked,
    and 99th percentiles where one request in a hundred meets a cold start."""
    ours, theirs = seen.challenger.traffic, seen.champion.traffic
    n = ours.timed
    if ours.median_ms is None or n < enough:
        text = f"{n} of the {enough} requests it takes to judge were timed"
        return Finding("latency", "few", text, n, enough)
    text = f"{ours.median_ms:.2f} ms in the median"
    if ours.p99_ms is not None:
        text += f" and {ours.p99_ms:.2f} in the 99th percentile"
    if theirs.median_ms is None or theirs.timed < enough:
        text += f"; only {theirs.timed} requests of the champion to compare with"
        return Finding("latency", "unknown", text, n, enough)
    text += f", the champion {theirs.median_ms:.2f}"
    text += "" if theirs.p99_ms is None else f" and {theirs.p99_ms:.2f}"
    slow = ours.p30_ms is not None and ours.p30_ms > 2 * theirs.median_ms + 1
    if min(n, theirs.timed) >= TAIL and ours.p98_ms is not None and theirs.p99_ms is not None:
        slow = slow or ours.p98_ms > 2 * theirs.p99_ms + 10
    return Finding("latency", "bad" if slow else "good", text, n, enough)


def answers(seen: Evidence, enough: int, alpha: float) -> Finding:
    """Bad where the two answer further apart than at validation, by more than the margin and what
    samples of this size may differ by: row by row for a shadow, else in distribution."""
    ours, theirs, expected = seen.challenger.answered, seen.champion.answered, seen.expected
    needs = math.ceil(enough * seen.sample)
    if expected is None:
        text = "validation compared it with no such champion"
        return Finding("answers", "unknown", text)
    if not needs:
        return Finding("answers", "unknown", "nothing is captured (capture.sample is 0)")
    n, m = len(set(ours.requests)), len(set(theirs.requests))
    if n < needs:
        text = f"{n} of the {needs} requests it takes to judge were captured"
        return Finding("answers", "few", text, n, needs)
    if m < needs:
        text = f"only {m} captured requests of the champion to compare with"
        return Finding("answers", "unknown", text, n, needs)
    if ours.scores.shape[1:] != theirs.scores.shape[1:]:
        return Finding("answers", "unknown", "the two know other classes", n, needs)
    here, there = bounds.weights(ours.requests), bounds.weights(theirs.requests)
    if seen.paired:
        found = float(shifts(ours.scores, theirs.scores, expected.scale) @ here)
        usual, chance = expected.shift, bounds.hoeffding(n, alpha)
    else:
        classes = ours.scores.shape[1] if ours.scores.ndim == 2 else 1
        found = gap(ours.scores, theirs.scores, expected.scale, here, there)
        usual = expected.gap
        chance = sum(bounds.dkw(size, alpha / 2 / classes) for size in (n, m))
    limit = usual + MARGIN + chance
    text = (
        f"{found:.3f} from the champion's on {n:,} requests ({usual:.3f} at validation; "
        f"more than {limit:.3f} would be bad)"
    )
    return Finding("answers", "bad" if found > limit else "good", text, n, needs)


def quality(seen: Evidence, enough: int, alpha: float) -> Finding:
    """Bad where its loss on labelled rows is above the champion's beyond chance (one-sided): by
    row for a shadow, else between the two samples (Welch 1947, *Biometrika* 34; or with the
    deviation of both together if that is larger: where a loss is seldom large, a small sample that
    met no such row seems surer than it is)."""
    needs = max(enough, FEWEST)
    ours, names = seen.challenger.answered.labelled()
    theirs, others = seen.champion.answered.labelled()
    n, m = len(set(names)), len(set(others))
    if min(n, m) < needs:
        text = f"labels of {min(n, m)} of the {needs} requests it takes to judge have arrived"
        return Finding("quality", "unknown", text, min(n, m), needs)
    if seen.paired:
        more, error = bounds.mean(ours - theirs, names)
    else:
        (here, e), (there, f) = bounds.mean(ours, names), bounds.mean(theirs, others)
        _, both = bounds.mean(np.concatenate([ours, theirs]), [*names, *others])
        alike = both * math.sqrt((n + m) * (1 / n + 1 / m))
        more, error = here - there, max(math.hypot(e, f), alike)
    spread = bounds.normal(alpha) * error
    word = "worse" if more > 0 else "better"
    text = (
        f"loss ({seen.metric}) of {len(ours):,} labelled rows {word} by {abs(more):.4g} "
        f"(± {spread:.2g} by chance)"
    )
    worse = bool(np.isfinite(more)) and more > spread
    return Finding("quality", "bad" if worse else "good", text, n, needs)
