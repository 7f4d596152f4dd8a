"""What a spec must not say at once. Every check gives sentences that begin with the path."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from driftloop.mistakes import nearest

if TYPE_CHECKING:
    from driftloop.spec import Spec

GREATER_IS_BETTER: dict[str, bool] = {
    "log_loss": False, "brier": False, "roc_auc": True, "accuracy": True, "f1": True,
    "rmse": False, "mae": False, "r2": True,
}  # fmt: skip
CLASSIFICATION_METRICS = ("log_loss", "brier", "roc_auc", "accuracy", "f1")
REGRESSION_METRICS = ("rmse", "mae", "r2")
_WITHIN = {  # what a metric can be at all
    "log_loss": (0.0, float("inf")), "brier": (0.0, 1.0), "roc_auc": (0.0, 1.0),
    "accuracy": (0.0, 1.0), "f1": (0.0, 1.0), "rmse": (0.0, float("inf")),
    "mae": (0.0, float("inf")), "r2": (float("-inf"), 1.0),
}  # fmt: skip

_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def contradictions(spec: Spec) -> list[str]:
    """Everything in which the parts of a spec, each valid, disagree."""
    return [*_columns(spec), *_metrics(spec), *_gates(spec), *_estimators(spec), *_causes(spec)]


def _columns(spec: Spec) -> Iterator[str]:
    for role, name in (("target", spec.target), ("time", spec.time), ("key", spec.key)):
        if name is not None and name in spec.features:
            yield f"features.{name}: is the {role}, and so cannot be a feature"
    if spec.time is not None and spec.time == spec.target:
        yield f"time: {spec.time!r} is already the target"
    if spec.key is not None and spec.key in (spec.target, spec.time):
        yield f"key: {spec.key!r} is already the {'target' if spec.key == spec.target else 'time'}"
    if spec.data.window is not None and spec.time is None:
        yield "data.window: looks back in event time, but the spec names no `time` column"
    for name in spec.gates.slices:
        if name not in spec.features:
            yield f"gates.slices: {name!r} is no feature{nearest(name, spec.features)}"
    for name in spec.capture.redact:
        if name not in spec.columns:
            yield f"capture.redact: {name!r} is no column{nearest(name, spec.columns)}"
    for path, names in (("gates.slices", spec.gates.slices),
                        ("capture.redact", spec.capture.redact),
                        ("training.estimators", spec.training.estimators),
                        ("retrain.on", spec.retrain.on)):  # fmt: skip
        yield from doubles(path, list(names))


def doubles(path: str, names: list[str]) -> Iterator[str]:
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"{path}: {name!r} stands there twice"


def _metrics(spec: Spec) -> Iterator[str]:
    """No metric of the other task."""
    allowed = CLASSIFICATION_METRICS if spec.task == "classification" else REGRESSION_METRICS
    asked: list[tuple[str, str]] = [(f"gates.metrics.{m}", m) for m in spec.gates.metrics]
    if spec.training.metric:
        asked.append(("training.metric", spec.training.metric))
    if spec.gates.beats_champion:
        asked.append(("gates.beats_champion.metric", spec.gates.beats_champion.metric))
    if spec.monitor.performance:
        asked.append(("monitor.performance.metric", spec.monitor.performance.metric))
    for path, metric in asked:
        if metric not in allowed:
            yield f"{path}: {metric!r} is no {spec.task} metric; one of {', '.join(allowed)}"


def _gates(spec: Spec) -> Iterator[str]:
    """A gate that no model could pass."""
    for metric, rule in spec.gates.metrics.items():
        found = re.fullmatch(r"\s*([<>]=?)\s*(\S+)\s*", rule)
        assert found is not None  # the type has checked it
        low, high = _WITHIN[metric]
        threshold = float(found[2])
        best = high if found[1][0] == ">" else low
        if _COMPARE[found[1]](best, threshold):
            continue
        yield (
            f"gates.metrics.{metric}: {rule!r} is out of reach; {metric} lies between "
            f"{low:g} and {high:g}"
        )


def _estimators(spec: Spec) -> Iterator[str]:
    other = "linear_regression" if spec.task == "classification" else "logistic_regression"
    if other in spec.training.estimators:
        yield f"training.estimators: {other!r} does not do {spec.task}"


def _causes(spec: Spec) -> Iterator[str]:
    scheduled = "schedule" in spec.retrain.on
    if spec.retrain.schedule and not scheduled:
        yield "retrain.schedule: is set, but `retrain.on` does not list schedule"
    if scheduled and not spec.retrain.schedule:
        yield "retrain.on: lists schedule, but `retrain.schedule` is not set"


def said_in_vain(raw: dict[str, Any]) -> list[str]:
    """What was written though another key makes it void. Looks at the document as written; a value
    that is the default says nothing, so that a spec written out in full is no mistake."""
    return list(_in_vain(raw))


def _in_vain(raw: dict[str, Any]) -> Iterator[str]:
    release, monitor = _mapping(raw, "release"), _mapping(raw, "monitor")
    if release.get("strategy") == "all_at_once":
        for key, default in (("share", 0.1), ("bake", "10m")):
            if release.get(key, default) != default:
                yield f"release.{key}: has no meaning with strategy all_at_once"
    on = _mapping(raw, "retrain").get("on")
    if isinstance(on, list) and "drift" in on and monitor.get("drift") is False:
        yield "retrain.on: lists drift, but `monitor.drift` is false"
    for name, feature in _mapping(raw, "features").items():
        if isinstance(feature, dict) and feature.get("max_categories", 50) != 50:
            if feature.get("type") == "number":
                yield f"features.{name}.max_categories: belongs to type: category"
            elif feature.get("categories") is not None:
                yield f"features.{name}.max_categories: has no meaning beside `categories`"


def _mapping(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}
