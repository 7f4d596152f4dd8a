"""Trees too many or too large for masks (:mod:`driftloop.plan.masks`): their arrays are walked.

The same sums in the same order, slower to answer, with nothing to prepare.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from driftloop.plan.inputs import Row

Walked = tuple[int | None, list[int], list[Any], list[int]]


def outputs(
    model: dict[str, Any], inputs: list[dict[str, Any]]
) -> Callable[[list[Row]], list[list[float]]]:
    """The function from rows to, for each of K outputs, one number a row, before the link."""
    trees = [_prepare(tree, inputs) for tree in model["trees"]]
    divide, width = model["divide"], len(inputs)

    def answers(rows: list[Row]) -> list[list[float]]:
        totals = [[start] * len(rows) for start in model["start"]]
        for output, tests, ats, rights in trees:  # each for all rows, while it is in the cache
            found = []
            for row in rows:
                n = 0
                while (test := tests[n]) >= 0:
                    if test < width:  # number, missing goes right
                        n = n + 1 if row[test] <= ats[n] else rights[n]
                    elif test < 2 * width:  # number, missing goes left
                        n = rights[n] if row[test - width] > ats[n] else n + 1
                    else:  # category
                        n = n + 1 if ats[n] >> row[test - 2 * width] & 1 else rights[n]
                found.append(ats[n])
            if output is not None:
                totals[output] = [t + value for t, value in zip(totals[output], found, strict=True)]
                continue
            for k, of_output in enumerate(totals):
                totals[k] = [t + values[k] for t, values in zip(of_output, found, strict=True)]
        return [[t / divide for t in of_output] for of_output in totals]

    return answers


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
