"""Why an answer is what it is: what each input adds to it, as Shapley values.

For every row and output, ``base + sum(contributions)`` is the model's output before its link. The
game is that of Lundberg et al., "Consistent individualized feature attribution for tree
ensembles" (2018): a coalition of inputs is worth the tree's mean output given those inputs, where
a split on any other input goes both ways, in the shares of the rows learned from. Linear models
are explained against the mean of their terms (Lundberg and Lee 2017, inputs independent).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from driftloop.plan import shapley_trees
from driftloop.plan.inputs import Row
from driftloop.plan.shapley_trees import Found

Scale = Literal["log-odds", "logit", "probability", "value"]

MOST_ROWS = 100
MOST_LEAVES = 100_000  # times rows: half a second of a whole processor


@dataclass(frozen=True)
class Explained:
    """base: (outputs,), the mean output over the rows learned from; contributions:
    (rows, outputs, inputs), in the order of the rows asked and of ``Scorer.inputs``; scale: what
    they are counted in. Three or more classes have one output each, two have one in all: that of
    ``classes[1]``."""

    scale: Scale
    base: list[float]
    contributions: list[list[list[float]]]


def most_rows(plan: dict[str, Any]) -> int:
    """How many rows may be explained at once; 0 if the plan does not hold what that needs, or has
    so many leaves that a request would not outlast it."""
    model = plan["model"]
    if model["kind"] == "linear":
        return 0 if model["background"] is None else MOST_ROWS
    trees = model["trees"]
    if any(tree["cover"] is None for tree in trees):
        return 0
    leaves = sum(len(tree["cover"]) for tree in trees)
    return min(MOST_ROWS, MOST_LEAVES // max(leaves, 1))


def explain(plan: dict[str, Any], rows: list[Row]) -> Explained:
    """Explain encoded rows by a plan whose :func:`most_rows` is not 0."""
    model = plan["model"]
    by_kind = _linear if model["kind"] == "linear" else shapley_trees.explain
    base, contributions = by_kind(model, plan["inputs"], rows)
    scales: dict[str, Scale] = {"logistic": "log-odds", "softmax": "logit"}
    plain: Scale = "value" if plan["task"] == "regression" else "probability"
    return Explained(scales.get(model["link"], plain), base, contributions)


def _linear(model: dict[str, Any], inputs: list[dict[str, Any]], rows: list[Row]) -> Found:
    means = model["background"]
    base = [b + math.fsum(m) for b, m in zip(model["intercept"], means, strict=True)]
    numeric = [item["type"] == "number" for item in inputs]
    return base, [
        [
            [
                (weight * x if number else weight[x]) - mean
                for weight, x, number, mean in zip(weights, row, numeric, of_output, strict=True)
            ]
            for weights, of_output in zip(model["weights"], means, strict=True)
        ]
        for row in rows
    ]
