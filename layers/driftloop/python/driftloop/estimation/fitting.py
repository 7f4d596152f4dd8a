"""The estimator of a version, fitted on its holdout. Trains only: needs scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import losses, pipeline
from driftloop.estimation import cbpe, dle
from driftloop.frame import Frame
from driftloop.plan.export import export
from driftloop.spec import Feature, Spec

Floats = npt.NDArray[np.float64]
# Small and slow to believe: a row's loss is mostly noise.
BOOSTING = {"max_iter": 60, "learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 30}


def fit(spec: Spec, holdout: Frame, answers: Floats, metric: str) -> dict[str, Any]:
    """The document that :func:`driftloop.estimation.estimate` reads, of ``metric``.

    ``answers``: the plan's scores of the holdout's rows. Raises TrainingError."""
    if holdout.classes is not None:
        return cbpe.fit(metric, holdout.target, answers)
    name = next(n for n in ("answer" + "_" * i for i in range(99)) if n not in spec.features)
    features = {**spec.features, name: Feature(type="number")}
    loss = losses.row_losses(metric, holdout.target, answers)
    taught = Frame(
        columns={**holdout.columns, name: answers},
        vocabulary=holdout.vocabulary,
        target=loss,
        classes=None,
        train=holdout.train,
        time=holdout.time,
    )
    wider = spec.model_copy(update={"features": features})
    fitted = pipeline.fit(
        wider, "hist_gradient_boosting", BOOSTING, taught, np.ones(holdout.rows, dtype=bool)
    )
    b = float(np.cov(answers, holdout.target)[0, 1] / answers.var(ddof=1)) if answers.var() else 1.0
    return {
        "method": dle.METHOD,
        "metric": metric,
        "plan": export(fitted, features, None, "regression"),
        "answer": name,
        "line": [float(holdout.target.mean()) - b * float(answers.mean()), b],
    }
