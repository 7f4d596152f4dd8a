"""Trials: which estimators with which parameters, scored inside the training part.

The holdout is never touched here. A trial is judged on rows its model has not seen: with a time
column on later ones, as serving will be (the newest part of the training rows, or three growing
steps when there are few); without one on a stratified random part (or three). Everything is drawn
from ``training.seed``, so the same spec proposes the same trials.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import keys, losses, pipeline
from driftloop import recalibration as slope
from driftloop.answers import answers
from driftloop.errors import TrainingError
from driftloop.frame import Frame
from driftloop.plan import Scorer
from driftloop.plan.recalibrated import refusal
from driftloop.plan.schema import Plan
from driftloop.spec import GREATER_IS_BETTER, Spec
from driftloop.version import Version

Trial = dict[str, Any]
Score = dict[str, Any]
Positions = npt.NDArray[np.int64]

FEW_ROWS = 10_000  # below, three folds: a single split would be decided by luck
_TRIES = 20  # draws before a small space counts as exhausted

# The first trial of each estimator; scikit-learn's defaults, bounded so that a trial takes seconds
# and a plan stays small.
DEFAULTS: dict[str, dict[str, Any]] = {
    "hist_gradient_boosting": {"max_iter": 100, "learning_rate": 0.1, "min_samples_leaf": 20},
    "random_forest": {"n_estimators": 60, "min_samples_leaf": 20, "max_leaf_nodes": 1000},
    "logistic_regression": {"C": 1.0},
    "linear_regression": {"alpha": 1.0},
}


def propose(spec: Spec) -> list[Trial]:
    """``training.trials`` trials: each estimator's defaults, then draws, in turn.

    Each is ``{"trial", "estimator", "params"}``; ``params`` are scikit-learn's own names.
    """
    estimators = spec.estimators
    draw = random.Random(spec.training.seed)
    trials: list[Trial] = []
    for n in range(spec.training.trials):
        estimator = estimators[n % len(estimators)]
        if n < len(estimators):
            params: dict[str, Any] | None = DEFAULTS[estimator]
        else:
            params = _drawn(estimator, draw, [t["params"] for t in trials])
        if params is not None:
            trials.append({"trial": len(trials), "estimator": estimator, "params": dict(params)})
    return trials


def recalibration(
    spec: Spec, champion: Version, plan: Plan, classes: list[str] | None
) -> list[Trial]:
    """The one trial of a run that is to set the champion's answers right: its own parameters, and
    ``recalibrate``, which says whose plan. Where that plan cannot be recalibrated, the trials of
    any run, the first of which says why (``instead``)."""
    name = f"version {champion.version}"
    if why := refusal(plan, spec, classes):
        trials = propose(spec)
        return [trials[0] | {"instead": f"{name} cannot be recalibrated: {why}"}, *trials[1:]]
    whose = {
        "version": champion.version,
        "plan_sha256": champion.plan_sha256,
        "files": {
            name: keys.version_artefact(spec.name, champion.candidate, name)
            for name in ("plan.json", "pipeline.skops")
        },
    }
    return [
        {
            "trial": 0,
            "estimator": champion.estimator,
            "params": dict(champion.params),
            "recalibrate": whose,
        }
    ]


def evaluate(frame: Frame, spec: Spec, trial: Trial, champion: Scorer | None = None) -> Score:
    """Fit and score one trial: the trial with ``metric``, ``score`` (mean) and ``folds``.

    champion: whose answers a trial with ``recalibrate`` sets right.

    A trial that cannot be fitted or scored has ``error``, a sentence, instead.
    """
    metric = spec.metric
    scores = []
    try:
        for learn, judge in folds(frame, spec.training.seed):
            part = frame.take(judge)
            if champion is not None:
                answered = _recalibrated(champion, frame.take(learn), part)
            else:
                fitted = pipeline.fit(spec, trial["estimator"], trial["params"], frame, learn)
                answered = pipeline.predict(fitted, part)
            score = losses.value(metric, part.target, answered)
            if score is None or not math.isfinite(score):
                raise TrainingError(f"{metric} is undefined on the {len(judge)} rows to judge by")
            scores.append(score)
    except TrainingError as error:
        return trial | {"error": str(error)}
    return trial | {"metric": metric, "score": float(np.mean(scores)), "folds": len(scores)}


def choose(spec: Spec, scores: list[Score]) -> Score:
    """The best trial; the earlier one of equals. Raises TrainingError when all have failed."""
    scored = [s for s in scores if "error" not in s]
    if not scored:
        reasons = "; ".join(sorted({s["error"] for s in scores}))
        raise TrainingError(f"none of {len(scores)} trials could be fitted: {reasons}")
    sign = -1.0 if GREATER_IS_BETTER[spec.metric] else 1.0
    best = min(scored, key=lambda s: (sign * s["score"], s["trial"]))
    told = ("trial", "estimator", "params", "score", "metric", "recalibrate", "instead")
    return {key: best[key] for key in told if key in best}


def _recalibrated(champion: Scorer, learn: Frame, judge: Frame) -> npt.NDArray[np.float64]:
    newest = learn.take(slope.newest(learn))
    found = slope.of(answers(champion, newest), newest.target, newest.classes)
    return found.apply(answers(champion, judge), judge.classes)


def records(
    spec: Spec, scores: list[Score], choice: Mapping[str, Any], code: str
) -> dict[str, bytes]:
    """What a run keeps, by name: the trials, for people; and what a training job needs beside the
    frame and the champion's files."""
    return {
        "trials.json": _json(scores),
        "job/spec.json": spec.to_json(),
        "job/choice.json": _json({**choice, "code": code}),
    }


def folds(frame: Frame, seed: int) -> Iterator[tuple[Positions, Positions]]:
    """Positions to learn from and to judge by, all of the training part."""
    rows = np.flatnonzero(frame.train)
    count = 1 if len(rows) >= FEW_ROWS else 3
    if frame.time is not None:
        ordered = rows[np.argsort(frame.time[rows], kind="stable")]
        # One fold: the newest quarter. Three: each newest sixth of half and more.
        width = len(ordered) // (2 * count if count > 1 else 4)
        for back in range(count, 0, -1):
            cut = len(ordered) - back * width
            yield ordered[:cut], ordered[cut : cut + width]
        return
    shuffled = np.random.default_rng(seed).permutation(rows)
    if frame.classes is not None:  # dealt out class by class, so that each part has each class
        shuffled = shuffled[np.argsort(frame.target[shuffled], kind="stable")]
    part = np.arange(len(shuffled)) % (4 if count == 1 else 3)
    for k in range(count):
        yield np.sort(shuffled[part != k]), np.sort(shuffled[part == k])


def _drawn(
    estimator: str, draw: random.Random, taken: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """A point of the estimator's space that no trial has; None if the space is exhausted."""
    for _ in range(_TRIES):
        params = {name: sample(draw) for name, sample in _SPACES[estimator].items()}
        if params not in taken:
            return params
    return None


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _one_of(*values: Any) -> Callable[[random.Random], Any]:
    return lambda draw: draw.choice(values)


def _log_uniform(low: float, high: float) -> Callable[[random.Random], float]:
    """Two significant digits: a reader should be able to remember a trial."""
    return lambda draw: float(f"{math.exp(draw.uniform(math.log(low), math.log(high))):.2g}")


_SPACES: dict[str, dict[str, Callable[[random.Random], Any]]] = {
    "hist_gradient_boosting": {
        "learning_rate": _log_uniform(0.02, 0.3),
        "max_iter": _one_of(50, 100, 150, 200),
        "max_leaf_nodes": _one_of(7, 15, 31, 63),
        "min_samples_leaf": _one_of(20, 50, 100, 200),
        "l2_regularization": _one_of(0.0, 1.0, 10.0),
    },
    "random_forest": {
        "n_estimators": _one_of(40, 60, 80),
        "min_samples_leaf": _one_of(10, 20, 50, 100),
        "max_leaf_nodes": _one_of(300, 1000),
        "max_features": _one_of("sqrt", 0.3, 0.6),
    },
    "logistic_regression": {"C": _log_uniform(0.001, 100.0)},
    "linear_regression": {"alpha": _log_uniform(0.01, 1000.0)},
}
