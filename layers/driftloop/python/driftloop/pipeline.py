"""Genuine scikit-learn pipelines from a spec: what is fitted, kept and exported.

Every pipeline is ``encode`` (a column transformer, categories first) and ``model``, takes a pandas
DataFrame with the spec's feature names (categories as text, missing as NaN) and the target as
text or numbers. Trees take categories as ordinals, linear models as indicators, with numbers
imputed by their median and standardised.
"""

from __future__ import annotations

import warnings
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
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from driftloop.errors import TrainingError
from driftloop.frame import Frame
from driftloop.spec import Spec

Params = Mapping[str, Any]
MOST_CATEGORIES = 250  # histogram boosting bins into 255; rarer categories share one code


def build(
    spec: Spec, estimator: str, params: Params, without: frozenset[str] = frozenset()
) -> Pipeline:
    """An unfitted pipeline. ``params`` are the estimator's own, by scikit-learn's names; the
    features of ``without`` are left out.

    Raises TrainingError for an estimator or a parameter that does not exist.
    """
    used = {name: f.type for name, f in spec.features.items() if name not in without}
    categories = [name for name, kind in used.items() if kind == "category"]
    numbers = [name for name, kind in used.items() if kind == "number"]
    try:
        model = _model(spec, estimator, params, len(categories))
    except TypeError as error:
        raise TrainingError(f"{estimator}: {error}") from None
    if estimator in ("logistic_regression", "linear_regression"):
        category: Any = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        number: Any = Pipeline(
            [
                ("impute", SimpleImputer(strategy="median", keep_empty_features=True)),
                ("scale", StandardScaler()),
            ]
        )
    else:
        category = OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=np.nan,
            encoded_missing_value=np.nan,
            max_categories=MOST_CATEGORIES,
        )
        number = "passthrough"
    encode = ColumnTransformer(
        [("category", category, categories), ("number", number, numbers)],
        verbose_feature_names_out=False,
    )
    return Pipeline([("encode", encode), ("model", model)])


def _model(spec: Spec, estimator: str, params: Params, categories: int) -> Any:
    classify, seed = spec.task == "classification", spec.training.seed
    match estimator:
        case "hist_gradient_boosting":
            boosting = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
            return boosting(
                categorical_features=list(range(categories)) or None,
                early_stopping=False,  # trials decide how many trees, not yet another split
                random_state=seed,
                **params,
            )
        case "random_forest":
            forest = RandomForestClassifier if classify else RandomForestRegressor
            return forest(random_state=seed, **params)
        case "logistic_regression" if classify:
            return LogisticRegression(**{"max_iter": 500, **params})
        case "linear_regression" if not classify:
            return Ridge(**params)
    raise TrainingError(f"there is no estimator {estimator!r} for {spec.task}")


def fit(
    spec: Spec, estimator: str, params: Params, frame: Frame, rows: npt.NDArray[Any]
) -> Pipeline:
    """A pipeline fitted on some rows (a mask, or positions) of the frame.

    One thread only, so that sums have one order everywhere. A feature that is missing in all of
    the rows is left out: there is nothing to learn, and histogram boosting cannot bin it.

    Raises TrainingError when scikit-learn cannot fit.
    """
    part = frame.take(rows)
    blank = frozenset(n for n, v in part.columns.items() if not _present(v).any())
    if len(blank) == len(spec.features):
        raise TrainingError("every feature is missing in every row")
    pipeline = build(spec, estimator, params, blank)
    truth = part.target if part.classes is None else np.array(part.classes)[part.target]
    with threadpool_limits(limits=1), warnings.catch_warnings():
        # Not converged is still a model; it is scored as it is.
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return pipeline.fit(table(part), truth)
        except (ValueError, TypeError) as error:
            raise TrainingError(f"{estimator} could not be fitted: {error}") from error


def _present(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return values >= 0 if values.dtype == np.int32 else ~np.isnan(values)


def predict(pipeline: Pipeline, frame: Frame) -> npt.NDArray[np.float64]:
    """What a plan's scorer gives: P(second class), ``(n, classes)`` probabilities, or values.

    In the frame's own classes; one that the pipeline has not learned (a fold may lack it) gets 0.
    """
    with threadpool_limits(limits=1):
        if frame.classes is None:
            return np.asarray(pipeline.predict(table(frame)), np.float64)
        known = np.asarray(pipeline.predict_proba(table(frame)), np.float64)
    chances = np.zeros((frame.rows, len(frame.classes)))
    for k, name in enumerate(pipeline.classes_):
        chances[:, frame.classes.index(name)] = known[:, k]
    return chances[:, 1] if chances.shape[1] == 2 else chances


def table(frame: Frame) -> pd.DataFrame:
    """The frame's columns as a DataFrame: floats, and text with NaN for missing."""
    columns = {}
    for name, values in frame.columns.items():
        if name in frame.vocabulary:
            words = np.array([*frame.vocabulary[name], np.nan], dtype=object)
            columns[name] = pd.Series(words[values], dtype=object)
        else:
            columns[name] = pd.Series(values, dtype=np.float64)
    return pd.DataFrame(columns)
