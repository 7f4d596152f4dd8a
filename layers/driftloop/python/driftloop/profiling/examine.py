"""What to look at before trusting rows: sentences, each with its numbers and a way out.

Nothing here refuses anything; what must hold is said in the spec (``features``, ``data.rules``,
``data.expect``). Rules of one profile:

==================  ==============================================================================
``empty``           a column without any value
``constant``        a column with one value only
``mostly_missing``  a column without a value in over half of the rows
``id_like``         a value of its own for (nearly) every row
``leaking``         a feature that alone tells the target of rows it was not fitted to
``near_duplicate``  two features that say the same
``repeated_rows``   rows that are there more than once (kept, or dropped as duplicates)
``one_class``       nothing to tell apart
``imbalance``       a class with hardly any rows; a number that is nearly always the same
``time_gap``        a silence far longer than others
==================  ==============================================================================

Those that need the dataset before: :mod:`driftloop.profiling.changes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from driftloop.pages.readable import duration, listed, moment, number, share
from driftloop.profiling.association import FEWEST, cramers_v, rank_correlations
from driftloop.profiling.groups import by_value, means, outcomes
from driftloop.profiling.past import Past
from driftloop.profiling.profile import Profile
from driftloop.sketches.sketch import Sketch
from driftloop.spec import Spec

ENOUGH = 100
"""Distinct rows in a sample below which nothing is concluded from it."""
LEAK = 0.95
SAME = 0.995
RARE = 0.01
MOST_PAIRED = 60
"""Text features compared with each other: pairs grow with the square."""


@dataclass(frozen=True)
class Finding:
    """``rule``: see above; ``field``: the column concerned, "" for all; ``text``: a sentence."""

    rule: str
    field: str
    text: str


def examine(profile: Profile, spec: Spec, previous: Profile | None = None) -> list[Finding]:
    """Every finding, what concerns the target and all rows first. ``previous``: the profile of the
    dataset that ``profile``'s rows are to join."""
    from driftloop.profiling.changes import changes  # which needs what is here

    if not profile.rows:
        return []
    found = [*_target(profile, spec), *_time(profile)]
    past = None
    if previous is None or not previous.rows:
        found = [*_rows(profile), *found]
    elif previous.kinds == profile.kinds:
        found = [*changes(profile, previous, spec), *found]
        past = Past(previous, profile)
    dull = [*_dull(profile, spec, past)]
    useful = [name for name in spec.features if name not in {f.field for f in dull}]
    return [*found, *_leaks(profile, spec, useful), *_twins(profile, useful), *dull,
            *_ids(profile, useful)]  # fmt: skip


def repeated(profile: Profile) -> float:
    """Share of the rows that another row says already: those dropped and those kept."""
    dropped = sum(n for reason, n in profile.rejected.items() if reason.startswith("duplicate|"))
    kept = profile.rows - profile.sample.distinct(profile.rows)
    if len(profile.sample) == profile.sample.size:  # an estimate: counts of the sample are better
        kept = round(profile.rows * (1 - len(profile.sample) / int(profile.sample.counts.sum())))
    return (dropped + kept) / max(profile.rows + dropped, 1)


def _rows(profile: Profile) -> Iterator[Finding]:
    again = repeated(profile)
    if again > 0.2:
        yield Finding("repeated_rows", "", (
            f"{share(again)} of the rows are there more than once. If an export ran twice, mend "
            "it; if they are real, give them a `key` so that they can be told apart."
        ))  # fmt: skip


def _target(profile: Profile, spec: Spec) -> Iterator[Finding]:
    sketch, name = profile.sketches[spec.target], spec.target
    if spec.task == "regression":
        codes = profile.sample.columns[name]
        found, place = np.unique(codes, return_inverse=True)
        total = np.bincount(place, profile.sample.counts)
        top = int(total.argmax())
        part = float(total[top] / total.sum())
        if len(found) == 1:
            yield Finding("one_class", name, f"{name} is {number(float(found[0]))} in every row: "
                          "there is nothing to learn.")  # fmt: skip
        elif part > 0.9 and len(profile.sample) >= ENOUGH:
            yield Finding("imbalance", name, (
                f"{name} is {number(float(found[top]))} in {share(part)} of the rows: a model "
                "that always says so looks good. Ask first whether it is that value at all (a "
                "classification), then how much it is."
            ))  # fmt: skip
        return
    classes = sketch.top(1000)
    if len(classes) == 1:
        yield Finding("one_class", name, f"{name} is {classes[0][0]!r} in every row: there is "
                      "nothing to tell apart.")  # fmt: skip
        return
    rare = [(c, n) for c, n in classes if n < RARE * sketch.rows or n < FEWEST]
    if rare and len(classes) > 1 and sketch.rows >= ENOUGH:
        some = listed([f"{c!r} ({n:,} rows, {share(n, sketch.rows)})" for c, n in rare])
        yield Finding("imbalance", name, (
            f"Hardly any rows of {some}: a model can ignore {'them' if len(rare) > 1 else 'it'} "
            "and still look accurate. Judge by log_loss or roc_auc, not accuracy, and bring more "
            "such rows; if it is a typing error, mend the rows."
        ))  # fmt: skip


def _time(profile: Profile) -> Iterator[Finding]:
    gaps = profile.times.gaps() if profile.times else []
    if gaps and profile.times:
        name = next(n for n, kind in profile.kinds.items() if kind == "time")
        some = listed([f"{moment(a)} to {moment(b)} ({duration(b - a)})" for a, b in gaps], 3)
        yield Finding("time_gap", name, (
            f"No rows from {some}, though there are rows before and after. If a file was left "
            "out, upload it."
        ))  # fmt: skip


def _dull(profile: Profile, spec: Spec, past: Past | None) -> Iterator[Finding]:
    """Features that say next to nothing by themselves."""
    for name in spec.features:
        sketch = profile.sketches[name]
        seen = sketch.rows - sketch.missing
        out = f"Take {name} out of the spec's features, or mend its source."
        if not seen:
            yield Finding("empty", name, f"{name} has no value in any row. {out}")
        elif sketch.distinct == 1 and seen > sketch.missing:
            if past is not None and past.knows_constant(name, _only(sketch)):
                continue
            lacks = f", or missing ({share(sketch.missing, sketch.rows)})" * (sketch.missing > 0)
            yield Finding("constant", name, (
                f"{name} is always {_named(_only(sketch))}{lacks}: it tells nothing. {out}"
            ))  # fmt: skip
        elif sketch.missing > sketch.rows / 2:
            if past is not None and past.missing(name) > 0.5:
                continue
            yield Finding("mostly_missing", name, f"{name} is missing in "
                          f"{share(sketch.missing, sketch.rows)} of the rows. {out}")  # fmt: skip


def _only(sketch: Sketch) -> float | str:
    value = sketch.min
    return str(sketch.top(1)[0][0]) if value is None else value


def _named(value: float | str) -> str:
    return repr(value) if isinstance(value, str) else number(value)


def _ids(profile: Profile, names: list[str]) -> Iterator[Finding]:
    for name in names:
        sketch = profile.sketches[name]
        if sketch.present >= ENOUGH and _like_an_id(profile, name, sketch):
            yield Finding("id_like", name, (
                f"{name} has {'' if sketch.exact else 'about '}{sketch.distinct:,} different "
                f"values in {sketch.present:,} rows: it looks like an id, and a model learns it by "
                "heart. Name it as `key`, or take it out."
            ))  # fmt: skip
    for reason, count in profile.rejected.items():
        rule, _, name = reason.partition("|")
        if rule == "too_many_categories" and count > profile.rows / 4:
            yield Finding("id_like", name, (
                f"{name} has so many categories that {count:,} rows were rejected for one beyond "
                "the limit: it looks like an id or free text. Take it out, or group its values."
            ))  # fmt: skip


def _like_an_id(profile: Profile, name: str, sketch: Sketch) -> bool:
    """A text is, when over half of its values occur but once; a number, when it is whole, (nearly)
    never the same, and counts through a range or comes in a thousand rows."""
    if sketch.min is None or sketch.max is None:
        return sketch.distinct > sketch.present / 2
    values = profile.sample.columns[name]
    values = values[~np.isnan(values)]
    alone = len(np.unique(values)) > 0.99 * len(values)
    dense = sketch.max - sketch.min < 3 * sketch.present
    return (
        bool((values == np.floor(values)).all())
        and max(-sketch.min, sketch.max) < 2.0**53  # beyond, every float is whole
        and alone
        and sketch.distinct > 0.9 * sketch.present  # itself an estimate
        and (dense or sketch.present >= 1000)
    )


def _leaks(profile: Profile, spec: Spec, names: list[str]) -> Iterator[Finding]:
    for name in names:
        told = foretold(profile, name, spec.target)
        if spec.task == "classification":
            how = f"tells {share(told)} of {spec.target} (of what guessing would get wrong)"
        elif told < LEAK and profile.kinds[name] == "number":
            pair = (profile.sample.columns[n] for n in (name, spec.target))
            rho = rank_correlations(np.column_stack([*pair]), profile.sample.counts.astype(float))
            told = abs(float(rho[0, 1])) if abs(rho[0, 1]) > SAME else 0.0
            how = f"rises or falls with {spec.target} nearly always (rank correlation {told:.3f})"
        else:
            how = f"explains {share(told)} of {spec.target}'s variance"
        if told >= LEAK:
            yield Finding("leaking", name, (
                f"{name} alone {how}. Is it known before {spec.target} is? If not, take it out."
            ))  # fmt: skip


def foretold(profile: Profile, name: str, target: str) -> float:
    """How much of the target one column tells of rows that it was not fitted to: the share of
    mistakes it saves (λ: Goodman & Kruskal, JASA 49, 1954) or of variance it explains. Groups of
    the column's values are fitted to one half of the sample and judged on the other, both ways."""
    sample = profile.sample
    if len(sample) < ENOUGH:
        return 0.0
    weights = sample.counts
    groups = by_value(sample.columns[name], weights, 50)
    codes = groups.assign(sample.columns[name])
    codes = np.where(codes < 0, groups.size, codes)  # that it is missing may tell, too
    truth, classes = outcomes(sample.columns[target])
    half = np.arange(len(sample)) % 2 == 0  # by hash, so at random
    wrong = base = 0.0
    for fitted in (half, ~half):
        _, per_group = means(codes[fitted], groups.size + 1, truth[fitted], weights[fitted])
        overall = np.average(truth[fitted], axis=0, weights=weights[fitted])
        per_group = np.where(np.isnan(per_group), overall, per_group)
        answers, seen, heavy = per_group[codes[~fitted]], truth[~fitted], weights[~fitted]
        if classes:
            hits = seen[np.arange(len(seen)), answers.argmax(axis=1)]
            wrong += float((heavy * (1 - hits)).sum())
            base += float((heavy * (1 - seen[:, overall.argmax()])).sum())
        else:
            wrong += float((heavy * (seen - answers)[:, 0] ** 2).sum())
            base += float((heavy * (seen - overall)[:, 0] ** 2).sum())
    return 1.0 - wrong / base if base > 0 else 0.0


def _twins(profile: Profile, names: list[str]) -> Iterator[Finding]:
    """Pairs of features of which one is enough; the later one is named as the one to go."""
    sample = profile.sample
    if len(sample) < ENOUGH:
        return
    weights = sample.counts.astype(np.float64)
    numbers = [n for n in names if profile.kinds[n] == "number"]
    texts = [n for n in names if profile.kinds[n] == "text"][:MOST_PAIRED]
    pairs: list[tuple[str, str, float]] = []
    if len(numbers) > 1:
        rho = np.nan_to_num(rank_correlations(
            np.column_stack([sample.columns[n] for n in numbers]), weights))  # fmt: skip
        near = np.argwhere(np.triu(np.abs(rho) > SAME, 1))
        pairs = [(numbers[i], numbers[j], float(rho[i, j])) for i, j in near.tolist()]
    codes = {n: sample.codes(n)[0] for n in texts}
    for place, second in enumerate(texts):
        for first in texts[:place]:
            v = cramers_v(codes[first], codes[second], weights)
            if v > SAME:
                pairs.append((first, second, v))
    gone: set[str] = set()
    for first, second, strength in pairs:
        if second in gone or first in gone:
            continue
        gone.add(second)
        how = "rank correlation" if second in numbers else "Cramér's V"
        yield Finding("near_duplicate", second, (
            f"{second} says nearly the same as {first} ({how} {strength:.3f}): one of them is "
            "enough, and explanations are clearer with one."
        ))  # fmt: skip
