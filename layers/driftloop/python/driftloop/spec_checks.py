"""What a spec must not say at once. Every check gives sentences that begin with the path."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from driftloop.capture_lines import MAX_NAMES, columns
from driftloop.checking import expression
from driftloop.errors import SpecError
from driftloop.mistakes import nearest
from driftloop.spec_data import Data
from driftloop.spec_words import comparison, doubles, format_duration
from driftloop.when import iso

if TYPE_CHECKING:
    from driftloop.spec import Spec

GREATER_IS_BETTER: dict[str, bool] = {
    "log_loss": False, "brier": False, "roc_auc": True, "accuracy": True, "f1": True,
    "rmse": False, "mae": False, "r2": True,
}  # fmt: skip
DAY = timedelta(days=1)
LONGEST = 28 * DAY  # an execution lasts 30 days at most, and does more than release
LEAST_STEP = 0.05  # of a linear release: an execution has at most 25,000 events, a look has ten
CLASSIFICATION_METRICS = ("log_loss", "brier", "roc_auc", "accuracy", "f1")
REGRESSION_METRICS = ("rmse", "mae", "r2")
NO_TEXTS = {"kolmogorov_smirnov", "wasserstein", "out_of_range"}  # statistics of order
NO_NUMBERS = {"new_category"}
_WITHIN = {  # what a metric can be at all
    "log_loss": (0.0, float("inf")), "brier": (0.0, 1.0), "roc_auc": (0.0, 1.0),
    "accuracy": (0.0, 1.0), "f1": (0.0, 1.0), "rmse": (0.0, float("inf")),
    "mae": (0.0, float("inf")), "r2": (float("-inf"), 1.0),
}  # fmt: skip


def contradictions(spec: Spec) -> list[str]:
    """Everything in which the parts of a spec, each valid, disagree."""
    return [
        *_columns(spec),
        *_times(spec),
        *_rows(spec),
        *_split(spec),
        *_metrics(spec),
        *_gates(spec),
        *_estimators(spec),
        *_release(spec),
        *_causes(spec),
        *_statistics(spec),
    ]


def _columns(spec: Spec) -> Iterator[str]:
    for role, name in (("target", spec.target), ("time", spec.time), ("key", spec.key)):
        if name is not None and name in spec.features:
            yield f"features.{name}: is the {role}, and so cannot be a feature"
    if spec.time is not None and spec.time == spec.target:
        yield f"time: {spec.time!r} is already the target"
    if spec.key is not None and spec.key in (spec.target, spec.time):
        yield f"key: {spec.key!r} is already the {'target' if spec.key == spec.target else 'time'}"
    for name in spec.gates.slices:
        if name not in spec.features:
            yield f"gates.slices: {name!r} is no feature{nearest(name, spec.features)}"
    for name in spec.capture.redact:
        if name not in spec.columns:
            yield f"capture.redact: {name!r} is no column{nearest(name, spec.columns)}"
    captured = columns([*spec.features], spec.key, spec.capture.redact)
    if (size := len(json.dumps(captured))) > MAX_NAMES:
        yield (
            f"features: their names take {size:,} bytes of every captured line, at most "
            f"{MAX_NAMES:,}; shorten them, or keep some out by `capture.redact`"
        )
    for path, names in (("gates.slices", spec.gates.slices),
                        ("capture.redact", spec.capture.redact),
                        ("training.estimators", spec.training.estimators),
                        ("monitor.statistics", spec.monitor.statistics),
                        ("retrain.on", spec.retrain.on)):  # fmt: skip
        yield from doubles(path, list(names))


def _times(spec: Spec) -> Iterator[str]:
    data = spec.data
    if spec.time is None:
        if data.window is not None:
            yield "data.window: looks back in event time, but the spec names no `time` column"
        bounds = {"earliest": data.earliest is not None, "latest": data.latest is not None,
                  "future": data.future != Data().future}  # fmt: skip
        for key in (key for key, said in bounds.items() if said):
            yield f"data.{key}: bounds the event time, but the spec names no `time` column"
        if data.split.by == "time":
            yield "data.split.by: is time, but the spec names no `time` column"
    if data.earliest is not None and data.latest is not None and data.earliest > data.latest:
        yield f"data.earliest: {iso(data.earliest)} is after latest, {iso(data.latest)}"


def _rows(spec: Spec) -> Iterator[str]:
    """Rules of a row and expectations of an upload that speak of what is not there."""
    kinds = spec.kinds
    for name, text in spec.data.rules.items():
        try:
            expression.compile(text, kinds)
        except SpecError as error:
            yield f"data.rules.{name}: {error}"
    expect = spec.data.expect
    profiled = [*spec.features, spec.target]
    for measure, asked in (("null_share", expect.null_share), ("distinct", expect.distinct),
                           ("mean", expect.mean), ("min", expect.min),
                           ("max", expect.max)):  # fmt: skip
        for name, bounds in asked.items():
            path = f"data.expect.{measure}.{name}"
            if name not in profiled:
                yield f"{path}: {name!r} is no feature or target{nearest(name, profiled)}"
            elif measure in ("mean", "min", "max") and kinds[name] != "number":
                yield f"{path}: {name!r} holds {kinds[name]}, which has no {measure}"
            elif measure == "null_share":
                yield from _unreachable(path, bounds, (0.0, 1.0), "a share")
            elif measure == "distinct":
                yield from _unreachable(path, bounds, (0.0, math.inf), "a count")
    yield from _unreachable("data.expect.rows", expect.rows or [], (0.0, math.inf), "a count")


def _split(spec: Spec) -> Iterator[str]:
    split = spec.data.split
    if split.group is not None and split.group not in (*spec.features, spec.key):
        known = [*spec.features, *([spec.key] if spec.key else [])]
        why = "is the target" if split.group == spec.target else "is no feature and no key"
        yield f"data.split.group: {split.group!r} {why}{nearest(split.group, known)}"
    if not split.stratify:
        return
    if spec.task == "regression":
        yield "data.split.stratify: a regression has no classes to hold the shares of"
    elif spec.split_by == "time":
        yield (
            "data.split.stratify: the newest rows are the holdout, whatever their classes; "
            "say `by: hash` to hold the shares of classes instead"
        )
    if split.group is not None:
        yield "data.split.stratify: a group is on one side whole, so shares cannot be held as well"


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
        yield from _unreachable(f"gates.metrics.{metric}", [rule], _WITHIN[metric], metric)


def _unreachable(
    path: str, rules: list[str], within: tuple[float, float], what: str
) -> Iterator[str]:
    """Comparisons that hold for nothing that lies between the two numbers."""
    low, high = within
    for rule in rules:
        compare, threshold = comparison(rule)
        if not compare(high if rule.strip()[0] == ">" else low, threshold):
            yield f"{path}: {rule!r} is out of reach; {what} lies between {low:g} and {high:g}"


def _estimators(spec: Spec) -> Iterator[str]:
    other = "linear_regression" if spec.task == "classification" else "logistic_regression"
    if other in spec.training.estimators:
        yield f"training.estimators: {other!r} does not do {spec.task}"


def _release(spec: Spec) -> Iterator[str]:
    """A release that could not end within its run."""
    release = spec.release
    if release.strategy == "linear" and release.share < LEAST_STEP:
        yield f"release.share: {release.share:g} is under {LEAST_STEP:g}; that is too many steps"
    steps, most, bake = len(release.shares), release.patience, format_duration(release.bake)
    if (longest := steps * most * release.bake) > LONGEST:
        yield (
            f"release.bake: {steps} step{'s' * (steps > 1)} of up to {most} bakes of {bake} may "
            f"take {longest / DAY:.3g} days; a run lasts {LONGEST / DAY:g}"
        )


def _causes(spec: Spec) -> Iterator[str]:
    scheduled = "schedule" in spec.retrain.on
    if spec.retrain.schedule and not scheduled:
        yield "retrain.schedule: is set, but `retrain.on` does not list schedule"
    if scheduled and not spec.retrain.schedule:
        yield "retrain.on: lists schedule, but `retrain.schedule` is not set"


def _statistics(spec: Spec) -> Iterator[str]:
    """Features that would be watched by nothing."""
    for kind, deaf in (("number", NO_NUMBERS), ("category", NO_TEXTS)):
        names = [name for name, feature in spec.features.items() if feature.type == kind]
        if names and deaf.issuperset(spec.monitor.statistics):
            shown = ", ".join(names[:3]) + ", …" * (len(names) > 3)
            yield f"monitor.statistics: none of them suits a {kind} ({shown}); add psi, say"


def said_in_vain(raw: dict[str, Any]) -> list[str]:
    """What was written though another key makes it void. Looks at the document as written; a value
    that is the default says nothing, so that a spec written out in full is no mistake."""
    return list(_in_vain(raw))


def _in_vain(raw: dict[str, Any]) -> Iterator[str]:
    release, monitor = _mapping(raw, "release"), _mapping(raw, "monitor")
    strategy = release.get("strategy")
    vain: dict[str, Any] = {"share": 0.1}
    if strategy == "all_at_once":
        vain |= {"bake": "10m", "patience": 3, "min_requests": 30, "unseen": "roll_back"}
    if strategy in ("all_at_once", "blue_green", "shadow"):
        for key, default in vain.items():
            if release.get(key, default) != default:
                yield f"release.{key}: has no meaning with strategy {strategy}"
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
