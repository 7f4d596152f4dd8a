"""From what a caller sends to what the model takes: check and encode a row in one pass.

The pass is generated as straight-line Python for a plan's inputs. The source holds positional
names and finite numbers only; feature names and categories stay data, reached through the
function's namespace.
"""

from __future__ import annotations

import math
import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from driftloop.checking.pattern import LONGEST
from driftloop.errors import BadRequest
from driftloop.plan.generated import define

Row = tuple[Any, ...]
Encode = Callable[[dict[str, Any], str], Row]
LARGEST = {"float64": sys.float_info.max, "float32": 3.4028234663852886e38}


@dataclass(frozen=True)
class Input:
    """What a caller may send under one name. ``categories`` None: any text that all of
    ``pattern`` (if there is one) matches."""

    name: str
    type: Literal["number", "category"]
    nullable: bool
    min: float | None = None
    max: float | None = None
    categories: tuple[str, ...] | None = None
    pattern: str | None = None


def inputs_of(plan: dict[str, Any]) -> tuple[Input, ...]:
    return tuple(
        Input(i["name"], "number", i["nullable"], min=i["min"], max=i["max"])
        if i["type"] == "number"
        else Input(
            i["name"],
            "category",
            i["nullable"],
            categories=None if i["allowed"] is None else tuple(i["allowed"]),
            pattern=i["pattern"],
        )
        for i in plan["inputs"]
    )


def encoder(plan: dict[str, Any], *, strict: bool) -> Encode:
    """A function ``(instance, path) -> row``.

    strict: what the inputs do not allow raises BadRequest with the field's path; otherwise
    ranges, fixed categories, patterns and nullability are not looked at (for rows that the spec
    admitted already, perhaps under another version of it). Types are always checked. An empty text
    is a category's null, as it is in what was learned from.
    """
    space: dict[str, Any] = {"number": float, "whole": int, "text": str, "length": len}
    lines = ["def encode(instance, path):", " if instance.__class__ is not dict:"]
    lines += ["  refuse(-1, instance, path)", " get = instance.get"]
    described = inputs_of(plan)
    for i, item in enumerate(plan["inputs"]):
        space[f"n{i}"] = item["name"]
        lines.append(f" x{i} = get(n{i})")
        write = _number if item["type"] == "number" else _category
        lines += write(i, item, space, strict, plan["precision"])
    names = [f"x{i}" for i in range(len(described))]
    floats = [f"x{i}" for i, item in enumerate(described) if item.type == "number"]
    if plan["precision"] == "float32" and floats:
        single = struct.Struct(f"{len(floats)}f")
        space |= {"pack": single.pack, "unpack": single.unpack}
        lines.append(f" {', '.join(floats)}, = unpack(pack({', '.join(floats)}))")
    lines.append(f" return ({', '.join(names)},)")

    def refuse(i: int, value: Any, path: str) -> NoReturn:
        _refuse(described[i] if i >= 0 else None, value, path, plan["precision"])

    space["refuse"] = refuse
    encode: Encode = define("\n".join(lines), space, "encode")
    return encode


def _number(
    i: int, item: dict[str, Any], space: dict[str, Any], strict: bool, precision: str
) -> list[str]:
    largest = LARGEST[precision]
    low, high = -largest, largest
    if strict:
        low = max(low, -largest if item["min"] is None else item["min"])
        high = min(high, largest if item["max"] is None else item["max"])
    center, scale = item["center"], item["scale"]
    encoded = f"(x{i} - {center!r}) / {scale!r}" if scale is not None else f"x{i} * 1.0"
    if item["missing"] is None:
        space[f"m{i}"] = math.nan
    else:
        value = item["missing"]
        space[f"m{i}"] = (value - center) / scale if scale is not None else value
    check = [
        f"if x{i}.__class__ is not number and x{i}.__class__ is not whole"
        f" or not {low!r} <= x{i} <= {high!r}:",
        f" refuse({i}, x{i}, path)",
    ]
    if strict and not item["nullable"]:
        return [f" {line}" for line in (*check, f"x{i} = {encoded}")]
    return [
        f" if x{i} is None:",
        f"  x{i} = m{i}",
        " else:",
        *(f"  {line}" for line in (*check, f"x{i} = {encoded}")),
    ]


def _category(
    i: int, item: dict[str, Any], space: dict[str, Any], strict: bool, precision: str
) -> list[str]:
    codes, unknown = item["codes"], item["unknown"]
    nullable = item["nullable"] or not strict
    lines = [f" if x{i}.__class__ is text{'' if nullable else f' and x{i}'}:"]
    if strict and item["pattern"] is not None:
        space[f"f{i}"] = re.compile(item["pattern"]).fullmatch
        lines += [
            f"  if length(x{i}) > {LONGEST} or f{i}(x{i}) is None:",
            f"   refuse({i}, x{i}, path)",
        ]
    if strict and item["allowed"] is not None:
        space[f"c{i}"] = {word: codes.get(word, unknown) for word in item["allowed"]}
        lines += [
            f"  y{i} = c{i}.get(x{i})",
            f"  if y{i} is None:",
            f"   refuse({i}, x{i}, path)",
            f"  x{i} = y{i}",
        ]
    else:
        space[f"c{i}"] = codes | {"": item["missing"]}
        lines.append(f"  x{i} = c{i}.get(x{i}, {unknown})")
    if nullable:
        lines += [f" elif x{i} is None:", f"  x{i} = {item['missing']}"]
    return [*lines, " else:", f"  refuse({i}, x{i}, path)"]


def _refuse(item: Input | None, value: Any, path: str, precision: str) -> NoReturn:
    """Say what was expected and what was found; the slow way, only for a bad row."""
    if item is None:
        raise BadRequest(f"{path}: should be an object of features, not {_shown(value)}", path)
    field = f"{path}.{item.name}"
    if value is None or (value == "" and item.type == "category" and not item.nullable):
        problem = "is required"
    elif item.type == "category":
        if not isinstance(value, str):
            problem = f"should be text, not {_shown(value)}"
        elif item.pattern is not None and not _matches(item.pattern, value):
            problem = f"is {_shown(value)}, which does not match the pattern {item.pattern!r}"
        else:
            words = ", ".join(map(repr, (item.categories or ())[:10]))
            problem = f"is {_shown(value)}, which is not one of {words}"
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        problem = f"should be a number, not {_shown(value)}"
    elif isinstance(value, float) and not math.isfinite(value):
        problem = f"should be a finite number, not {value}"
    elif item.min is not None and value < item.min:
        problem = f"is {_shown(value)}, below the least allowed, {item.min:g}"
    elif item.max is not None and value > item.max:
        problem = f"is {_shown(value)}, above the greatest allowed, {item.max:g}"
    else:
        problem = f"is too large for a {precision} number"
    raise BadRequest(f"{field}: {problem}", field)


def _matches(pattern: str, text: str) -> bool:
    return len(text) <= LONGEST and re.fullmatch(pattern, text) is not None


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 128:  # its text could be megabytes
        return "a huge whole number"
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
