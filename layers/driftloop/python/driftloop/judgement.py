"""One window, one version: captured rows and labels in, the report out. Pure.

The report says nothing of when it was made, so the same rows and labels give the same bytes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftloop import losses
from driftloop.baseline import Baseline, predictions_sketch
from driftloop.captured import Record
from driftloop.checking.contract import as_text
from driftloop.sketches.sketch import Floats, NumberSketch, Sketch
from driftloop.spec import Spec
from driftloop.truth import reader
from driftloop.when import from_ms, iso

JUDGED, NO_DATA = "judged", "no data"


@dataclass(frozen=True)
class Sketches:
    """What a window's rows and their predictions look like."""

    features: dict[str, Sketch]
    prediction: Sketch

    @classmethod
    def of(cls, baseline: Baseline, records: Sequence[Record]) -> Sketches:
        """Of each feature of the baseline, as it took it."""
        features = {
            name: _sketch(seen.sketch, [r["features"].get(name) for r in records])
            for name, seen in baseline.features.items()
        }
        return cls(features, predictions_sketch(_scores(records), baseline.classes))

    def to_json(self) -> dict[str, Any]:
        features = {name: sketch.to_json() for name, sketch in self.features.items()}
        return {"features": features, "prediction": self.prediction.to_json()}


def judge(
    spec: Spec,
    baseline: Baseline,
    version: int,
    start: int,
    end: int,
    records: Sequence[Record],
    seen: Sketches,
    labels: Mapping[str, Any],
) -> dict[str, Any]:
    """The report of a window ``[start, end)`` (epoch milliseconds).

    ``records``: each prediction once; ``labels``: prediction id → truth. ``drift_ratio`` and
    ``performance.ratio`` are statistic ÷ threshold; None where there is too little to say
    (fewer rows, or labelled rows, than ``monitor.min_rows``).
    """
    roles = Counter(r["role"] for r in records)
    report: dict[str, Any] = {
        "model": spec.name,
        "version": version,
        "role": roles.most_common(1)[0][0] if roles else "champion",
        "window": {"start": iso(from_ms(start)), "end": iso(from_ms(end))},
        "rows": len(records),
        "status": JUDGED if len(records) >= spec.monitor.min_rows else NO_DATA,
        "features": {},
        "prediction": None,
        "ranked": [],
        "drift_ratio": None,
        "performance": _performance(spec, baseline, records, labels),
    }
    if report["status"] == JUDGED:
        scores, prediction, _ = baseline.score(spec.monitor, seen.features, seen.prediction)
        ranked = sorted(scores, key=lambda name: (-scores[name]["ratio"], name))
        top = max((prediction["ratio"], *(s["ratio"] for s in scores.values())))
        report |= {"features": scores, "prediction": prediction, "ranked": ranked}
        report["drift_ratio"] = top
    report["text"] = in_words(report, spec.monitor.min_rows)
    return report


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
        text += f" So did the predictions ({report['prediction']['ratio']:.1f}×)."
    performance = report["performance"]
    if performance["ratio"] is not None:
        verdict = "worse than allowed" if performance["ratio"] > 1 else "within what is allowed"
        text += (
            f" Realised {performance['metric']} on {performance['rows']} labelled rows: "
            f"{performance['value']:.4g} ({performance['baseline']:.4g} at training), {verdict}."
        )
    return text


def _performance(
    spec: Spec,
    baseline: Baseline,
    records: Sequence[Record],
    labels: Mapping[str, Any],
) -> dict[str, Any]:
    """Realised quality of the labelled rows; a class the version never learned is counted."""
    metric, read = baseline.metric, reader(baseline.classes)
    known: list[Record] = []
    truth: list[float] = []
    strange = 0
    for record in records:
        if record["id"] not in labels:
            continue
        label = read(labels[record["id"]])
        if label is None:
            strange += 1
            continue
        truth.append(label)
        known.append(record)
    found: dict[str, Any] = {
        "metric": metric,
        "baseline": baseline.value,
        "rows": len(known),
        "unknown_classes": strange,
        "value": None,
        "threshold": None,
        "ratio": None,
    }
    if known:
        value = losses.value(metric, np.array(truth), _scores(known))
        found["value"] = value
        if value is not None and len(known) >= spec.monitor.min_rows:
            limit = baseline.performance_limit(spec, len(known))
            found["threshold"] = limit
            found["ratio"] = losses.as_loss(metric, value) / limit
    return found


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


def _scores(records: Sequence[Record]) -> Floats:
    return np.array([r["prediction"] for r in records], dtype=np.float64)
