"""The decision: what kind of trouble a window's signs add up to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from driftloop.baseline import Baseline
from driftloop.diagnosis.found import Diagnosis, Feature, Floats, Labelled
from driftloop.spec import Spec, Trouble

if TYPE_CHECKING:
    from driftloop.judgement import Sketches


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
    champion before this one on the rows of ``labelled``, NaN for a row that it was not asked
    about; None if there was none.
    """
    drifted = (report["drift_ratio"] or 0.0) > 1.0
    worse = (report["performance"]["ratio"] or 0.0) > 1.0
    if not drifted and not worse:
        return None
    kind: Trouble = "population_shift" if drifted else "concept_shift"
    ratios = {name: float(report["features"][name]["ratio"]) for name in report["ranked"]}
    moved = [Feature(name, ratio, 0.0, None) for name, ratio in ratios.items() if ratio > 1.0]
    text = "The inputs moved." if drifted else "The model errs more than it did."
    return Diagnosis(kind, spec.retrain.policy.action(kind), moved, [], text)
