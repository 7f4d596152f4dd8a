"""A diagnosis in words: for somebody who was woken up by it, and knows nothing of it yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftloop.diagnosis.missing_source import Silence
from driftloop.diagnosis.new_category import Newcomers
from driftloop.diagnosis.quality import Quality
from driftloop.diagnosis.signs import Signs
from driftloop.spec import Trouble

Performance = Mapping[str, Any]


def text(kind: Trouble, signs: Signs, performance: Performance) -> str:
    """What it looks like, and why that is thought: two sentences."""
    names = signs.concerned(kind)
    match kind:
        case "missing_source":
            return (
                f"A source seems to have fallen silent: {_silent(names[0], signs.silent[names[0]])}"
                f"{_more(names)}. The model answers without it; look for what feeds it."
            )
        case "unit_bug":
            found = signs.bugs[names[0]]
            return (
                f"{names[0]} looks {found.text}{_of_rows(found.share)}{_more(names)}: "
                f"{found.repair}, it matches the training data again. That is a mistake upstream; "
                f"there is nothing to learn from such rows."
            )
        case "new_category":
            return f"{_newcomers(names[0], signs.newcomers[names[0]])}{_more(names)}."
        case "bad_release":
            return (
                f"The version before answers the same rows clearly better: {_better(signs)}. "
                f"The release was a mistake."
            )
        case "calibration_shift":
            return (
                f"The model still ranks well, but its level is off: {_mended(signs)}. "
                f"{_erring(performance)}."
            )
        case "concept_shift":
            if not names:
                return (
                    f"The model errs more, and no other reason was found: what the inputs say of "
                    f"the truth may have changed. {_erring(performance)}."
                )
            return (
                f"What the inputs say of the truth has changed, most along {_listed(names)}: the "
                f"model must learn it anew. {_erring(performance)}."
            )
        case "population_shift":
            return _population(names, performance)


def evidence(signs: Signs, performance: Performance) -> list[str]:
    """Every sign as a sentence, whatever kind was made of them."""
    return [f"{said}." for said in _evidence(signs, performance)]


def _evidence(signs: Signs, performance: Performance) -> Iterator[str]:
    for name, bug in signs.bugs.items():
        yield f"{name} is {bug.text}{_of_rows(bug.share)}; {bug.repair}, it matches training"
    for name, silence in signs.silent.items():
        yield _silent(name, silence)
    for name, found in signs.newcomers.items():
        yield _newcomers(name, found)
    if signs.moved:
        parts = ", ".join(
            f"{n} ({signs.parts[n]:.0%})" for n in signs.concerned("population_shift")
        )
        yield f"Of the drift, each feature over its threshold has this part: {parts}"
    elif signs.drifted:
        yield "The predictions moved, though no feature did by itself"
    if (performance["ratio"] or 0.0) > 1.0:
        yield _erring(performance)
    estimate = performance.get("estimate") or {}
    if estimate.get("value") is not None and not signs.bugs:  # which it knows nothing of
        yield (
            f"From the inputs alone, {performance['metric']} was estimated at "
            f"{estimate['value']:.4g}"
        )
    if signs.quality is not None:
        yield from _of_quality(signs, signs.quality)


def _of_quality(signs: Signs, quality: Quality) -> Iterator[str]:
    if quality.better:
        yield f"The version before answers the same rows better: {_better(signs)}"
    mended = _mended(signs)
    yield mended[0].upper() + mended[1:]
    changed = [c for c in quality.changed if c.explained > 0]
    if changed:
        parts = ", ".join(f"{c.name} ({c.explained:.1%})" for c in changed[:3])
        yield (
            f"What it misses lies otherwise along {parts} than at training (in brackets: of the "
            f"errors' variance)"
        )


def _population(names: list[str], performance: Performance) -> str:
    if not names:
        return "The inputs moved together: the predictions are others, though no feature is."
    verb = "have" if len(names) > 1 else "has"
    said = f"{_listed(names)} {verb} moved from the training data: other rows, or another season."
    if performance["ratio"] is None:
        return said + " There are too few labels yet to say what it costs."
    if performance["ratio"] > 1:
        return f"{said} {_erring(performance)}."
    return f"{said} The model copes so far: {_level(performance)}."


def _silent(name: str, found: Silence) -> str:
    what = "is missing" if found.stands is None else f"holds {found.stands}"
    return f"{name} {what} in {found.share:.0%} of the rows ({found.was:.0%} at training)"


def _newcomers(name: str, found: Newcomers) -> str:
    names = ", ".join(map(repr, found.names[:3]))
    more = f" and {found.count - 3} more" if found.count > 3 else ""
    return f"{name} holds {names}{more} in {found.share:.1%} of the rows, which training never saw"


def _better(signs: Signs) -> str:
    assert signs.quality is not None and signs.quality.better is not None
    found = signs.quality.better
    return f"a mean loss of {found.before:.4g} against {found.now:.4g} on {found.rows:,} rows"


def _mended(signs: Signs) -> str:
    quality = signs.quality
    assert quality is not None
    share = max(0.0, min(1.0, (quality.loss - quality.repaired) / max(quality.rise, 1e-12)))
    levels = ", ".join(f"{a:+.3g}" for a in quality.recalibration.intercept[:4])
    return (
        f"recalibrating (slope {quality.recalibration.slope:.2g}, intercept {levels}) would take "
        f"away {share:.0%} of the rise"
    )


def _erring(performance: Performance) -> str:
    return f"{_level(performance)}, worse than the {performance['threshold']:.4g} allowed"


def _level(performance: Performance) -> str:
    return (
        f"{performance['metric']} is {performance['value']:.4g} on {performance['rows']:,} "
        f"labelled rows ({performance['baseline']:.4g} at training)"
    )


def _of_rows(share: float) -> str:
    return "" if share > 0.98 else f" in {share:.0%} of its values"


def _more(names: list[str]) -> str:
    return f" (and so {_listed(names[1:])})" if len(names) > 1 else ""


def _listed(names: list[str]) -> str:
    if len(names) > 4:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
