"""How a model misses along each feature: the rows, residuals and losses in each of its bins.

Measured on the holdout when a version is made and kept with its baseline; a window's labelled rows
are measured over the same bins. The difference tells a relation that changed from inputs that
moved (:mod:`~driftloop.diagnosis.relation`), and the holdout's losses what moved inputs alone
would cost (:mod:`~driftloop.diagnosis.shares`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import losses
from driftloop.captured import Record
from driftloop.checking.contract import as_text
from driftloop.frame import Frame
from driftloop.sketches import bins
from driftloop.sketches.bins import Bins, Ints, NumberBins
from driftloop.sketches.sketch import Sketch

Floats = npt.NDArray[np.float64]

MOST_CLASSES = 8
"""Of more classes, only the most frequent get residuals of their own."""
_DIGITS = 7  # kept of a sum: far beyond what they are judged by


@dataclass(frozen=True)
class Along:
    """One feature's bins, the missing values last. ``rows``: float64[bins]; ``residual`` and
    ``square`` (sums of it and of its square): float64[outputs, bins]; ``loss``: sums."""

    bins: Bins
    rows: Floats
    residual: Floats
    square: Floats
    loss: Floats

    @classmethod
    def of(cls, over: Bins, place: Ints, residual: Floats, loss: Floats) -> Along:
        """``place``: the bin of each row, -1 where missing; ``residual``: float64[n, outputs]."""
        borders = over.edges if isinstance(over, NumberBins) else over.categories
        size = len(borders) + 2
        at = np.where(place < 0, size - 1, place)

        def sums(weights: Floats) -> Floats:
            return np.bincount(at, weights, size).astype(np.float64)

        outputs = residual.T
        return cls(
            over,
            sums(np.ones(at.size)),
            np.array([sums(r) for r in outputs]),
            np.array([sums(r**2) for r in outputs]),
            sums(loss),
        )


@dataclass(frozen=True)
class Misses:
    """``classes``: the codes whose residuals are kept, for three or more classes; else empty."""

    metric: str
    classes: tuple[int, ...]
    features: dict[str, Along]

    @classmethod
    def of_frame(cls, part: Frame, scores: Floats, metric: str) -> Misses:
        """Of rows the model has not learned from, and its scores of them."""
        classes = _watched(part.target, scores)
        residual = residuals(part.target, scores, classes)
        loss = losses.row_losses(metric, part.target, scores)
        features = {}
        for name, values in part.columns.items():
            if name in part.vocabulary:
                words = part.vocabulary[name]
                over = bins.bins_of(Sketch.codes(values, words))
                place = over.assign(values, words)  # type: ignore[call-arg]
            else:
                over = bins.bins_of(Sketch.numbers(values))
                place = over.assign(values)  # type: ignore[call-arg]
            features[name] = Along.of(over, place, residual, loss)
        return cls(metric, classes, features)

    def of_records(self, records: Sequence[Record], truth: Floats, scores: Floats) -> Misses:
        """Of a window's labelled rows, over the same bins. A feature that was not captured counts
        as missing everywhere, and so says nothing."""
        residual = residuals(truth, scores, self.classes)
        loss = losses.row_losses(self.metric, truth, scores)
        features = {
            name: Along.of(
                seen.bins,
                _assigned(seen.bins, [r["features"].get(name) for r in records]),
                residual,
                loss,
            )
            for name, seen in self.features.items()
        }
        return Misses(self.metric, self.classes, features)

    def to_json(self) -> dict[str, Any]:
        features = {
            name: {
                **along.bins.to_json(),
                "rows": along.rows.astype(int).tolist(),
                "residual": _short(along.residual),
                "square": _short(along.square),
                "loss": _short(along.loss),
            }
            for name, along in self.features.items()
        }
        return {"metric": self.metric, "classes": list(self.classes), "features": features}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Misses:
        features = {
            name: Along(
                bins.from_json(d),
                *(np.array(d[key], np.float64) for key in ("rows", "residual", "square", "loss")),
            )
            for name, d in document["features"].items()
        }
        return cls(document["metric"], tuple(document["classes"]), features)


def residuals(
    truth: npt.NDArray[np.generic], scores: Floats, classes: Sequence[int] = ()
) -> Floats:
    """Truth less score, float64[n, outputs]: of the second class, of each of ``classes``, or of
    the number."""
    if scores.ndim == 1:
        return np.asarray(truth.astype(np.float64) - scores)[:, None]
    return np.column_stack([(truth == c) - scores[:, c] for c in classes])


def _watched(truth: npt.NDArray[np.generic], scores: Floats) -> tuple[int, ...]:
    if scores.ndim == 1:
        return ()
    counts = np.bincount(truth.astype(np.int64), minlength=scores.shape[1])
    return tuple(sorted(np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist()))


def _assigned(over: Bins, values: Sequence[Any]) -> Ints:
    if isinstance(over, NumberBins):
        numbers = [float(v) if isinstance(v, (int, float)) else math.nan for v in values]
        return over.assign(np.array(numbers, np.float64))
    codes: dict[str, int] = {}
    texts = (None if v is None else as_text(v) for v in values)
    found = [-1 if t is None else codes.setdefault(t, len(codes)) for t in texts]
    return over.assign(np.array(found, np.int64), list(codes))


def _short(values: Floats) -> Any:
    """With few digits: a baseline of 500 features stays small."""
    return (
        np.array([float(f"{v:.{_DIGITS}g}") for v in values.ravel()]).reshape(values.shape).tolist()
    )
