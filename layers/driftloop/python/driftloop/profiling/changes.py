"""What is out of the ordinary in rows compared with the dataset they are to join.

==================  ==============================================================================
``label_flip``      what used to go with one outcome now goes with the other
``label_noise``     what used to go with an outcome goes with none
``target_moved``    the outcome is far more or less frequent (or higher, or lower) than before
``duplicate_flood`` far more repeated rows than before
``known_rows``      rows that the dataset has already
``shift``           a feature is distributed otherwise than before
==================  ==============================================================================

Data drifts with the seasons, and a day is not like a month, so "far" is measured by the past: the
dataset is seen in stretches as long as the new rows span (:mod:`profiling.past`), and what one of
them was like is nothing new.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from driftloop.drift import chi2_quantile, psi
from driftloop.pages.readable import listed, number, share
from driftloop.profiling.association import correlation_ratio
from driftloop.profiling.examine import ENOUGH, Finding, repeated
from driftloop.profiling.groups import Array, Floats, Ints, beyond, by_value, means, outcomes, size
from driftloop.profiling.past import Past, counted
from driftloop.profiling.profile import Profile
from driftloop.spec import Spec

LARGE_SHIFT = 0.25
"""PSI that scorecard practice calls a major shift (Siddiqi, *Credit Risk Scorecards*, 2006)."""
ANOTHER_WORLD = 5.0
"""PSI that is a finding whatever the past did: hardly any value in common."""
LARGE_MOVE = 0.5
"""Cohen's h of shares, d of means: a medium effect (Cohen, *Statistical Power Analysis*, 1988)."""
SURE = 6.0
"""Standard errors that chance does not explain."""
FLOOD = 0.05
TELLING = 0.05
"""Correlation ratio of a feature that tells something of the target."""
NOISE = 0.2
"""What is left of the effects of features on the target, when hardly anything is."""


def changes(profile: Profile, previous: Profile, spec: Spec) -> Iterator[Finding]:
    """Findings about ``profile`` against ``previous``, both of the spec's columns."""
    yield from _repeats(profile, previous)
    if min(len(profile.sample), len(previous.sample)) < ENOUGH:
        return
    yield from _flipped(profile, previous, spec)
    past = Past(previous, profile)
    yield from _target_moved(profile, past, spec)
    yield from _shifts(profile, past, spec)


def known(profile: Profile, previous: Profile) -> float:
    """Share of the rows that ``previous`` has already, from the smallest hashes of both."""
    ours, theirs = profile.sample, previous.sample
    inside = np.ones(len(ours), bool)
    if len(theirs) == theirs.size:  # beyond its last hash nothing is known of it
        inside = ours.hashes <= theirs.hashes[-1]
    total = int(ours.counts[inside].sum())
    again = np.isin(ours.hashes, theirs.hashes) & inside
    return float(ours.counts[again].sum() / total) if total else 0.0


def _repeats(profile: Profile, previous: Profile) -> Iterator[Finding]:
    now, before = repeated(profile), repeated(previous)
    if now > FLOOD + 3 * before:
        yield Finding("duplicate_flood", "", (
            f"{share(now)} of the rows repeat another one; in the dataset before it was "
            f"{share(before)}. Look whether an export ran twice or a join multiplied rows."
        ))  # fmt: skip
    again = known(profile, previous)
    if again > FLOOD:
        yield Finding("known_rows", "", (
            f"About {share(again)} of the rows are in the dataset already: they would count "
            "twice. Upload only what is new."
        ))  # fmt: skip


@dataclass(frozen=True)
class _Effect:
    """One feature: by group of its values (rows) and outcome (columns), how far the outcome lies
    from its mean, before and now; ``weight``: the smaller number of rows of the group, a column;
    ``spread``: the standard error of ``now``."""

    name: str
    strength: float
    before: Floats
    now: Floats
    weight: Floats
    spread: Floats

    @property
    def product(self) -> float:
        return float((self.weight * self.before * self.now).sum())

    @property
    def size(self) -> float:
        """What the product were if nothing had changed."""
        return float((self.weight * self.before**2).sum())

    @property
    def agreement(self) -> float:
        """The correlation of before and now: 1 as before; -1 reversed."""
        both = math.sqrt(self.size * float((self.weight * self.now**2).sum()))
        return self.product / both if both > 0 else 0.0

    @property
    def error(self) -> float:
        """Standard error of the product."""
        return math.sqrt(float(((self.weight * self.before * self.spread) ** 2).sum()))

    @property
    def sureness(self) -> float:
        return self.product / self.error if self.error > 0 else 0.0


def _flipped(profile: Profile, previous: Profile, spec: Spec) -> Iterator[Finding]:
    effects = sorted(_effects(profile, previous, spec), key=lambda e: -e.strength)[:5]
    if not effects:
        return
    pull = sum(e.strength**2 * e.agreement for e in effects) / sum(e.strength**2 for e in effects)
    against = [e for e in effects if e.agreement < -0.5 and e.sureness < -SURE]
    if pull < -0.5 and effects[0] in against:
        names = listed([e.name for e in against])
        yield Finding("label_flip", spec.target, (
            f"{spec.target} looks flipped: what used to go with {names} goes the other way round "
            f"(agreement {number(against[0].agreement)} for {against[0].name}; 1 is as before, −1 "
            "the very opposite). Look whether the target's values were swapped or its sign changed."
        ))  # fmt: skip
        return
    size = sum(e.size for e in effects)
    left = sum(e.product for e in effects) / size
    error = sum(e.error for e in effects) / size  # as if all erred together, which is cautious
    if left + 3 * error < NOISE:
        names = listed([e.name for e in effects])
        yield Finding("label_noise", spec.target, (
            f"{spec.target} hardly goes with {names} any more ({share(max(left, 0.0))} of the "
            "effect that these had in the dataset before is left). Look whether the target's "
            "column was shuffled, joined to the wrong rows, or partly flipped."
        ))  # fmt: skip


def _effects(profile: Profile, previous: Profile, spec: Spec) -> Iterator[_Effect]:
    """Of the features that told something of the target before."""
    old, new = previous.sample, profile.sample
    both_targets = np.concatenate([old.columns[spec.target], new.columns[spec.target]])
    truth, classes = outcomes(both_targets)
    if not classes:  # in deviations, so that one class and one number weigh alike
        truth = truth / (float(np.std(truth[: len(old)])) or 1.0)
    was, is_now = truth[: len(old)], truth[len(old) :]
    for name in spec.features:
        groups = by_value(old.columns[name], old.counts, 10)
        codes, codes_now = groups.assign(old.columns[name]), groups.assign(new.columns[name])
        told = [correlation_ratio(codes, y, old.counts.astype(np.float64)) for y in was.T]
        strength = float(np.nan_to_num(np.array(told)).max(initial=0.0))
        if strength < TELLING:
            continue
        before, rows = _by_group(codes, groups.size, was, old.counts)
        now, rows_now = _by_group(codes_now, groups.size, is_now, new.counts)
        both = (rows >= 5) & (rows_now >= 5)
        if both.sum() > 1:
            weight = np.minimum(rows, rows_now)[both][:, None]
            spread = np.sqrt(is_now.var(axis=0)[None, :] / rows_now[both][:, None])
            yield _Effect(name, strength, before[both], now[both], weight, spread)


def _by_group(codes: Ints, size: int, values: Floats, weights: Array) -> tuple[Floats, Floats]:
    total, mean = means(codes, size, values, weights)
    inside = codes >= 0
    if not inside.any():
        return np.zeros((size, values.shape[1])), total
    overall = np.average(values[inside], axis=0, weights=weights[inside])
    return np.where(total[:, None] > 0, mean - overall, 0.0), total


def _target_moved(profile: Profile, past: Past, spec: Spec) -> Iterator[Finding]:
    old, new, name = past.sample, profile.sample, spec.target
    values = np.concatenate([old.columns[name], new.columns[name]])
    unit = size(values)
    truth, classes = outcomes(values)
    was, now = truth[: len(old)], truth[len(old) :]
    before = np.average(was, axis=0, weights=old.counts)
    after = np.average(now, axis=0, weights=new.counts)
    spread = was.std(axis=0)
    moved = _moves(before, after, spread, bool(classes))
    usual = np.zeros(len(before))
    for block in past.blocks:
        mean = np.average(was[block], axis=0, weights=old.counts[block])
        usual = np.maximum(usual, _moves(before, mean, spread, bool(classes)))
    error = math.sqrt(1 / len(old) + 1 / len(new))
    far = moved > np.maximum(np.maximum(LARGE_MOVE, 2 * usual), SURE * error)
    if not far.any():
        return
    if classes:
        rates = zip(classes, after.tolist(), before.tolist(), far.tolist(), strict=True)
        some = listed([f"{c!r} {share(a)} (before: {share(b)})" for c, a, b, f in rates if f])
        text = f"{name} is {some}"
    else:
        is_now, was_then, each = (number(float(v[0]) * unit) for v in (after, before, spread))
        text = f"The mean of {name} is {is_now}; before it was {was_then} (± {each} a row)"
    yield Finding("target_moved", name, (
        f"{text}: far more than chance or the past explain. Look whether its meaning, its unit or "
        "the choice of rows changed."
    ))  # fmt: skip


def _moves(before: Floats, after: Floats, spread: Floats, shares: bool) -> Floats:
    """Cohen's h of each class's share, or d of the mean."""
    if shares:
        angle = 2 * np.arcsin(np.sqrt(np.clip([before, after], 0, 1)))
        return np.asarray(np.abs(angle[1] - angle[0]))
    return np.abs(after - before) / np.where(spread > 0, spread, np.maximum(np.abs(before), 1e-12))


def _shifts(profile: Profile, past: Past, spec: Spec) -> Iterator[Finding]:
    new, previous = profile.sample, past.profile
    found: list[tuple[float, Finding]] = []
    for name in spec.features:
        usual = past.sample.columns[name]
        groups = beyond(by_value(usual, past.sample.counts, 10), usual)
        before, blocks = past.counts(name, groups)
        after = counted(groups, new.columns[name], new.counts)
        lost, gone = float(after[-1] / after.sum()), float(before[-1] / before.sum())
        moved = min(_distance(b, after) for b in (before, *blocks))
        chance = (1 / len(past.sample) + 1 / len(new)) * chi2_quantile(groups.size - 1, 1 - 1e-6)
        if moved > LARGE_SHIFT + chance and moved > _far(blocks):
            found.append((moved, Finding("shift", name, (
                f"{name} is distributed otherwise than in the dataset before, in all of its time "
                f"(PSI at least {moved:.2f}; {_middle(previous, profile, name)}). If its unit or "
                "source changed, mend the rows; if the world did, go on."
            ))))  # fmt: skip
        elif lost > past.missing(name) + 0.2:
            found.append((lost - gone, Finding("shift", name, (
                f"{name} is missing in {share(lost)} of the rows; in the dataset before it was "
                f"{share(gone)}. Look at its source."
            ))))  # fmt: skip
    yield from (finding for _, finding in sorted(found, key=lambda f: -f[0]))


def _far(blocks: list[Floats]) -> float:
    """Thrice the largest PSI between two stretches of the past."""
    pairs = combinations(blocks, 2)
    return min(3 * max((_distance(a, b) for a, b in pairs), default=0.0), ANOTHER_WORLD)


def _distance(first: Floats, second: Floats) -> float:
    """PSI of the rows that have a value."""
    return float(psi(first[:-1], second[:-1]))


def _middle(previous: Profile, profile: Profile, name: str) -> str:
    a, b = previous.sketches[name], profile.sketches[name]
    if profile.kinds[name] == "number":
        return f"median {number(a.quantile(0.5))} → {number(b.quantile(0.5))}"
    gained = {t: n / max(b.present, 1) for t, n in b.top(1000)}
    for text, n in a.top(1000):
        gained[text] = gained.get(text, 0.0) - n / max(a.present, 1)
    text = max(gained, key=lambda t: abs(gained[t]))
    after = next((n for t, n in b.top(1000) if t == text), 0)
    return f"{text!r} {share(after / max(b.present, 1) - gained[text])} → {share(after, b.present)}"
