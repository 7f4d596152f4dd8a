"""From a plan's model to one function over encoded rows.

It adds in the order scikit-learn adds, in float64, so that tree sums are identical bit for bit,
however many rows are asked at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from driftloop.plan import masks, walk
from driftloop.plan.generated import define
from driftloop.plan.inputs import Row

Outputs = Callable[[list[Row]], list[list[float]]]


def outputs(plan: dict[str, Any]) -> Outputs:
    """The function from rows to, for each of K outputs, one number a row, before the link."""
    model, inputs = plan["model"], plan["inputs"]
    if model["kind"] == "linear":
        return _linear(model, inputs)
    if masks.fit(model, inputs):
        return masks.outputs(model, inputs)
    return walk.outputs(model, inputs)


def logistic(x: float) -> float:
    """1 / (1 + e^-x), as ``scipy.special.expit``; its limit where e^-x overflows."""
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else math.exp(x)


def softmax(xs: tuple[float, ...]) -> list[float]:
    """As scikit-learn: shifted by the largest, then normalised."""
    largest = max(xs)
    powers = [math.exp(x - largest) for x in xs]
    total = sum(powers)
    return [power / total for power in powers]


def _linear(model: dict[str, Any], inputs: list[dict[str, Any]]) -> Outputs:
    """One expression a row for each output."""
    space: dict[str, Any] = {}
    names = ", ".join(f"x{i}" for i in range(len(inputs)))
    lists = []
    for k, (intercept, weights) in enumerate(
        zip(model["intercept"], model["weights"], strict=True)
    ):
        terms = []
        for i, weight in enumerate(weights):
            if inputs[i]["type"] == "number":
                terms.append(f"{weight!r} * x{i}")
            else:
                space[f"w{k}_{i}"] = tuple(weight)
                terms.append(f"w{k}_{i}[x{i}]")
        lists.append(f"[{' + '.join(terms)} + {intercept!r} for {names}, in rows]")
    found: Outputs = define(f"def total(rows):\n return [{', '.join(lists)}]", space, "total")
    return found
