"""Calibration restored without learning anew: a slope and an intercept on the scale of the link.

Two classes: ``logit p' = a + b · logit p`` (D. R. Cox, "Two further applications of a model for
binary regression", Biometrika 45, 1958; logistic recalibration). More: one slope (a temperature,
Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) and an intercept for each class
(bias-corrected temperature scaling, Alexandari et al., ICML 2020). Regression: ``y' = a + b · y``
by least squares. A slope of 1 and intercepts of 0 change nothing; an intercept alone is what a
change of the base rate asks for; a slope near 0 or below it says that the ranking is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from driftloop.frame import Frame

Floats = npt.NDArray[np.float64]

NEWEST = 5_000
"""Rows a recalibration is fitted on, at most: two numbers need no more, and the newest know the
present best."""
_CLIP = 1e-15
_PRIOR = 0.01  # precision around "changes nothing": keeps the fit finite where classes separate
_STEPS = 50


@dataclass(frozen=True)
class Recalibration:
    """``intercept``: one number, or one for each of three or more classes."""

    slope: float
    intercept: tuple[float, ...]

    def apply(self, scores: Floats, classes: Sequence[str] | None) -> Floats:
        """The scores as they should be, the same shape; ``classes`` None: values."""
        if classes is None:
            return np.asarray(self.intercept[0] + self.slope * scores)
        if scores.ndim == 2:
            return _softmax(self.slope * _log(scores) + np.array(self.intercept))
        logits = self.slope * (_log(scores) - _log(1.0 - scores)) + self.intercept[0]
        return _softmax(np.column_stack([np.zeros(logits.size), logits]))[:, 1]


def newest(frame: Frame) -> npt.NDArray[np.int64]:
    """Positions of the newest rows to learn from: by time, or else as they came in."""
    rows = np.flatnonzero(frame.train)
    if frame.time is not None:
        rows = rows[np.argsort(frame.time[rows], kind="stable")]
    return np.sort(rows[-NEWEST:])


def of(
    scores: Floats, truth: npt.NDArray[np.generic], classes: Sequence[str] | None
) -> Recalibration:
    """:func:`of_classes`, or :func:`of_values` where there are none."""
    if classes is None:
        return of_values(scores, truth.astype(np.float64))
    return of_classes(scores, truth)


def of_classes(scores: Floats, truth: npt.NDArray[np.generic]) -> Recalibration:
    """The likeliest for P(second class) ``(n,)`` or probabilities ``(n, classes)``, and the codes
    of what came true; by Newton's method on a convex sum, so the same input gives the same."""
    two = scores.ndim == 1
    x = np.column_stack([_log(1.0 - scores), _log(scores)]) if two else _log(scores)
    y = np.eye(x.shape[1])[truth.astype(np.int64)]
    theta = np.append(1.0, np.zeros(x.shape[1]))  # the slope, the intercepts
    rest = theta.copy()
    cost = _cost(theta, rest, x, y)
    for _ in range(_STEPS):
        step = _newton(theta, rest, x, y)
        while (after := _cost(theta - step, rest, x, y)) > cost and np.abs(step).max() > 1e-12:
            step = step / 2
        if not after < cost:
            break
        theta, cost = theta - step, after
    slope, intercept = float(theta[0]), theta[1:]
    if two:
        return Recalibration(slope, (float(intercept[1] - intercept[0]),))
    return Recalibration(slope, tuple(intercept.tolist()))


def of_values(values: Floats, truth: Floats) -> Recalibration:
    """By least squares; where all values are one, the intercept alone."""
    centred = values - values.mean()
    spread = float((centred**2).sum())
    slope = float((centred * truth).sum()) / spread if spread > 0 else 1.0
    return Recalibration(slope, (float(truth.mean() - slope * values.mean()),))


def _cost(theta: Floats, rest: Floats, x: Floats, y: Floats) -> float:
    """Negative log-likelihood, and what leaving ``rest`` costs."""
    z = theta[0] * x + theta[1:]
    top = z.max(axis=1, keepdims=True)
    sums = (top + np.log(np.exp(z - top).sum(axis=1, keepdims=True))).sum()
    return float(sums - (z * y).sum() + _PRIOR / 2 * ((theta - rest) ** 2).sum())


def _newton(theta: Floats, rest: Floats, x: Floats, y: Floats) -> Floats:
    p = _softmax(theta[0] * x + theta[1:])
    mean = (p * x).sum(axis=1, keepdims=True)
    slope = np.append((x * (p - y)).sum(), (p - y).sum(axis=0)) + _PRIOR * (theta - rest)
    bend = np.zeros((theta.size, theta.size))
    bend[0, 0] = (p * (x - mean) ** 2).sum()
    bend[0, 1:] = bend[1:, 0] = (p * (x - mean)).sum(axis=0)
    bend[1:, 1:] = np.diag(p.sum(axis=0)) - p.T @ p
    bend[np.diag_indices(theta.size)] += _PRIOR
    return np.asarray(np.linalg.solve(bend, slope))


def _log(p: Floats) -> Floats:
    return np.log(np.clip(p, _CLIP, 1.0))


def _softmax(z: Floats) -> Floats:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))
