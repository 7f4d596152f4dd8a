"""What must hold for a row, written in a spec: ``arrive > depart``.

A small language with Python's syntax and SQL's idea of the unknown. It is parsed to a tree of our
own and never executed as text::

    names       a column of the spec; `in backquotes` when it is no plain word
    values      12, -0.5, 'text', null; a time is written as text: at >= '2013-01-01'
    numbers     + - * / %  abs(x)
    texts       lower(x), len(x)
    comparisons == != < <= > >=, also chained; x in [..], x not in [..]; x is null, x is not null
    together    and, or, not, ( )

Texts are compared for equality only. What is computed from null is null, and so is what is no
finite number (a division by zero); ``and``, ``or`` and ``not`` are three-valued (Kleene); and a row
breaks its rule only where it is false, as with SQL's CHECK. Text columns are the spec's categories
(also those that look like numbers), its key and the target of a classification.

Parsing needs the standard library alone; :meth:`Expression.evaluate` needs numpy.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from driftloop.errors import SpecError
from driftloop.mistakes import nearest
from driftloop.spec_words import Kind
from driftloop.when import parse, to_ms

LONGEST = 500
DEEPEST = 40

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`([^`]+)`""")
_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.Eq: "==",
    ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.And: "and",
    ast.Or: "or",
}  # fmt: skip
_FUNCTIONS: dict[str, tuple[Kind, Kind]] = {  # name → kind it takes, kind it gives
    "abs": ("number", "number"), "len": ("text", "number"), "lower": ("text", "text"),
}  # fmt: skip


@dataclass(frozen=True)
class Node:
    """One operation of a parsed expression.

    op: ``column`` (value: its name), ``constant`` (value: float, str or, of a time, epoch
    milliseconds), ``null?``, ``in`` (value: a tuple of such constants), ``negate``, ``not``, a
    function's name, or the operator as written.
    """

    op: str
    kind: Kind | Literal["truth"]
    arguments: tuple[Node, ...] = ()
    value: Any = None


@dataclass(frozen=True)
class Expression:
    """``columns``: those it needs, by first mention."""

    text: str
    columns: tuple[str, ...]
    root: Node

    def evaluate(self, columns: Mapping[str, Any]) -> Any:
        """Where it holds (true or unknown): bool ``(n,)``.

        columns: numpy arrays ``(n,)`` of at least :attr:`columns`; number: float64, NaN for null;
        text: object, None for null; time: int64, epoch milliseconds.
        """
        from driftloop.checking.expression_numpy import (
            holds,  # functions that only read specs have none
        )

        return holds(self.root, columns)


def compile(text: str, columns: Mapping[str, Kind]) -> Expression:
    """Parse and check. Raises SpecError with the character (from 1) at which it goes wrong."""
    if len(text) > LONGEST:
        raise SpecError(f"has {len(text)} characters; {LONGEST} at most")
    parser = _Parser(text, columns)
    root = parser.parse()
    if root.kind != "truth":
        raise SpecError(f"{text!r} is a {root.kind}, nothing that holds or not; compare it")
    if not parser.used:
        raise SpecError(f"{text!r} names no column{nearest('', columns)}")
    return Expression(text, tuple(parser.used), root)


class _Parser:
    def __init__(self, text: str, columns: Mapping[str, Kind]) -> None:
        self.text = text.strip()
        self.columns = columns
        self.used: dict[str, None] = {}
        self._quoted: dict[int, str] = {}  # byte at which a `name` begins → the name

    def parse(self) -> Node:
        try:
            python = re.sub(r"[\t\r\n]", " ", self._without_quotes())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in texts; they mean what they say
                tree = ast.parse(python, mode="eval")
        except SyntaxError as error:
            hint = "; write comparisons like a > b, a == b" if "invalid" in error.msg else ""
            byte = len(python[: max(error.offset or 1, 1) - 1].encode())
            raise self._wrong(byte, error.msg + hint) from None
        except (ValueError, RecursionError, MemoryError):
            raise SpecError(f"{self.text!r} is nested too deeply, or no text at all") from None
        return self._node(tree.body, 0)

    def _without_quotes(self) -> str:
        """Each `name` becomes underscores of as many bytes, so that every position stays."""
        kept, behind = [], 0
        for found in _QUOTED.finditer(self.text):
            if found[1] is not None:
                kept += [self.text[behind : found.start()], "_" * len(found[0].encode())]
                self._quoted[len(self.text[: found.start()].encode())] = found[1]
                behind = found.end()
        return "".join([*kept, self.text[behind:]])

    def _wrong(self, byte: int, why: str) -> SpecError:
        at = len(self.text.encode()[:byte].decode("utf-8", "ignore")) + 1
        return SpecError(f"{self.text!r}, character {at}: {why}")

    def _node(self, tree: ast.expr, depth: int) -> Node:
        if depth > DEEPEST:
            raise self._wrong(tree.col_offset, "is nested too deeply")
        match tree:
            case ast.Name():
                return self._column(tree)
            case ast.Constant():
                return self._constant(tree)
            case ast.UnaryOp(ast.Not(), inner):
                return Node("not", "truth", (self._of("truth", inner, depth),))
            case ast.UnaryOp(ast.USub(), inner):
                return Node("negate", "number", (self._of("number", inner, depth),))
            case ast.UnaryOp(ast.UAdd(), inner):
                return self._of("number", inner, depth)
            case ast.BoolOp(op, inner):
                truths = tuple(self._of("truth", each, depth) for each in inner)
                return Node(_OPERATORS[type(op)], "truth", truths)
            case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
                sides = (self._of("number", left, depth), self._of("number", right, depth))
                return Node(_OPERATORS[type(op)], "number", sides)
            case ast.Compare():
                return self._comparison(tree, depth)
            case ast.Call(ast.Name(name), [inner], []) if name in _FUNCTIONS:
                takes, gives = _FUNCTIONS[name]
                return Node(name, gives, (self._of(takes, inner, depth),))
            case ast.Call(ast.Name(name)):
                known = f"{name} takes one value" if name in _FUNCTIONS else (
                    f"{name!r} is no function{nearest(name, _FUNCTIONS)}"
                )  # fmt: skip
                raise self._wrong(tree.col_offset, known)
        raise self._wrong(
            tree.col_offset, "only comparisons, + - * / %, and, or, not are understood"
        )

    def _of(self, kind: str, tree: ast.expr, depth: int) -> Node:
        node = self._node(tree, depth + 1)
        if node.kind != kind:
            raise self._wrong(tree.col_offset, f"should be a {kind}, and is a {node.kind}")
        return node

    def _column(self, tree: ast.Name) -> Node:
        name = self._quoted.get(tree.col_offset, tree.id)
        if name not in self.columns:
            raise self._wrong(
                tree.col_offset, f"{name!r} is no column{nearest(name, self.columns)}"
            )
        self.used[name] = None
        return Node("column", self.columns[name], value=name)

    def _constant(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if not math.isfinite(number):
                raise self._wrong(tree.col_offset, "is beyond every number")
            return Node("constant", "number", value=number)
        if isinstance(value, str):
            return Node("constant", "text", value=value)
        raise self._wrong(
            tree.col_offset, f"{value!r} is neither number nor text; null is `x is null`"
        )

    def _comparison(self, tree: ast.Compare, depth: int) -> Node:
        """A chain ``a < b < c`` holds where each of its links does."""
        links, left = [], tree.left
        for op, right in zip(tree.ops, tree.comparators, strict=True):
            links.append(self._link(left, op, right, depth))
            left = right
        return links[0] if len(links) == 1 else Node("and", "truth", tuple(links))

    def _link(self, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> Node:
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Name) and right.id == "null"):
                raise self._wrong(right.col_offset, "`is` asks for null alone; compare with ==")
            inner = self._node(left, depth + 1)
            if inner.kind == "truth":
                raise self._wrong(left.col_offset, "`is null` asks of a value, not of a comparison")
            node = Node("null?", "truth", (inner,))
            return node if isinstance(op, ast.Is) else Node("not", "truth", (node,))
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
                raise self._wrong(right.col_offset, "`in` wants a list, like [1, 2]")
            first = self._node(left, depth + 1)
            pairs = [self._agree(left, first, each, depth) for each in right.elts]
            if any(node.op != "constant" for _, node in pairs):
                raise self._wrong(right.col_offset, "`in` wants plain values, like [1, 2]")
            values = tuple(node.value for _, node in pairs)
            node = Node("in", "truth", (pairs[0][0],), values)
            return node if isinstance(op, ast.In) else Node("not", "truth", (node,))
        pair = self._agree(left, self._node(left, depth + 1), right, depth)
        word = _OPERATORS[type(op)]
        if pair[0].kind == "truth" or (pair[0].kind == "text" and word not in ("==", "!=")):
            raise self._wrong(left.col_offset, f"{word} does not compare {pair[0].kind}s")
        return Node(word, "truth", pair)

    def _agree(self, at: ast.expr, left: Node, tree: ast.expr, depth: int) -> tuple[Node, Node]:
        """Both sides of one kind; a text beside a time is read as one."""
        right = self._node(tree, depth + 1)
        if left.kind == "time":
            right = self._as_time(tree, right)
        elif right.kind == "time":
            left = self._as_time(at, left)
        if left.kind != right.kind:
            hint = "; a category's values are texts, in quotes" if "text" in (
                left.kind, right.kind) else ""  # fmt: skip
            raise self._wrong(tree.col_offset, f"compares a {left.kind} with a {right.kind}{hint}")
        return left, right

    def _as_time(self, tree: ast.expr, node: Node) -> Node:
        if node.kind != "text" or node.op != "constant":
            return node
        try:
            return Node("constant", "time", value=to_ms(parse(node.value.strip())))
        except (ValueError, OverflowError):
            raise self._wrong(
                tree.col_offset, f"{node.value!r} is no time; write it as '2013-01-31'"
            ) from None
