"""One window, one version: captured rows and labels in, the report out. Pure.

The report says nothing of when it was made, so the same rows and labels give the same bytes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftloop.baseline import Baseline, predictions_sketch, target_sketch
from driftloop.captured import Record
from driftloop.checking.contract import as_text
from driftloop.diagnosis import diagnose
from driftloop.realised import Labelled, performance, scores
from driftloop.sketches.sketch import Floats, NumberSketch, Sketch
from driftloop.spec import Spec
from driftloop.when import from_ms, iso

JUDGED, NO_DATA, NO_THRESHOLDS = "judged", "no data", "no thresholds"
MOST_LABELLED = 5_000  # rows that are looked at for the reasons

Report = dict[str, Any]
Before = Callable[[Labelled], Floats | None]
"""From labelled rows to the losses, on them, of the version that was champion before."""


@dataclass(frozen=True)
class Sketches:
    """What a window's rows, their predictions and the labels known of them look like."""

    features: dict[str, Sketch]
    prediction: Sketch
    target: Sketch | None = None

    @classmethod
    def of(
        cls,
        spec: Spec,
        baseline: Baseline,
        records: Sequence[Record],
        labelled: Labelled | None = None,
    ) -> Sketches:
        """Of each feature of the baseline, as it took it, that the spec lets be captured."""
        features = {
            name: _sketch(seen.sketch, [r["features"].get(name) for r in records])
            for name, seen in baseline.features.items()
            if name not in spec.capture.redact
        }
        known = labelled is not None and len(labelled.truth) > 0
        return cls(
            features,
            predictions_sketch(scores(records), baseline.classes),
            target_sketch(labelled.truth, baseline.classes) if labelled and known else None,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "features": {name: sketch.to_json() for name, sketch in self.features.items()},
            "prediction": self.prediction.to_json(),
            "target": self.target and self.target.to_json(),
        }


def judge(
    spec: Spec,
    baseline: Baseline,
    version: int,
    start: int,
    end: int,
    records: Sequence[Record],
    seen: Sketches,
    labelled: Labelled,
    before: Before | None = None,
) -> Report:
    """The report of a window ``[start, end)`` (epoch milliseconds).

    ``records``: each prediction once; ``seen`` and ``labelled``: of them. ``drift_ratio`` and
    ``performance.ratio`` are statistic ÷ threshold; None where there is too little to say (fewer
    rows, or labelled rows, than ``monitor.min_rows``). What the labels look like (``target``) is
    told and is no part of the drift: they come when the alarm is over. ``before`` is only asked
    about a window that is over a threshold.
    """
    fewest = spec.monitor.min_rows
    report = _report(spec, version, start, end, records)
    report["performance"] = performance(spec, baseline, records, labelled)
    if len(records) >= fewest:
        target = seen.target if len(labelled.records) >= fewest else None
        found = baseline.score(spec.monitor, seen.features, seen.prediction, target)
        ranked = sorted(found.features, key=lambda name: (-found.features[name]["ratio"], name))
        report |= found._asdict() | {"status": JUDGED, "ranked": ranked}
        columns = [found.prediction, *found.features.values()]
        report["drift_ratio"] = max(score["ratio"] for score in columns)
        report["diagnosis"] = _diagnosis(spec, baseline, report, seen, labelled, before)
    report["text"] = in_words(report, fewest)
    return report


def without_thresholds(
    spec: Spec, version: int, start: int, end: int, records: Sequence[Record], reason: str
) -> Report:
    """The report of a window of a version that there is no (readable) baseline of."""
    report = _report(spec, version, start, end, records)
    text = f"Version {version} cannot be judged: {reason}. Retrain to get thresholds."
    return report | {"status": NO_THRESHOLDS, "text": text}


def in_words(report: Mapping[str, Any], fewest: int) -> str:
    """The report in a sentence or two."""
    if report["status"] == NO_DATA:
        return f"Too few rows to judge: {report['rows']}, and at least {fewest} are needed."
    moved = [name for name in report["ranked"] if report["features"][name]["ratio"] > 1]
    if moved:
        shown = ", ".join(
            f"{name} ({report['features'][name]['ratio']:.1f}× its threshold)" for name in moved[:3]
        )
        more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
        text = f"Moved from the training data: {shown}{more}."
    else:
        text = "The inputs look like the training data."
    if report["prediction"]["ratio"] > 1:
        said = "So did the predictions" if moved else "The predictions moved"
        text += f" {said} ({report['prediction']['ratio']:.1f}×)."
    performance = report["performance"]
    if performance["ratio"] is not None:
        verdict = "worse than allowed" if performance["ratio"] > 1 else "within what is allowed"
        text += (
            f" Realised {performance['metric']} on {performance['rows']} labelled rows: "
            f"{performance['value']:.4g} ({performance['baseline']:.4g} at training), {verdict}."
        )
    return text


def _report(spec: Spec, version: int, start: int, end: int, records: Sequence[Record]) -> Report:
    """What is known without a baseline."""
    roles = Counter(r["role"] for r in records)
    nothing = ("metric", "baseline", "value", "threshold", "ratio", "estimate")
    return {
        "model": spec.name,
        "version": version,
        "role": roles.most_common(1)[0][0] if roles else "champion",
        "window": {"start": iso(from_ms(start)), "end": iso(from_ms(end))},
        "rows": len(records),
        "status": NO_DATA,
        "features": {},
        "prediction": None,
        "target": None,
        "ranked": [],
        "drift_ratio": None,
        "performance": {**dict.fromkeys(nothing), "rows": 0, "unknown_classes": 0},
        "diagnosis": None,
    }


def _diagnosis(
    spec: Spec,
    baseline: Baseline,
    report: Report,
    seen: Sketches,
    labelled: Labelled,
    before: Before | None,
) -> dict[str, Any] | None:
    if max(report["drift_ratio"], report["performance"]["ratio"] or 0.0) <= 1.0:
        return None
    enough = len(labelled.records) >= spec.monitor.min_rows
    some = labelled.some(MOST_LABELLED) if enough else None
    others = before(some) if before and some else None
    found = diagnose(spec, baseline, report, seen, some, others)
    return found.to_json() if found else None


def _sketch(like: Sketch, values: Sequence[Any]) -> Sketch:
    if isinstance(like, NumberSketch):
        numbers = [
            float(v) if isinstance(v, (int, float)) and math.isfinite(v) else math.nan
            for v in values
        ]
        return Sketch.numbers(np.array(numbers, dtype=np.float64))
    codes: dict[str | None, int] = {None: -1}
    texts = (None if v is None else as_text(v) for v in values)
    found = [codes.setdefault(text, len(codes) - 1) for text in texts]
    return Sketch.codes(np.array(found, np.int64), [name for name in codes if name is not None])
