"""A parsed expression over columns of numpy arrays, with SQL's three-valued logic.

A truth is a pair of masks, where it is true and where it is false; elsewhere it is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.checking.expression import Node

Mask = npt.NDArray[np.bool_]
_ARITHMETIC: dict[str, Callable[..., Any]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.mod,
}  # fmt: skip
_COMPARISONS: dict[str, Callable[..., Any]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less, "<=": np.less_equal, ">": np.greater,
    ">=": np.greater_equal,
}  # fmt: skip


def holds(root: Node, columns: Mapping[str, Any]) -> Mask:
    """bool ``(n,)``: where the expression is not false."""
    rows = len(next(iter(columns.values())))
    with np.errstate(all="ignore"):  # what is no finite number becomes null
        _, false = _truth(root, columns)
    return np.array(np.broadcast_to(~false, rows))


def _truth(node: Node, columns: Mapping[str, Any]) -> tuple[Mask, Mask]:
    match node.op:
        case "not":
            true, false = _truth(node.arguments[0], columns)
            return false, true
        case "and" | "or":
            pairs = [_truth(each, columns) for each in node.arguments]
            true, false = pairs[0]
            for more_true, more_false in pairs[1:]:
                if node.op == "and":
                    true, false = true & more_true, false | more_false
                else:
                    true, false = true | more_true, false & more_false
            return true, false
    left, *others = (_values(each, columns) for each in node.arguments)
    known = ~_null(left)
    if node.op == "null?":
        return ~known, known
    if node.op == "in":
        found = np.logical_or.reduce([np.equal(left, each) for each in node.value])
    else:
        known = known & ~_null(others[0])
        found = _COMPARISONS[node.op](left, others[0])
    return found & known, ~found & known


def _values(node: Node, columns: Mapping[str, Any]) -> Any:
    """``(n,)``, or one value for all rows."""
    if node.op == "column":
        return columns[node.value]
    if node.op == "constant":
        return np.array(node.value, object if node.kind == "text" else None)
    found = [_values(each, columns) for each in node.arguments]
    match node.op:
        case "negate":
            return -found[0]
        case "abs":
            return np.abs(found[0])
        case "len":
            return _each(found[0], len, np.nan).astype(np.float64)
        case "lower":
            return _each(found[0], str.lower, None)
    number = _ARITHMETIC[node.op](*found)
    return np.where(np.isfinite(number), number, np.nan)


def _null(values: Any) -> Mask:
    if values.dtype == object:
        return np.equal(values, None)  # type: ignore[call-overload,no-any-return]
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)


def _each(texts: Any, change: Callable[[str], Any], null: Any) -> Any:
    """``change`` of every text; those of a batch are few, and said often."""
    answers: dict[str | None, Any] = {None: null}
    for text in dict.fromkeys(texts.ravel().tolist()):
        if text is not None:
            answers[text] = change(text)
    changed = [answers[text] for text in texts.ravel().tolist()]
    return np.array(changed, object).reshape(texts.shape)
