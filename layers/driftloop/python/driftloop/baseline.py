"""The baseline of a version: sketches of its training data and predictions, and the thresholds.

``baseline`` is called once, by train; ``scored`` judges a window's sketches against it. The
document is JSON (no NaN): ``features`` and ``prediction`` are sketches (see ``driftloop.sketch``),
``thresholds`` hold for a window of ``null.rows`` rows; ``scored`` widens them for a smaller one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import bins as sketch
from driftloop import losses, thresholds
from driftloop.drift import missing_shift, psi
from driftloop.frame import Frame
from driftloop.spec import Spec

Floats = npt.NDArray[np.float64]
Score = dict[str, float]


def baseline(
    frame: Frame,
    predictions: npt.ArrayLike,
    metric_name: str,
    metric_value: float,
    spec: Spec,
) -> dict[str, Any]:
    """Profile ``frame`` (all its rows) and ``predictions`` into a version's baseline.

    ``predictions``: the plan's scores of the holdout rows in frame order, ``(n_holdout,)`` or
    ``(n_holdout, n_classes)``; scores of all rows are cut down to the holdout, since a model is
    surer of itself on the rows it learned from. ``metric_value`` is ``metric_name`` on the
    holdout. Raises ValueError when the shapes do not fit or a score is not finite.
    """
    scores = np.asarray(predictions, dtype=np.float64)
    holdout = np.flatnonzero(~frame.train)
    if scores.shape[0] == frame.train.size:
        scores = scores[holdout]
    if scores.shape[0] != holdout.size or not np.isfinite(scores).all():
        raise ValueError(
            f"baseline needs a finite prediction for each of {holdout.size} holdout rows"
        )
    window, fewest = spec.monitor.window, spec.monitor.min_rows
    rate = thresholds.alpha(spec.monitor.false_alarms, window, 2 * len(spec.features) + 1)
    rows = thresholds.blocks(frame.time, frame.train.size, window, fewest)
    size = int(np.median([b.size for b in rows])) if rows else fewest
    limits: dict[str, dict[str, float]] = {}
    features: dict[str, sketch.Sketch] = {}
    for name in spec.features:
        column = frame.columns[name]
        if name in frame.vocabulary:
            names = frame.vocabulary[name]
            seen = np.bincount(column[column >= 0], minlength=len(names)).astype(np.int64)
            bins = sketch.category_bins(names, seen)
            assigned = sketch.assign_codes(bins, column, names)
        else:
            bins = sketch.number_bins(column)
            assigned = sketch.assign_numbers(bins, column)
        features[name], limits[name] = _limits(bins, assigned, rows, size, rate)
    held_time = None if frame.time is None else frame.time[holdout]
    held = thresholds.blocks(held_time, holdout.size, window, fewest)
    bins = prediction_bins(scores, frame.classes)
    prediction, limit = _limits(bins, assign_predictions(bins, scores), held, size, rate)
    watched = spec.monitor.performance.metric if spec.monitor.performance else metric_name
    truth = frame.target[holdout]
    level = metric_value if watched == metric_name else losses.value(watched, truth, scores)
    if level is None or not math.isfinite(level):
        raise ValueError(f"{watched} cannot be computed on the holdout")
    loss = losses.row_losses(watched, truth, scores)
    document: dict[str, Any] = {
        "version_of": "1",
        "classes": frame.classes,
        "features": features,
        "prediction": prediction,
        "metric": {"name": watched, "value": float(level)},
        "loss": {"deviation": _deviation(loss, held), "rows": int(loss.size)},
        "null": {"rows": size, "blocks": len(rows), "alpha": rate},
        "thresholds": {"features": limits, "prediction": {"psi": limit["psi"]}},
    }
    document["thresholds"]["performance"] = {watched: performance_limit(document, spec, size)}
    return document


def performance_limit(document: Mapping[str, Any], spec: Spec, rows: int) -> float:
    """The loss (``losses.as_loss``) a window of ``rows`` labelled rows may reach: the holdout's,
    plus the spec's tolerance of it, plus what chance adds within the false-alarm budget."""
    metric = document["metric"]
    tolerance = spec.monitor.performance.tolerance if spec.monitor.performance else 0.1
    rate = thresholds.alpha(spec.monitor.false_alarms, spec.monitor.window)
    chance = document["loss"]["deviation"] / max(rows, 1) ** 0.5
    level = losses.as_loss(metric["name"], metric["value"])
    if metric["name"] == "rmse":  # its rows are squared errors: d√m = dm / 2√m
        chance /= 2 * max(level, 1e-12)
    return float(max(level * (1 + tolerance) + thresholds.upper_normal(rate) * chance, 1e-9))


def scored(
    document: Mapping[str, Any], features: Mapping[str, sketch.Sketch], prediction: sketch.Sketch
) -> tuple[dict[str, Score], Score]:
    """Score a window's sketches: per feature, the statistics, their thresholds at the window's
    size and their ratios; ``ratio`` is the larger one, and above 1 means drift. Then the same of
    the predictions."""
    limits, null = document["thresholds"], document["null"]
    scores = {
        name: _score(base, features[name], limits["features"][name], null)
        for name, base in document["features"].items()
    }
    return scores, _score(document["prediction"], prediction, limits["prediction"], null)


def prediction_bins(scores: Floats, classes: list[str] | None) -> sketch.Sketch:
    """Bins for scores: of the probability or value, or of the class chosen among many."""
    if scores.ndim == 2 and classes is not None:
        chosen = np.bincount(scores.argmax(axis=1), minlength=len(classes)).astype(np.int64)
        return sketch.category_bins([str(i) for i in range(len(classes))], chosen)
    return sketch.number_bins(scores)


def assign_predictions(bins: sketch.Sketch, scores: Floats) -> sketch.Ints:
    """The bin of each score."""
    if scores.ndim == 2:
        names = [str(i) for i in range(scores.shape[1])]
        return sketch.assign_codes(bins, scores.argmax(axis=1), names)
    return sketch.assign_numbers(bins, scores)


def _limits(
    bins: sketch.Sketch,
    assigned: sketch.Ints,
    rows: list[sketch.Ints],
    size: int,
    rate: float,
) -> tuple[sketch.Sketch, dict[str, float]]:
    """The full sketch of a column, and its thresholds from its blocks."""
    base = sketch.tally(bins, assigned)
    parts = [sketch.tally(bins, assigned[index]) for index in rows]
    shifts = np.array([psi(base["counts"], p["counts"]) for p in parts])
    misses = np.array([missing_shift(base, p) for p in parts])
    n = max(base["rows"], 1)
    filled = sum(1 for c in base["counts"] if c)
    share = base["missing"] / n
    farthest = max(share, 1 - share)  # all values missing, or (where most were) none
    return base, {
        "psi": max(
            thresholds.PSI_FLOOR,
            thresholds.tail(shifts, rate, thresholds.psi_in_range(base["counts"], size)),
            thresholds.psi_sampling(filled, rate, n, size),
        ),
        "missing": max(
            thresholds.MISSING_FLOOR,
            thresholds.tail(misses, rate, (float(misses.max(initial=0.0)) + farthest) / 2),
            thresholds.missing_sampling(share, rate, n, size),
        ),
    }


def _score(
    base: sketch.Sketch,
    seen: sketch.Sketch,
    limit: Mapping[str, float],
    null: Mapping[str, Any],
) -> Score:
    n, rows, rate = max(base["rows"], 1), max(seen["rows"], 1), null["alpha"]
    filled, share = sum(1 for c in base["counts"] if c), base["missing"] / n

    def widened(
        at: float, sampling: Callable[[float, float, int, int], float], shape: float
    ) -> float:
        """A smaller window scatters more: add what independent rows add at its size."""
        extra = sampling(shape, rate, n, rows) - sampling(shape, rate, n, null["rows"])
        return float(at + max(0.0, extra))

    score = {"psi": psi(base["counts"], seen["counts"])}
    score["psi_threshold"] = widened(limit["psi"], thresholds.psi_sampling, filled)
    score["ratio"] = score["psi_ratio"] = score["psi"] / score["psi_threshold"]
    if "missing" in limit:
        score["missing"] = missing_shift(base, seen)
        score["missing_threshold"] = widened(limit["missing"], thresholds.missing_sampling, share)
        score["missing_ratio"] = score["missing"] / score["missing_threshold"]
        score["ratio"] = max(score["ratio"], score["missing_ratio"])
    return score


def _deviation(loss: Floats, rows: list[sketch.Ints]) -> float:
    """Deviation of a row's loss, as blocks show it: days differ more than independent rows do."""
    single = float(loss.std()) if loss.size else 0.0
    if len(rows) < thresholds.FEWEST_BLOCKS:
        return single
    means = np.array([loss[index].mean() for index in rows])
    size = float(np.median([index.size for index in rows]))
    return max(single, float(means.std(ddof=1)) * math.sqrt(size))
