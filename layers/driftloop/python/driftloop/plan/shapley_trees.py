"""Shapley values of trees, for the game of :mod:`driftloop.plan.shapley`.

Lundberg's Algorithm 2 finds them by polynomials in the coalition's size, leaf by leaf. Here the
same values are taken from Owen's multilinear extension ("Multilinear extensions of games", 1972):
the integral, over the share x of inputs known, of what one more input changes. Along a tree's path
that is a polynomial in x of a degree below the number of inputs asked, so that Gauss and
Legendre's rule of half as many points gives it exactly. At a point it takes one walk down the tree
and one up, whatever the depth, as in Yu et al., "Linear TreeShap" (2022).

A request costs some 10 µs a leaf of the model, and each row of it 4 more, less where rows go the
same ways.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import add, mul
from typing import Any

from driftloop.plan.inputs import Row
from driftloop.plan.quadrature import gauss_legendre

Found = tuple[list[float], list[list[list[float]]]]


def explain(model: dict[str, Any], inputs: list[dict[str, Any]], rows: list[Row]) -> Found:
    """Base and contributions, as ``Explained`` has them. Tree by tree, each for all rows, so that
    only one tree's edges are in memory."""
    base, divide = list(model["start"]), float(model["divide"])
    found = [[[0.0] * len(inputs) for _ in base] for _ in rows]
    for tree in model["trees"]:
        edges = _Edges(tree)
        values = {}  # of each output it adds to: of each node, 0 where it is no leaf
        for k in range(len(base)) if tree["output"] is None else [tree["output"]]:
            leaves = tree["at"] if tree["output"] is not None else [_at(at, k) for at in tree["at"]]
            values[k] = [at if i < 0 else 0.0 for i, at in zip(tree["input"], leaves, strict=True)]
            base[k] += math.fsum(map(mul, values[k], edges.weight)) / edges.weight[0]
        taken = _taken(tree, inputs)
        alike: dict[bytes, list[list[list[float]]]] = {}  # contributions of rows, by their states
        for contributions, row in zip(found, rows, strict=True):
            alike.setdefault(bytes(edges.states(taken(row))), []).append(contributions)
        for x, weight in gauss_legendre((edges.most_inputs + 1) // 2):
            choices = edges.choices(x)
            for states, them in alike.items():
                chosen = [choice[state] for choice, state in zip(choices, states, strict=True)]
                for k, of_nodes in values.items():
                    added = edges.contributions(chosen, weight, of_nodes, len(inputs))
                    for contributions in them:
                        contributions[k] = list(map(add, contributions[k], added))
    for contributions in found:
        for of_output in contributions:
            of_output[:] = [c / divide for c in of_output]
    return [b / divide for b in base], found


def _at(at: Any, k: int) -> Any:
    return at[k] if isinstance(at, list) else at


def _taken(tree: dict[str, Any], inputs: list[dict[str, Any]]) -> Callable[[Row], list[int]]:
    """The function from a row to the child that each split sends it to; 0 for leaves."""
    numbers, categories, nodes = [], [], len(tree["input"])
    for n, i in enumerate(tree["input"]):
        at, missing_left = tree["at"][n], bool(tree["missing_left"][n])
        if i >= 0 and inputs[i]["type"] == "category":
            categories.append((n, i, int(at, 16), tree["right"][n]))
        elif i >= 0:
            at = math.inf if at is None else at
            numbers.append((n, i, at, missing_left, tree["right"][n]))

    def taken(row: Row) -> list[int]:
        found = [0] * nodes
        for n, i, at, missing_left, right in numbers:
            x = row[i]
            found[n] = n + 1 if x <= at or (missing_left and x != x) else right
        for n, i, mask, right in categories:
            found[n] = n + 1 if mask >> row[i] & 1 else right
        return found

    return taken


Choice = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
THROUGH, STOPPED, BEFORE = 0, 1, 2  # the row passes all splits of this edge's input so far;
# it fails here for the first time; it failed further up


class _Edges:
    """A tree by its edges, each named by the node it leads to (0, the root, has none).

    parent: of each node. input: the one its parent asks. above: the last edge before it whose
    input is the same, or 0. share: of the rows learned from, what the splits of this input on the
    way here let through. weight: the rows learned from that came here. most_inputs: on one path.
    """

    def __init__(self, tree: dict[str, Any]) -> None:
        asked, nodes = tree["input"], len(tree["input"])
        covers = iter(tree["cover"])
        self.weight = [next(covers) if i < 0 else 0.0 for i in asked]
        for n in range(nodes - 1, -1, -1):
            if asked[n] >= 0:
                self.weight[n] = self.weight[n + 1] + self.weight[tree["right"][n]]
        self.parent, self.input, self.above = [0] * nodes, [0] * nodes, [0] * nodes
        self.share, several = [1.0] * nodes, [0] * nodes
        for n, i in enumerate(asked):
            if i < 0:
                continue
            above = n
            while above and self.input[above] != i:
                above = self.parent[above]
            for child in (n + 1, tree["right"][n]):
                self.parent[child], self.input[child], self.above[child] = n, i, above
                self.share[child] = self.share[above] * self.weight[child] / self.weight[n]
                several[child] = several[n] + (not above)
        self.most_inputs = max(several)
        edges = range(1, nodes)
        self.upwards = [(n, self.parent[n], self.input[n]) for n in reversed(edges)]

    def states(self, taken: list[int]) -> list[int]:
        """Of each edge, how far a row gets by the splits of the edge's input alone."""
        found = [THROUGH]
        for n in range(1, len(taken)):
            if found[self.above[n]] != THROUGH:
                found.append(BEFORE)
            else:
                found.append(THROUGH if taken[self.parent[n]] == n else STOPPED)
        return found

    def choices(self, x: float) -> list[Choice]:
        """Of each edge, for each state: what it multiplies the multilinear extension by at x, and
        how much its input adds in all leaves behind it, for each 1 that they are worth.

        An input has the factor ``x + (1 - x) share`` in the extension if it lets the row through,
        and ``(1 - x) share`` if not; its last edge on a path stands for all of it.
        """
        rest = 1.0 - x
        factor = [x + rest * share for share in self.share]
        gain = [(1.0 - share) / f for share, f in zip(self.share, factor, strict=True)]
        return [
            (
                (factor[n] / factor[above], gain[n] - gain[above]),
                (rest * share / factor[above], -1.0 / rest - gain[above]),
                (share / self.share[above], 0.0),
            )
            for n, (share, above) in enumerate(zip(self.share, self.above, strict=True))
        ]

    def contributions(
        self, chosen: list[tuple[float, float]], weight: float, values: list[float], inputs: int
    ) -> list[float]:
        """What each input adds by one point of the integral: products down, sums up."""
        heights: list[float] = []
        for parent, (factor, _) in zip(self.parent, chosen, strict=True):
            weight = heights[parent] * factor if heights else weight
            heights.append(weight)
        totals, found = list(map(mul, heights, values)), [0.0] * inputs
        for (n, parent, i), (_, gain) in zip(self.upwards, reversed(chosen), strict=False):
            total = totals[n]
            found[i] += total * gain
            totals[parent] += total
        return found
