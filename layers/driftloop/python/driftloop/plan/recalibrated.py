"""A plan whose answers are set right by a slope and intercepts (:mod:`driftloop.recalibration`).

Both are folded into the model's own numbers, so that it is a plan like any other: on the scale of
the link, a + b · (start + trees) ÷ divide is again a start, trees and a divide; and so it is with
an intercept and weights.
"""

from __future__ import annotations

from typing import Any

from driftloop.plan.schema import Plan
from driftloop.recalibration import Recalibration
from driftloop.spec import Spec


def refusal(plan: Plan, spec: Spec, classes: list[str] | None) -> str | None:
    """Why the plan cannot be recalibrated for data of these classes, as the end of a sentence;
    None if it can."""
    if classes is not None and plan["model"]["link"] == "identity":
        return "its answers are shares of votes, which have no scale to shift them on"
    if plan["classes"] != classes:
        return "the data has other classes than it knows"
    asked = {name: feature.type for name, feature in spec.features.items()}
    if any(asked.get(item["name"]) != item["type"] for item in plan["inputs"]):
        return "it takes features that the spec no longer has"
    return None


def recalibrated(plan: Plan, found: Recalibration) -> Plan:
    """The same model on a shifted and stretched scale, without an interval: that is to be measured
    anew."""
    fold = _linear if plan["model"]["kind"] == "linear" else _trees
    return plan | {"model": plan["model"] | fold(plan["model"], found), "interval": None}


def _linear(model: Any, found: Recalibration) -> dict[str, Any]:
    return {
        "intercept": _shifted(model["intercept"], found, 1),
        "weights": _times(model["weights"], found.slope),
        "background": _times(model["background"], found.slope),
    }


def _trees(model: Any, found: Recalibration) -> dict[str, Any]:
    def leaves(tree: Any) -> list[Any]:
        nodes = zip(tree["input"], tree["at"], strict=True)
        return [_times(at, found.slope) if which < 0 else at for which, at in nodes]

    return {
        "start": _shifted(model["start"], found, model["divide"]),
        "trees": [tree | {"at": leaves(tree)} for tree in model["trees"]],
    }


def _shifted(numbers: list[float], found: Recalibration, divide: int) -> list[float]:
    pairs = zip(numbers, found.intercept, strict=True)
    return [found.slope * number + divide * shift for number, shift in pairs]


def _times(numbers: Any, slope: float) -> Any:
    """Every number in lists of lists; None stays."""
    if isinstance(numbers, list):
        return [_times(n, slope) for n in numbers]
    return None if numbers is None else slope * numbers
