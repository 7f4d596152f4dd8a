"""From a plan's model to one Python function over encoded rows.

Trees become nested conditional expressions, linear terms a sum. The source is made of positional
names and finite numbers only, and adds in the order scikit-learn adds, in float64, so that tree
sums are identical bit for bit.

Python's compiler is superlinear in the size of a function, so trees are compiled in pieces; that
takes about 6 µs a node. Models of more nodes, and trees deeper than its parser nests, are walked
instead (:mod:`driftloop.plan.walk`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from driftloop.plan import walk
from driftloop.plan.inputs import Row

Outputs = Callable[[Row], list[float]]
Single = Callable[[Row], float]

MAX_NODES = 20_000  # some 0.13 s at load; a cold start should not wait longer
MAX_DEPTH = 60  # each level nests one pair of parentheses; the parser stops at 200
_PIECE = 1_000  # nodes in one generated function


def single(plan: dict[str, Any]) -> Single:
    """The function ``row -> answer`` of a plan with one output."""
    total = outputs(plan)
    if plan["model"]["link"] == "identity":
        return lambda row: total(row)[0]
    return lambda row: logistic(total(row)[0])


def outputs(plan: dict[str, Any]) -> Outputs:
    """The function ``row -> K outputs``, before the link."""
    model, inputs = plan["model"], plan["inputs"]
    if model["kind"] == "linear":
        return _linear(model, inputs)
    trees = model["trees"]
    nodes = sum(len(tree["input"]) for tree in trees)
    if nodes > MAX_NODES or max(map(_depth, trees), default=0) > MAX_DEPTH:
        return walk.outputs(model, inputs)
    return _trees(model, inputs)


def logistic(x: float) -> float:
    """1 / (1 + e^-x), as ``scipy.special.expit``; its limit where e^-x overflows."""
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else math.exp(x)


def softmax(xs: list[float]) -> list[float]:
    """As scikit-learn: shifted by the largest, then normalised."""
    largest = max(xs)
    powers = [math.exp(x - largest) for x in xs]
    total = sum(powers)
    return [power / total for power in powers]


def _linear(model: dict[str, Any], inputs: list[dict[str, Any]]) -> Outputs:
    space: dict[str, Any] = {}
    sums = []
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
        sums.append(f"{' + '.join(terms)} + {intercept!r}")
    names = ", ".join(f"x{i}" for i in range(len(inputs)))
    return _define(f"def total(row):\n ({names},) = row\n return [{', '.join(sums)}]", space)


def _trees(model: dict[str, Any], inputs: list[dict[str, Any]]) -> Outputs:
    """One function for each piece of about _PIECE nodes, and one that calls them in turn."""
    names = ", ".join(f"x{i}" for i in range(len(inputs)))
    sums = [f"s{k}" for k in range(len(model["start"]))]
    result = ", ".join(sums)
    space: dict[str, Any] = {}
    pieces, lines, size = 0, [""], 0
    source = [f"def total(row):\n ({names},) = row", f" {result}, = {model['start']!r}"]
    for position, tree in enumerate(model["trees"]):
        expression = _expression(tree, inputs)
        if tree["output"] is not None:
            lines.append(f" s{tree['output']} += {expression}")
        else:
            lines.append(f" t = {expression}")
            lines += [f" s{k} += t[{k}]" for k in range(len(sums))]
        size += len(tree["input"])
        if size > _PIECE or position == len(model["trees"]) - 1:
            lines[0] = f"def piece{pieces}({names}, {result}):"
            _define("\n".join([*lines, f" return {result},"]), space, f"piece{pieces}")
            source.append(f" {result}, = piece{pieces}({names}, {result})")
            pieces, lines, size = pieces + 1, [""], 0
    if model["divide"] != 1:
        source += [f" {s} /= {model['divide']}" for s in sums]
    source.append(f" return [{result}]")
    return _define("\n".join(source), space)


def _define(source: str, space: dict[str, Any], name: str = "total") -> Outputs:
    exec(compile(source, "<plan model>", "exec"), space)
    defined: Outputs = space[name]
    return defined


def _expression(tree: dict[str, Any], inputs: list[dict[str, Any]]) -> str:
    """A tree as nested conditional expressions, written from its last node to its first."""
    done: dict[int, str] = {}
    ats, rights = tree["at"], tree["right"]
    for n in range(len(ats) - 1, -1, -1):
        i = tree["input"][n]
        if i < 0:
            leaf = ats[n]
            done[n] = repr(leaf) if leaf.__class__ is float else repr(tuple(leaf))
            continue
        left, right = done.pop(n + 1), done.pop(rights[n])
        if inputs[i]["type"] == "category":
            test = _membership(f"x{i}", int(ats[n], 16), inputs[i]["size"])
        elif ats[n] is None:
            test = "True" if tree["missing_left"][n] else f"x{i} == x{i}"
        elif tree["missing_left"][n]:  # NaN compares false, so ask the other way round
            test, left, right = f"x{i} > {ats[n]!r}", right, left
        else:
            test = f"x{i} <= {ats[n]!r}"
        done[n] = f"({left} if {test} else {right})"
    return done[0]


def _membership(x: str, mask: int, size: int) -> str:
    """The cheapest test for "is the bit of code ``x`` set in ``mask``?", for codes below size."""
    inside = [code for code in range(size) if mask >> code & 1]
    outside = [code for code in range(size) if not mask >> code & 1]
    if not inside or not outside:
        return str(bool(inside))
    if len(inside) == 1:
        return f"{x} == {inside[0]}"
    if len(outside) == 1:
        return f"{x} != {outside[0]}"
    if inside[-1] < outside[0]:
        return f"{x} < {outside[0]}"
    if outside[-1] < inside[0]:
        return f"{x} > {outside[-1]}"
    if len(inside) <= len(outside):
        return f"{x} in {{{', '.join(map(str, inside))}}}"
    return f"{x} not in {{{', '.join(map(str, outside))}}}"


def _depth(tree: dict[str, Any]) -> int:
    """Splits on the longest way from root to leaf."""
    depths = [0] * len(tree["input"])
    for n, i in enumerate(tree["input"]):
        if i >= 0:
            depths[n + 1] = depths[tree["right"][n]] = depths[n] + 1
    return max(depths)
