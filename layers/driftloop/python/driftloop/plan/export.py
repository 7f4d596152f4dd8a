"""From a fitted scikit-learn pipeline to a plan. Trains only; nothing here is needed to score.

The pipeline is ``Pipeline([("encode", ColumnTransformer), ("model", estimator)])`` where the
column transformer's steps are, for numbers, ``passthrough``, ``SimpleImputer``, ``StandardScaler``
or a pipeline of these; for categories, ``OrdinalEncoder`` or ``OneHotEncoder``. Category encoders
are read by asking them: what they answer for each known category, for a missing and for an unseen
one becomes a table, one row for each distinct answer, whose row number is the plan's code.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from driftloop.errors import TrainingError
from driftloop.plan import schema
from driftloop.plan.export_trees import Source, boosting, forest
from driftloop.spec import Feature

Floats = npt.NDArray[np.float64]


def export(
    pipeline: Pipeline,
    features: Mapping[str, Feature],
    classes: list[str] | None,
    task: str,
) -> schema.Plan:
    """The plan of a fitted pipeline.

    features: the spec's, by name, in the order a row has them.
    classes: the target's values as text, in the order of the estimator's ``classes_``.

    Raises TrainingError if a step has no plan form.
    """
    encode, model = pipeline[0], pipeline[-1]
    if len(pipeline) != 2 or not isinstance(encode, ColumnTransformer):
        raise TrainingError("only a pipeline of a column transformer and a model has a plan form")
    names = list(features)
    inputs = [_bare_input(name, features[name]) for name in names]
    sources = _columns(encode, names, inputs)
    rounds = isinstance(model, (RandomForestClassifier, RandomForestRegressor))
    plan = {
        "format": schema.FORMAT,
        "task": task,
        "classes": classes,
        "inputs": inputs,
        "precision": "float32" if rounds else "float64",
        "interval": None,
        "model": _model(model, inputs, sources),
    }
    return schema.check(plan)


def _bare_input(name: str, feature: Feature) -> dict[str, Any]:
    both = {"name": name, "type": feature.type, "nullable": feature.nullable}
    if feature.type == "category":
        nothing = {"unknown": 0, "missing": 0, "size": 1}  # as for an input the model leaves out
        rules = {"allowed": feature.categories, "pattern": feature.pattern}
        return both | rules | {"codes": {}} | nothing
    low, high = (None if x is None else float(x) for x in (feature.min, feature.max))
    return both | {"min": low, "max": high, "missing": None, "center": None, "scale": None}


def _columns(
    encode: ColumnTransformer, names: list[str], inputs: list[dict[str, Any]]
) -> list[Source]:
    """Fill the inputs' encoders in, and say where each encoded column comes from."""
    sources: list[Source] = []
    for label, step, columns in encode.transformers_:
        span = encode.output_indices_[label]
        if span.start == span.stop:
            continue
        if span.start != len(sources):
            raise TrainingError(f"encoder step {label!r} writes columns out of order")
        steps = [s for _, s in step.steps] if isinstance(step, Pipeline) else [step]
        positions = [names.index(c) for c in columns]
        if isinstance(steps[-1], (OrdinalEncoder, OneHotEncoder)):
            sources += _category_columns(step, steps[-1], positions, inputs)
        else:
            for j, i in enumerate(positions):
                for part in steps:
                    _number_step(part, j, inputs[i])
                sources.append(Source(i))
        if len(sources) != span.stop:
            raise TrainingError(f"encoder step {label!r} writes a number of columns not expected")
    return sources


def _number_step(step: Any, j: int, item: dict[str, Any]) -> None:
    if isinstance(step, SimpleImputer) and not step.add_indicator and item["scale"] is None:
        item["missing"] = float(step.statistics_[j]) if _finite(step.statistics_[j]) else 0.0
    elif isinstance(step, StandardScaler) and item["scale"] is None:
        item["center"] = 0.0 if step.mean_ is None else float(step.mean_[j])
        item["scale"] = 1.0 if step.scale_ is None else float(step.scale_[j])
    elif not (isinstance(step, str) and step == "passthrough") and not _identity(step):
        raise TrainingError(f"{step!r} on numbers has no plan form")


def _identity(step: Any) -> bool:
    """A fitted column transformer holds ``passthrough`` as a function transformer of nothing."""
    return type(step).__name__ == "FunctionTransformer" and step.func is None


def _category_columns(
    step: Any,
    last: OrdinalEncoder | OneHotEncoder,
    positions: list[int],
    inputs: list[dict[str, Any]],
) -> list[Source]:
    """Ask ``step`` (which ends in the encoder ``last``) about one input after the other."""
    sources = []
    first = 0
    for j, i in enumerate(positions):
        words = [w for w in last.categories_[j] if isinstance(w, str)]
        unseen = next(w for w in (f"?{n}" for n in range(len(words) + 1)) if w not in words)
        probes = np.empty((len(words) + 2, len(positions)), dtype=object)
        for other in range(len(positions)):  # any known value: only column j is looked at
            probes[:, other] = last.categories_[other][0]
        probes[:, j] = [*words, unseen, np.nan]
        columns = getattr(step, "feature_names_in_", None)
        answer = step.transform(
            probes if columns is None else pd.DataFrame(probes, columns=columns)
        )
        answer = answer.toarray() if hasattr(answer, "toarray") else np.asarray(answer, np.float64)
        width = 1 if isinstance(last, OrdinalEncoder) else last._n_features_outs[j]
        table, codes = _distinct(answer[:, first : first + width])
        inputs[i]["codes"] = dict(zip(words, codes, strict=False))
        inputs[i]["unknown"], inputs[i]["missing"] = codes[-2], codes[-1]
        inputs[i]["size"] = len(table)
        sources += [Source(i, table[:, k]) for k in range(width)]
        first += width
    return sources


def _distinct(rows: Floats) -> tuple[Floats, list[int]]:
    """Distinct rows in order of their values, so that splits on ordinals are ranges of codes, and
    which of them each row is. NaN is a value like any other here."""
    keys = [tuple(math.inf if math.isnan(v) else v for v in row) for row in rows.tolist()]
    order = sorted(set(keys))
    place = {key: n for n, key in enumerate(order)}
    table = np.array(order, dtype=np.float64)
    table[np.isinf(table)] = np.nan
    return table, [place[key] for key in keys]


def _model(model: Any, inputs: list[dict[str, Any]], sources: list[Source]) -> dict[str, Any]:
    if isinstance(model, (LogisticRegression, LinearRegression, Ridge)):
        return _linear(model, inputs, sources)
    if isinstance(model, (HistGradientBoostingClassifier, HistGradientBoostingRegressor)):
        return boosting(model, sources)
    if isinstance(model, (RandomForestClassifier, RandomForestRegressor)):
        return forest(model, sources)
    raise TrainingError(f"{type(model).__name__} has no plan form")


def _linear(model: Any, inputs: list[dict[str, Any]], sources: list[Source]) -> dict[str, Any]:
    coefficients = np.atleast_2d(model.coef_)
    weights: list[list[Any]] = []
    for row in coefficients:
        of_inputs: list[Any] = [
            0.0 if item["type"] == "number" else np.zeros(item["size"]) for item in inputs
        ]
        for weight, source in zip(row, sources, strict=True):
            of_inputs[source.input] += weight if source.table is None else weight * source.table
        weights.append([w.tolist() if isinstance(w, np.ndarray) else float(w) for w in of_inputs])
    used = {source.input for source in sources}
    for i, item in enumerate(inputs):  # the model leaves it out: missing or not, 0 times it is 0
        if i not in used and item["type"] == "number":
            item["missing"] = 0.0
    link = "identity"
    if isinstance(model, LogisticRegression):
        link = "logistic" if len(coefficients) == 1 else "softmax"
    intercept = np.broadcast_to(np.atleast_1d(model.intercept_), len(coefficients))
    return {
        "kind": "linear",
        "link": link,
        "intercept": [float(b) for b in intercept],
        "weights": weights,
        "background": None,
    }


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and math.isfinite(float(value))
