"""One window, one version: captured rows and labels in, the report out. Pure.

The report says nothing of when it was made, so the same rows and labels give the same bytes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftloop import bins as sketch
from driftloop import losses
from driftloop.baseline import assign_predictions, performance_limit, scored
from driftloop.captured import Record
from driftloop.contract import as_text
from driftloop.spec import Spec
from driftloop.when import from_ms, iso

JUDGED, NO_DATA = "judged", "no data"
Sketches = dict[str, Any]


def sketches(baseline: Mapping[str, Any], records: Sequence[Record]) -> Sketches:
    """The window's sketches over the version's own bins: ``{"features": {…}, "prediction"}``."""
    features = {
        name: sketch.tally(bins, _assigned(bins, [r["features"].get(name) for r in records]))
        for name, bins in baseline["features"].items()
    }
    bins = baseline["prediction"]
    scores = _scores(records)
    return {
        "features": features,
        "prediction": sketch.tally(bins, assign_predictions(bins, scores)),
    }


def judge(
    spec: Spec,
    baseline: Mapping[str, Any],
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
        scores, prediction = scored(baseline, seen["features"], seen["prediction"])
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
    baseline: Mapping[str, Any],
    records: Sequence[Record],
    labels: Mapping[str, Any],
) -> dict[str, Any]:
    """Realised quality of the labelled rows; a class the version never learned is counted."""
    metric, classes = baseline["metric"]["name"], baseline["classes"]
    codes = {name: i for i, name in enumerate(classes or ())}
    known: list[Record] = []
    truth: list[float] = []
    strange = 0
    for record in records:
        if record["id"] not in labels:
            continue
        label = labels[record["id"]]
        if classes is None:
            truth.append(float(label))
        elif as_text(label) in codes:
            truth.append(codes[as_text(label) or ""])
        else:
            strange += 1
            continue
        known.append(record)
    found: dict[str, Any] = {
        "metric": metric,
        "baseline": baseline["metric"]["value"],
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
            limit = performance_limit(baseline, spec, len(known))
            found["threshold"] = limit
            found["ratio"] = losses.as_loss(metric, value) / limit
    return found


def _assigned(bins: sketch.Sketch, values: Sequence[Any]) -> sketch.Ints:
    if bins["type"] == "category":
        return sketch.assign_names(bins, [None if v is None else as_text(v) for v in values])
    numbers = [
        float(v) if isinstance(v, (int, float)) and math.isfinite(v) else math.nan for v in values
    ]
    return sketch.assign_numbers(bins, np.array(numbers, dtype=np.float64))


def _scores(records: Sequence[Record]) -> sketch.Floats:
    return np.array([r["prediction"] for r in records], dtype=np.float64)
