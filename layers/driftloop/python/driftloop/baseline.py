"""The baseline of a version: what its training data and its answers look like, and how far from
that a window may lie.

Made once, by train; the monitor judges every window's sketches against it. Its document is JSON
without NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftloop import losses, thresholds
from driftloop.errors import IntegrityError
from driftloop.frame import Frame
from driftloop.reference import Null, Reference, Score
from driftloop.sketches.bins import Ints, NumberBins, TextBins
from driftloop.sketches.sketch import Floats, Sketch
from driftloop.spec import Monitor, Spec

FORMAT = "driftloop.baseline/2"


class Scores(NamedTuple):
    """Of a window: each feature, the answers, and the labels where they are known."""

    features: dict[str, Score]
    prediction: Score
    target: Score | None


@dataclass(frozen=True)
class Baseline:
    """``features``: of all training rows; ``prediction``: of the answers to the holdout (of the
    probability or value, or of the class chosen among many); ``metric`` and its ``value`` on the
    holdout; ``deviation``: of a row's loss."""

    classes: list[str] | None
    features: dict[str, Reference]
    prediction: Reference
    metric: str
    value: float
    deviation: float
    null: Null
    estimate: dict[str, Any] | None = None
    misses: dict[str, Any] | None = None

    def score(
        self,
        monitor: Monitor,
        features: Mapping[str, Sketch],
        prediction: Sketch,
        target: Sketch | None = None,
    ) -> Scores:
        """A window's scores (see ``Reference.score``) within the budget of ``monitor``."""
        null = self.null
        scores = {name: base.score(features[name], null) for name, base in self.features.items()}
        return Scores(scores, self.prediction.score(prediction, null), None)

    def performance_limit(self, spec: Spec, rows: int) -> float:
        """The loss (``losses.as_loss``) a window of ``rows`` labelled rows may reach: the
        holdout's, plus the spec's tolerance of it, plus what chance adds within the false-alarm
        budget."""
        tolerance = spec.monitor.performance.tolerance if spec.monitor.performance else 0.1
        rate = thresholds.alpha(spec.monitor.false_alarms or "4/year", spec.monitor.window)
        chance = self.deviation / max(rows, 1) ** 0.5
        level = losses.as_loss(self.metric, self.value)
        if self.metric == "rmse":  # its rows are squared errors: d√m = dm / 2√m
            chance /= 2 * max(level, 1e-12)
        return float(max(level * (1 + tolerance) + thresholds.upper_normal(rate) * chance, 1e-9))

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "classes": self.classes,
            "features": {name: found.to_json() for name, found in self.features.items()},
            "prediction": self.prediction.to_json(),
            "metric": {"name": self.metric, "value": self.value, "deviation": self.deviation},
            "null": asdict(self.null),
            "estimate": self.estimate,
            "misses": self.misses,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Baseline:
        """Raises IntegrityError for a document of another form."""
        if document.get("format") != FORMAT:
            raise IntegrityError(f"this baseline is not of the form {FORMAT}: train the model anew")
        metric = document["metric"]
        return cls(
            classes=document["classes"],
            features={n: Reference.from_json(d) for n, d in document["features"].items()},
            prediction=Reference.from_json(document["prediction"]),
            metric=metric["name"],
            value=metric["value"],
            deviation=metric["deviation"],
            null=Null(**document["null"]),
            estimate=document.get("estimate"),
            misses=document.get("misses"),
        )


def baseline(
    frame: Frame,
    predictions: npt.ArrayLike,
    metric_name: str,
    metric_value: float,
    spec: Spec,
    estimate: dict[str, Any] | None = None,
    misses: dict[str, Any] | None = None,
) -> Baseline:
    """The baseline of ``frame`` (all its rows) and ``predictions``.

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
    rows = thresholds.blocks(frame.time, frame.train.size, window, fewest)
    null = Null(
        rows=int(np.median([b.size for b in rows])) if rows else fewest,
        blocks=len(rows),
        alpha=thresholds.alpha(
            spec.monitor.false_alarms or "4/year", window, 2 * len(spec.features) + 1
        ),
    )
    features = {
        name: _of_codes(frame.columns[name], frame.vocabulary[name], rows, null)
        if name in frame.vocabulary
        else _of_numbers(frame.columns[name], rows, null)
        for name in spec.features
    }
    held_time = None if frame.time is None else frame.time[holdout]
    held = thresholds.blocks(held_time, holdout.size, window, fewest)
    prediction = (
        _of_numbers(scores, held, null)
        if scores.ndim == 1 or frame.classes is None
        else _of_codes(scores.argmax(axis=1), frame.classes, held, null)
    )
    del prediction.limits["missing"]
    watched = spec.monitor.performance.metric if spec.monitor.performance else metric_name
    truth = frame.target[holdout]
    level = metric_value if watched == metric_name else losses.value(watched, truth, scores)
    if level is None or not math.isfinite(level):
        raise ValueError(f"{watched} cannot be computed on the holdout")
    deviation = _deviation(losses.row_losses(watched, truth, scores), held)
    return Baseline(
        frame.classes,
        features,
        prediction,
        watched,
        float(level),
        deviation,
        null,
        estimate,
        misses,
    )


def predictions_sketch(scores: Floats, classes: list[str] | None) -> Sketch:
    """Of scores ``(n,)``, or of the classes chosen by scores ``(n, n_classes)``."""
    if scores.ndim == 2 and classes is not None:
        return Sketch.codes(scores.argmax(axis=1), classes)
    return Sketch.numbers(scores)


def target_sketch(truths: npt.ArrayLike, classes: list[str] | None) -> Sketch:
    """Of labels as ``truth.reader`` gives them: codes into ``classes``, or numbers."""
    if classes is not None:
        return Sketch.codes(np.asarray(truths, np.int64), classes)
    return Sketch.numbers(np.asarray(truths, np.float64))


def _of_numbers(values: Floats, blocks: Sequence[Ints], null: Null) -> Reference:
    sketch = Sketch.numbers(values)
    over = NumberBins.of(sketch)
    return Reference.of(sketch, over, over.assign(values), blocks, null)


def _of_codes(codes: Ints, names: Sequence[str], blocks: Sequence[Ints], null: Null) -> Reference:
    sketch = Sketch.codes(codes, names)
    over = TextBins.of(sketch)
    return Reference.of(sketch, over, over.assign(codes, names), blocks, null)


def _deviation(loss: Floats, rows: list[Ints]) -> float:
    """Deviation of a row's loss, as blocks show it: days differ more than independent rows do."""
    single = float(loss.std()) if loss.size else 0.0
    if len(rows) < thresholds.FEWEST_BLOCKS:
        return single
    means = np.array([loss[index].mean() for index in rows])
    size = float(np.median([index.size for index in rows]))
    return max(single, float(means.std(ddof=1)) * math.sqrt(size))
