"""Trees answered by masks of their leaves, instead of by one question after the other.

After QuickScorer (Lucchese et al., "QuickScorer: a fast algorithm to rank documents with additive
ensembles of regression trees", 2015). What a value of an input excludes, of all leaves of all
trees, is one long number, looked up by where the value stands among the input's thresholds. The
numbers of all inputs, or-ed, leave one leaf open in every tree. The leaves' values are then added
in the order scikit-learn adds them, in float64, so that sums are identical bit for bit.

A tree takes as many bytes as its leaves have eights, the same for every tree; which of their bits
is open is found for all trees, and for many rows, at once by translating bytes. Next to comparing
and branching, that takes two thirds of the time for a row and a third for a row of many.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cache, reduce
from itertools import accumulate, chain
from operator import or_
from typing import Any

from driftloop.plan.generated import define
from driftloop.plan.inputs import Row

MOST_LEAVES = 256  # of a tree, so that a leaf's position is a byte
MOST_BYTES = 8 * 1024 * 1024  # of masks; these take some 0.2 s to make
FEW = 4  # rows that are sooner added one by one
MANY = 1_000  # rows whose bytes are held at a time
TERMS = 25  # trees added in one generated expression

Excluded = dict[Any, list[int]]  # split at -> the leaves (as bits) behind its other side:
LEFT, RIGHT, MISSING = 0, 1, 2  # if the value goes left, if it goes right, if it is missing


def fit(model: dict[str, Any], inputs: list[dict[str, Any]]) -> bool:
    """Whether a model's trees are few and small enough, and all of them add to one output each, or
    all to all."""
    trees = model["trees"]
    if len({tree["output"] is None for tree in trees}) > 1:
        return False
    if max((tree["input"].count(-1) for tree in trees), default=0) > MOST_LEAVES:
        return False
    places: list[set[Any]] = [set() for _ in inputs]
    for tree in trees:
        for i, at in zip(tree["input"], tree["at"], strict=True):
            if i >= 0:
                places[i].add(at)
    masks = sum(
        item["size"] if item["type"] == "category" else len(of_input) + 1
        for item, of_input in zip(inputs, places, strict=True)
    )
    return masks * len(trees) * _bytes_of(trees) <= MOST_BYTES


def outputs(
    model: dict[str, Any], inputs: list[dict[str, Any]]
) -> Callable[[list[Row]], list[list[float]]]:
    """The function from rows to, for each of K outputs, one number a row, before the link."""
    trees = sorted(model["trees"], key=lambda tree: tree["output"] or 0)  # stable
    leaves_of, divide, count = _leaves(trees, inputs), model["divide"], len(trees)
    parts = []  # of each output: where it starts, its trees' values by leaf, and their positions
    for k, start in enumerate(model["start"]):
        mine = [p for p, tree in enumerate(trees) if tree["output"] in (k, None)]
        values = [_values(trees[p], k) for p in mine]
        parts.append((start, values, slice(mine[0], mine[-1] + 1) if mine else slice(0)))

    def one(row: Row) -> list[float]:
        leaves, found = leaves_of([row]), []
        for total, values, positions in parts:
            for of_tree, leaf in zip(values, leaves[positions], strict=True):
                total += of_tree[leaf]
            found.append(total / divide)
        return found

    def many(rows: list[Row]) -> list[list[float]]:
        leaves, found = leaves_of(rows), []
        columns = [leaves[position::count] for position in range(count)]
        for start, values, positions in parts:
            totals, mine = [start] * len(rows), columns[positions]
            for at in range(0, len(values), TERMS):
                group = values[at : at + TERMS]
                totals = _adder(len(group))(totals, group, mine[at : at + TERMS])
            found.append([total / divide for total in totals] if divide != 1 else totals)
        return found

    def answers(rows: list[Row]) -> list[list[float]]:
        if len(rows) < FEW:
            found = [one(row) for row in rows]
            return [[row[k] for row in found] for k in range(len(parts))]
        chunks = [many(rows[at : at + MANY]) for at in range(0, len(rows), MANY)]
        return [list(chain.from_iterable(parts)) for parts in zip(*chunks, strict=True)]

    return answers


def _values(tree: dict[str, Any], k: int) -> list[float]:
    """What each leaf, in order, adds to output ``k``."""
    found = [at for i, at in zip(tree["input"], tree["at"], strict=True) if i < 0]
    return found if tree["output"] is not None else [of_outputs[k] for of_outputs in found]


@cache
def _adder(count: int) -> Callable[..., list[float]]:
    """``add(totals, values, columns)``: to each total, what its leaves in ``count`` trees are
    worth, tree by tree. The same for every plan."""
    values = ", ".join(f"v{k}" for k in range(count))
    leaves = ", ".join(f"x{k}" for k in range(count))
    terms = " + ".join(f"v{k}[x{k}]" for k in range(count))
    source = (
        f"def add(totals, values, columns):\n {values}, = values\n"
        f" return [s + {terms} for s, {leaves} in zip(totals, *columns)]"
    )
    added: Callable[..., list[float]] = define(source, {}, "add")
    return added


def _leaves(
    trees: list[dict[str, Any]], inputs: list[dict[str, Any]]
) -> Callable[[list[Row]], bytes]:
    """The function from rows to the position of the leaf each reaches, row by row, tree by tree."""
    size, padding = _bytes_of(trees), 0
    excluded: list[Excluded] = [{} for _ in inputs]
    for position, tree in enumerate(trees):
        first = 8 * size * position
        padding |= _bits(tree["input"].count(-1), 8 * size) << first
        for i, at, missing_left, on_left, on_right in _splits(tree):
            known = excluded[i].setdefault(at, [0, 0, 0])
            known[LEFT] |= on_right << first
            known[RIGHT] |= on_left << first
            known[MISSING] |= (on_right if missing_left else on_left) << first
    width = size * len(trees)
    excluding = _excluding(excluded, inputs, padding, width)
    planes = [_open_bit(8 * n) for n in range(size)]

    def leaves_of(rows: list[Row]) -> bytes:
        data, found = b"".join(excluding(rows)), 0
        for n, plane in enumerate(planes):  # each leaf is in one plane, the others give 0
            found |= int.from_bytes(data[n::size].translate(plane), "little")
        return found.to_bytes(len(data) // size, "little")

    return leaves_of


def _bytes_of(trees: list[dict[str, Any]]) -> int:
    """Bytes that every tree takes."""
    return max((-(-tree["input"].count(-1) // 8) for tree in trees), default=1)


def _bits(low: int, high: int) -> int:
    """The bits from ``low`` up to ``high``."""
    return (1 << high) - (1 << low)


def _splits(tree: dict[str, Any]) -> Iterator[tuple[int, Any, int, int, int]]:
    """Each split: input, at, missing_left, and the leaves on its left and right as bits."""
    before = list(accumulate((i < 0 for i in tree["input"]), initial=0))  # leaves before a node
    ends = [len(tree["input"])]  # where the subtrees end that the walk is in, innermost last
    for n, i in enumerate(tree["input"]):
        if i < 0:
            ends.pop()
            continue
        right, end = tree["right"][n], ends[-1]
        on_left, on_right = _bits(before[n], before[right]), _bits(before[right], before[end])
        yield i, tree["at"][n], tree["missing_left"][n], on_left, on_right
        ends.append(right)


def _excluding(
    excluded: list[Excluded], inputs: list[dict[str, Any]], padding: int, width: int
) -> Callable[[list[Row]], list[bytes]]:
    """The function from rows to the leaves each excludes, and the padding, as ``width`` bytes."""
    space: dict[str, Any] = {"padding": padding, "find": bisect_left}
    terms = ["padding"]
    for i, (item, splits) in enumerate(zip(inputs, excluded, strict=True)):
        if not splits:
            continue
        if item["type"] == "category":
            space[f"m{i}"] = _by_code(splits, item["size"])
            terms.append(f"m{i}[x{i}]")
            continue
        space[f"c{i}"], space[f"m{i}"] = _by_place(splits)
        term = f"m{i}[find(c{i}, x{i})]"
        if item["missing"] is None:
            space[f"n{i}"] = reduce(or_, (leaves[MISSING] for leaves in splits.values()))
            term = f"({term} if x{i} == x{i} else n{i})"
        terms.append(term)
    names = ", ".join(f"x{i}" for i in range(len(inputs)))
    source = (
        f"def excluding(rows):\n return [({' | '.join(terms)}).to_bytes({width}, 'little')"
        f" for {names}, in rows]"
    )
    found: Callable[[list[Row]], list[bytes]] = define(source, space, "excluding")
    return found


def _by_code(splits: Excluded, size: int) -> list[int]:
    """What each code of a category excludes."""
    masks = [(int(at, 16), leaves) for at, leaves in splits.items()]
    return [
        reduce(or_, (leaves[LEFT if mask >> code & 1 else RIGHT] for mask, leaves in masks))
        for code in range(size)
    ]


def _by_place(splits: Excluded) -> tuple[list[float], list[int]]:
    """Thresholds in order, and what a value excludes that has so and so many of them below it."""
    by_cut = {math.inf if at is None else at: leaves for at, leaves in splits.items()}
    cuts = sorted(by_cut)
    right_of = accumulate((by_cut[cut][RIGHT] for cut in cuts), or_, initial=0)
    left_of = accumulate((by_cut[cut][LEFT] for cut in reversed(cuts)), or_, initial=0)
    return cuts, list(map(or_, right_of, reversed(list(left_of))))


def _open_bit(first: int) -> bytes:
    """A table from a byte to ``first`` plus the place of the one bit unset in it, else to 0."""
    table = bytearray(256)
    for place in range(8):
        table[0xFF ^ 1 << place] = first + place
    return bytes(table)
