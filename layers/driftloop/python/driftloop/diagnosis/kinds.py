"""The decision: what kind of trouble a window's signs add up to.

In this order, since each would pass for those behind it:

1. a unit that changed, then a source that fell silent: such rows teach nothing, and whatever else
   seems to be wrong may come of them;
2. the version before is clearly better on the same rows: a bad release;
3. new categories are most of what moved;
4. the relation of inputs and truth changed, along features that did not move themselves (where
   inputs moved to, any model may err otherwise than it did);
5. the inputs moved: another population, or another season;
6. nothing of the inputs moved, and yet the model errs more: its calibration, or the relation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from driftloop import losses
from driftloop.baseline import Baseline
from driftloop.diagnosis import shares, words
from driftloop.diagnosis.column import Column
from driftloop.diagnosis.found import Diagnosis, Feature, Floats
from driftloop.diagnosis.misses import Misses
from driftloop.diagnosis.missing_source import silence
from driftloop.diagnosis.new_category import newcomers
from driftloop.diagnosis.quality import Quality, quality
from driftloop.diagnosis.signs import Signs
from driftloop.diagnosis.unit_bug import bug
from driftloop.spec import Spec, Trouble

if TYPE_CHECKING:
    from driftloop.judgement import Sketches
    from driftloop.realised import Labelled


def diagnose(
    spec: Spec,
    baseline: Baseline,
    report: Mapping[str, Any],
    seen: Sketches,
    labelled: Labelled | None,
    before: Floats | None,
) -> Diagnosis | None:
    """What is wrong in the window of ``report``; None while it is over no threshold.

    ``seen``: the sketches of all its rows. ``labelled``: None without labels. ``before``: the
    losses (``losses.row_losses`` by ``baseline.metric``) float64[n] of the version that was
    champion before this one on the rows of ``labelled``, NaN for a row that it could not answer;
    None if there was none.
    """
    performance = report["performance"]
    drifted = (report["drift_ratio"] or 0.0) > 1.0
    worse = (performance["ratio"] or 0.0) > 1.0
    if not drifted and not worse:
        return None
    columns = _columns(baseline, report, seen)
    misses = Misses.from_json(baseline.misses) if baseline.misses else None
    erring = None
    if worse and labelled is not None:
        erring = quality(
            baseline.metric, baseline.value, baseline.classes,
            labelled.records, labelled.truth, labelled.scores, misses, before,
        )  # fmt: skip
    moved = [c for c in columns if c.moved]
    signs = Signs(
        drifted=drifted,
        parts=shares.of_drift(columns),
        silent={c.name: silent for c in moved if (silent := silence(c))},
        bugs={c.name: wrong for c in moved if (wrong := bug(c))},
        newcomers={c.name: new for c in moved if (new := newcomers(c))},
        moved=[c.name for c in moved],
        quality=erring,
        expected=_expected(baseline, performance),
    )
    kind = decide(signs)
    names = signs.concerned(kind)
    costs = shares.of_loss(columns, misses)
    if erring is not None and kind == "concept_shift":
        costs = shares.of_misses(erring.changed)
    ratios = {c.name: c.ratio for c in columns}
    return Diagnosis(
        kind,
        spec.retrain.policy.action(kind),
        [Feature(n, ratios[n], signs.parts[n], costs.get(n)) for n in names],
        words.evidence(signs, performance),
        words.text(kind, signs, performance),
    )


def decide(signs: Signs) -> Trouble:
    """The kind; see above."""
    if signs.bugs:
        return "unit_bug"
    if signs.silent:
        return "missing_source"
    erring = signs.quality
    if erring is not None and erring.better is not None:
        return "bad_release"
    if signs.newcomers and signs.part(signs.newcomers) >= signs.part(signs.moved) / 2:
        return "new_category"
    if erring is None:
        return "population_shift" if signs.drifted else "concept_shift"
    if signs.moved:
        return "concept_shift" if _turned(signs, erring) else "population_shift"
    return "calibration_shift" if erring.miscalibrated else "concept_shift"


def _turned(signs: Signs, erring: Quality) -> bool:
    """Whether the relation changed where the inputs did not move, and they were not expected to
    bring most of what the model errs more."""
    if signs.expected is not None and signs.expected - erring.was >= erring.rise / 2:
        return False
    return erring.turned(apart_from=signs.moved)


def _columns(baseline: Baseline, report: Mapping[str, Any], seen: Sketches) -> list[Column]:
    """Of every feature that was captured, the report's order first."""
    order = [*report["ranked"], *(n for n in seen.features if n not in report["features"])]
    ratios = {name: float(score["ratio"]) for name, score in report["features"].items()}
    return [Column(n, baseline.features[n], seen.features[n], ratios.get(n, 0.0)) for n in order]


def _expected(baseline: Baseline, performance: Mapping[str, Any]) -> float | None:
    """The loss that was estimated without labels."""
    value = (performance.get("estimate") or {}).get("value")
    return None if value is None else losses.as_loss(baseline.metric, float(value))
