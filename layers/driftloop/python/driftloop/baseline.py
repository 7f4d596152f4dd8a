"""The baseline of a version: what its training data and its answers look like, and how far from
that a window may lie.

Made once, by train; the monitor judges every window's sketches against it. Its document is JSON
without NaN.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from driftloop import losses
from driftloop.errors import IntegrityError
from driftloop.frame import Frame
from driftloop.reference import Reference, Score, fine_bins
from driftloop.sketches.bins import Ints, NumberBins, TextBins
from driftloop.sketches.sketch import Floats, Sketch
from driftloop.spec import Monitor, Spec
from driftloop.thresholds import budget
from driftloop.thresholds.blocks import Blocks, blocks
from driftloop.thresholds.null import Family, Null
from driftloop.thresholds.statistics import Role, suiting

FORMAT = "driftloop.baseline/3"


class Scores(NamedTuple):
    """Of a window: each feature, the answers, and the labels where they are known."""

    features: dict[str, Score]
    prediction: Score
    target: Score | None


@dataclass(frozen=True)
class Baseline:
    """``features``: of all training rows; ``prediction``: of the answers to the holdout (of the
    probability or value, or of the class chosen among many); ``metric`` and its ``value`` on the
    holdout; ``deviation``: of a row's part in the loss (``losses.parts``)."""

    classes: list[str] | None
    features: dict[str, Reference]
    prediction: Reference
    target: Reference
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
        """A window's scores within the budget of ``monitor``: of the features there are sketches
        of, the answers, and the labels (``target_sketch``) if any are known."""
        null, levels = self.null, self.null.levels(monitor)
        scores = {
            name: base.score(features[name], null, levels)
            for name, base in self.features.items()
            if name in features
        }
        labels = target and target.rows and self.target.score(target, null, levels)
        return Scores(scores, self.prediction.score(prediction, null, levels), labels or None)

    def performance_limit(self, spec: Spec, rows: int) -> float:
        """The loss (``losses.as_loss``) a window of ``rows`` labelled rows may reach: the
        holdout's, plus the spec's tolerance of it, plus what chance adds within the false-alarm
        budget."""
        tolerance = spec.monitor.performance.tolerance if spec.monitor.performance else 0.1
        chance = self.deviation / max(rows, 1) ** 0.5
        level = losses.as_loss(self.metric, self.value)
        upper = -NormalDist().inv_cdf(self.null.rate(spec.monitor))
        return float(max(level * (1 + tolerance) + upper * chance, 1e-9))

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "classes": self.classes,
            "features": {name: found.to_json() for name, found in self.features.items()},
            "prediction": self.prediction.to_json(),
            "target": self.target.to_json(),
            "metric": {"name": self.metric, "value": self.value, "deviation": self.deviation},
            "null": self.null.to_json(),
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
            target=Reference.from_json(document["target"]),
            metric=metric["name"],
            value=metric["value"],
            deviation=metric["deviation"],
            null=Null.from_json(document["null"]),
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

    ``predictions``: the model's scores of all rows in frame order, ``(n,)`` or ``(n, n_classes)``.
    Those of the holdout are what windows are compared with, since a model is surer of itself on the
    rows it learned from; the others tell how much answers differ from one window to the next.
    Scores of the holdout alone are taken as if they did so by chance only. ``metric_value`` is
    ``metric_name`` on the holdout. ``estimate``, ``misses``: carried as they are.

    Raises ValueError when the shapes do not fit or a score is not finite, NotEnoughData when the
    spec's budget of false alarms is smaller than the data can tell.
    """
    scores, holdout = _scores(frame, predictions), np.flatnonzero(frame.holdout)
    monitor = spec.monitor
    rate = budget.rate(monitor.false_alarms or budget.USUAL, monitor.window)
    fewest, rows = monitor.min_rows, frame.rows
    family = Family(blocks(frame.time, rows, monitor.window, fewest, rate), monitor.window)
    features = {
        name: _of_codes("text", frame.columns[name], frame.vocabulary[name], family, monitor)
        if name in frame.vocabulary
        else _of_numbers("number", frame.columns[name], family, monitor)
        for name in spec.features
    }
    if scores.ndim == 1 or frame.classes is None:
        prediction = _of_numbers("answer", scores, family, monitor, holdout)
    else:
        chosen = scores.argmax(axis=1)
        prediction = _of_codes("classes", chosen, frame.classes, family, monitor, holdout)
    target = (
        _of_numbers("answer", frame.target, family, monitor)
        if frame.classes is None
        else _of_codes("classes", frame.target, frame.classes, family, monitor)
    )
    null = family.null()
    said = f"{null.windows} windows of training data"
    budget.check(monitor.false_alarms, monitor.window, null.windows, said)
    watched = monitor.performance.metric if monitor.performance else metric_name
    truth, answers = frame.target[holdout], scores[holdout]
    level = metric_value if watched == metric_name else losses.value(watched, truth, answers)
    if level is None or not math.isfinite(level):
        raise ValueError(f"{watched} cannot be computed on the holdout")
    held_time = None if frame.time is None else frame.time[holdout]
    held = blocks(held_time, holdout.size, monitor.window, fewest, rate)
    deviation = _deviation(losses.parts(watched, truth, answers), held)
    return Baseline(
        frame.classes, features, prediction, target, watched, float(level), deviation, null,
        estimate, misses,
    )  # fmt: skip


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


def _scores(frame: Frame, predictions: npt.ArrayLike) -> Floats:
    scores = np.asarray(predictions, dtype=np.float64)
    holdout = np.flatnonzero(frame.holdout)
    if scores.shape[0] not in (frame.rows, holdout.size) or not np.isfinite(scores).all():
        raise ValueError(
            f"baseline needs a finite prediction for each of {frame.rows} rows, or of "
            f"{holdout.size} holdout rows"
        )
    if scores.shape[0] == frame.rows:
        return scores
    everything = scores[np.random.default_rng(0).integers(0, holdout.size, frame.rows)]
    everything[holdout] = scores
    return everything


def _of_numbers(
    role: Role, values: Floats, family: Family, monitor: Monitor, of: Ints | None = None
) -> Reference:
    """``of``: the rows that are the reference, if not all."""
    sketch = Sketch.numbers(np.asarray(values if of is None else values[of], np.float64))
    over, fine = NumberBins.of(sketch), fine_bins(sketch)
    assert isinstance(fine, NumberBins)
    codes, borders = (over.assign(values), fine.assign(values)), np.array(fine.borders(sketch))
    widths = (len(over.edges) + 1, len(fine.edges) + 1)
    asked = suiting(monitor.statistics, role)
    return Reference(sketch, over, family.meet(asked, codes, widths, borders, of))


def _of_codes(
    role: Role,
    codes: Ints,
    names: Sequence[str],
    family: Family,
    monitor: Monitor,
    of: Ints | None = None,
) -> Reference:
    sketch = Sketch.codes(codes if of is None else codes[of], names)
    over, fine = TextBins.of(sketch), fine_bins(sketch)
    assert isinstance(fine, TextBins)
    found = (over.assign(codes, names), fine.assign(codes, names))
    widths = (len(over.categories) + 1, len(fine.categories) + 1)
    asked = suiting(monitor.statistics, role)
    return Reference(sketch, over, family.meet(asked, found, widths, np.empty(0), of))


def _deviation(parts: Floats, held: Blocks | None) -> float:
    """Deviation of a row's part in the loss, as blocks show it: days differ more than independent
    rows do."""
    single = float(parts.std()) if parts.size else 0.0
    if held is None or held.drawn:
        return single
    sizes = np.bincount(held.block)
    means = np.bincount(held.block, parts[held.rows]) / sizes
    return max(single, float(means.std(ddof=1)) * math.sqrt(float(np.median(sizes))))
