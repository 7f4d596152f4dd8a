"""Trees too many or too deep to compile: their arrays are walked, row by row.

The same sums in the same order as :mod:`driftloop.plan.compile`, some four times slower to
answer, with nothing to compile.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Walked = tuple[int | None, list[int], list[Any], list[int]]


def outputs(
    model: dict[str, Any], inputs: list[dict[str, Any]]
) -> Callable[[tuple[Any, ...]], list[float]]:
    """The function ``row -> K outputs``, before the link."""
    trees = [_prepare(tree, inputs) for tree in model["trees"]]
    start, divide, width = model["start"], float(model["divide"]), len(inputs)

    def total(row: tuple[Any, ...]) -> list[float]:
        sums = list(start)
        for output, tests, ats, rights in trees:
            n = 0
            while (test := tests[n]) >= 0:
                if test < width:  # number, missing goes right
                    n = n + 1 if row[test] <= ats[n] else rights[n]
                elif test < 2 * width:  # number, missing goes left
                    n = rights[n] if row[test - width] > ats[n] else n + 1
                else:  # category
                    n = n + 1 if ats[n] >> row[test - 2 * width] & 1 else rights[n]
            if output is None:
                for k, value in enumerate(ats[n]):
                    sums[k] += value
            else:
                sums[output] += ats[n]
        return sums if divide == 1.0 else [s / divide for s in sums]

    return total


def _prepare(tree: dict[str, Any], inputs: list[dict[str, Any]]) -> Walked:
    """Fold the kind of test into one number, so that the walk asks as little as it can."""
    width = len(inputs)
    tests, ats = list(tree["input"]), list(tree["at"])
    for n, i in enumerate(tree["input"]):
        if i < 0:
            continue
        if inputs[i]["type"] == "category":
            tests[n] = i + 2 * width
            ats[n] = int(ats[n], 16)
        else:
            tests[n] = i + width if tree["missing_left"][n] else i
            ats[n] = math.inf if ats[n] is None else ats[n]
    return tree["output"], tests, ats, tree["right"]
