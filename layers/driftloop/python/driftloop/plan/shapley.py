"""Why an answer is what it is: what each input adds to it, as Shapley values.

For every row and output, ``base + sum(contributions)`` is the model's output before its link. The
game is that of Lundberg et al., "Consistent individualized feature attribution for tree
ensembles" (2018): a coalition of inputs is worth the tree's mean output given those inputs, where
a split on any other input goes both ways, in the shares of the rows learned from. Linear models
are explained against the mean of their terms (Lundberg and Lee 2017, inputs independent).

Lundberg's Algorithm 2 finds the values by polynomials in the coalition's size. Here the same
values are taken from Owen's multilinear extension ("Multilinear extensions of games", 1972): the
integral, over the share x of inputs known, of what one more input changes. In a leaf that is a
polynomial in x of a degree below its number of inputs, so that Gauss-Legendre's rule of half as
many points gives it exactly; all its terms are positive, so that nothing cancels, however deep.

A row costs some 4 µs a leaf of the model, less where rows fall alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from driftloop.plan.inputs import Row

Scale = Literal["log-odds", "logit", "probability", "value"]
Path = tuple[tuple[int, float, int, int], ...]  # (input, share, splits asked, those to answer left)

MOST_ROWS = 100
MOST_LEAVES = 200_000  # times rows: about a second


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
    """How many rows may be explained at once; 0 if the plan does not hold what that needs."""
    model = plan["model"]
    if model["kind"] == "linear":
        return 0 if model["background"] is None else MOST_ROWS
    trees = model["trees"]
    if any(tree["cover"] is None for tree in trees):
        return 0
    leaves = sum(len(tree["cover"]) for tree in trees)
    return min(MOST_ROWS, max(1, MOST_LEAVES // max(leaves, 1)))


def explain(plan: dict[str, Any], rows: list[Row]) -> Explained:
    """Explain encoded rows by a plan whose :func:`most_rows` is not 0."""
    model = plan["model"]
    by_kind = _linear if model["kind"] == "linear" else _trees
    base, contributions = by_kind(model, plan["inputs"], rows)
    scales: dict[str, Scale] = {"logistic": "log-odds", "softmax": "logit"}
    plain: Scale = "value" if plan["task"] == "regression" else "probability"
    return Explained(scales.get(model["link"], plain), base, contributions)


Found = tuple[list[float], list[list[list[float]]]]


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


def _trees(model: dict[str, Any], inputs: list[dict[str, Any]], rows: list[Row]) -> Found:
    """Tree by tree, each for all rows, so that only one tree's leaves are in memory."""
    base, divide = list(model["start"]), float(model["divide"])
    found = [[[0.0] * len(inputs) for _ in base] for _ in rows]
    for tree in model["trees"]:
        answers = _answers(tree, inputs)
        sides = [answers(row) for row in rows]
        every = range(len(base)) if tree["output"] is None else (tree["output"],)
        total = math.fsum(tree["cover"])
        for path, asked, value, cover in _leaves(tree):
            values = list(zip(every, value if tree["output"] is None else (value,), strict=True))
            for k, v in values:
                base[k] += v * cover / total
            known: dict[int, list[tuple[int, float]]] = {}
            for contributions, side in zip(found, sides, strict=True):
                shares = known.get(side & asked)
                if shares is None:
                    shares = known[side & asked] = _shares(path, side)
                for k, v in values:
                    of_output = contributions[k]
                    for i, share in shares:
                        of_output[i] += share * v
    for contributions in found:
        for of_output in contributions:
            of_output[:] = [c / divide for c in of_output]
    return [b / divide for b in base], found


def _answers(tree: dict[str, Any], inputs: list[dict[str, Any]]) -> Callable[[Row], int]:
    """The function from a row to a bit for each node: set if it is a split that sends it left."""
    numbers, categories = [], []
    for n, i in enumerate(tree["input"]):
        at, missing_left = tree["at"][n], bool(tree["missing_left"][n])
        if i >= 0 and inputs[i]["type"] == "category":
            categories.append((1 << n, i, int(at, 16)))
        elif i >= 0:
            numbers.append((1 << n, i, math.inf if at is None else at, missing_left))

    def answers(row: Row) -> int:
        found = 0
        for bit, i, at, missing_left in numbers:
            x = row[i]
            if x <= at or (missing_left and x != x):
                found |= bit
        for bit, i, mask in categories:
            if mask >> row[i] & 1:
                found |= bit
        return found

    return answers


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[Path, int, Any, float]]:
    """Each leaf: its inputs, the splits on its path as bits, what it adds and its cover.

    Of each input on the path: the share of rows that its splits send this way, and their bits.
    """
    covers = iter(tree["cover"])
    weight = [0.0] * len(tree["input"])
    for n, i in enumerate(tree["input"]):
        if i < 0:
            weight[n] = next(covers)
    for n in range(len(weight) - 1, -1, -1):
        if tree["input"][n] >= 0:
            weight[n] = weight[n + 1] + weight[tree["right"][n]]
    pending: list[tuple[int, dict[int, tuple[int, float, int, int]], int]] = [(0, {}, 0)]
    while pending:
        n, path, asked = pending.pop()
        i = tree["input"][n]
        if i < 0:
            yield tuple(path.values()), asked, tree["at"][n], weight[n]
            continue
        _, share, bits, left = path.get(i, (i, 1.0, 0, 0))
        bit = 1 << n
        for child, way in ((tree["right"][n], 0), (n + 1, bit)):
            on = (i, share * weight[child] / weight[n], bits | bit, left | way)
            pending.append((child, {**path, i: on}, asked | bit))


def _shares(path: Path, side: int) -> list[tuple[int, float]]:
    """The Shapley values of a leaf worth 1, for a row that answers its splits as ``side`` says.

    An input that lets the row through to this leaf has the factor ``x + (1 - x) share`` in the
    leaf's multilinear extension at x, any other ``(1 - x) share``.
    """
    through = [(i, share) for i, share, bits, left in path if side & bits == left]
    against = [(i, share) for i, share, bits, left in path if side & bits != left]
    common = math.prod(share for _, share in against)
    points = _gauss_legendre((len(path) + 1) // 2)
    height = [
        weight * common * (1.0 - x) ** len(against)
        * math.prod(x + (1.0 - x) * share for _, share in through)
        for x, weight in points
    ]  # fmt: skip
    found = [
        (i, (1.0 - share) * sum(h / (x + (1.0 - x) * share)
                                for h, (x, _) in zip(height, points, strict=True)))
        for i, share in through
    ]  # fmt: skip
    if against:
        lost = -sum(h / (1.0 - x) for h, (x, _) in zip(height, points, strict=True))
        found += [(i, lost) for i, _ in against]
    return found


@cache
def _gauss_legendre(count: int) -> list[tuple[float, float]]:
    """Points and weights that integrate polynomials of a degree below ``2 * count`` over [0, 1].

    The roots of Legendre's polynomial by Newton's method (Press et al., Numerical Recipes, §4.6).
    """
    found = []
    for k in range(count):
        x = math.cos(math.pi * (k + 0.75) / (count + 0.5))
        for _ in range(100):
            below, here = 0.0, 1.0
            for j in range(count):
                below, here = here, ((2 * j + 1) * x * here - j * below) / (j + 1)
            slope = count * (x * here - below) / (x * x - 1.0)
            step = here / slope
            x -= step
            if abs(step) < 1e-15:
                break
        found.append(((1.0 + x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope)))
    return found
