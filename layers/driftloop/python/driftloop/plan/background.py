"""What a linear plan is explained against: the mean of each of its terms over training rows.

Needs numpy; only imported where models are trained.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.frame import Frame
from driftloop.plan.schema import Plan


def with_background(plan: Plan, learned: Frame) -> Plan:
    """The plan, with its background if it is linear. ``learned``: the rows it was fitted on."""
    model = plan["model"]
    if model["kind"] != "linear":
        return plan
    encoded = [_encoded(item, learned) for item in plan["inputs"]]
    background = [
        [
            _mean(weight * x if isinstance(weight, float) else np.array(weight)[x])
            for weight, x in zip(weights, encoded, strict=True)
        ]
        for weights in model["weights"]
    ]
    return plan | {"model": model | {"background": background}}


def _encoded(item: dict[str, Any], frame: Frame) -> npt.NDArray[Any]:
    """One column as the plan encodes it."""
    values = frame.columns[item["name"]]
    if item["type"] == "category":
        words = frame.vocabulary[item["name"]]
        codes = [item["codes"].get(word, item["unknown"]) for word in words]
        return np.array([*codes, item["missing"]])[values]  # code -1 finds the missing one
    if item["missing"] is not None:
        values = np.where(np.isnan(values), item["missing"], values)
    return values if item["scale"] is None else (values - item["center"]) / item["scale"]


def _mean(terms: npt.NDArray[np.float64]) -> float:
    """With a sum that does not depend on its order, and so on no machine's."""
    return math.fsum(terms.tolist()) / len(terms)
