"""Mistakes in a declared document, told to the person who wrote it.

:func:`explain` turns a pydantic error into lines: the path, what was found, the nearest valid name.
"""

from __future__ import annotations

import difflib
import re
import reprlib
import types
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

NOT_WRITTEN = {"[key]", "[word]", "[mapping]"}  # steps of a path that only pydantic takes

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = 60
_brief.maxlevel = 2


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line per mistake of a pydantic error against ``model``."""
    lines: list[str] = []
    for item in error.errors():
        path = ".".join(_step(p) for p in item["loc"] if p not in NOT_WRITTEN)
        lines += [": ".join(filter(None, (path, said))) for said in _sayings(item, model)]
    return lines


def _step(name: int | str) -> str:
    """A key of somebody's own, so that it stands in one line."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda end: repr(end[0])[1:-1], str(name))


def _sayings(item: Any, model: type[BaseModel]) -> list[str]:
    found, loc = item.get("input"), item["loc"]
    shown = _brief.repr(found)
    match item["type"]:
        case "extra_forbidden":
            return [f"unknown key{_right_key(str(loc[-1]), model, loc[:-1])}"]
        case "missing":
            return ["is missing"]
        case "literal_error":
            valid = re.findall(r"'([^']+)'", item["ctx"]["expected"])
            if not valid:
                return [f"{shown} is not valid; one of {item['ctx']['expected']}"]
            return [f"{shown} is not valid{nearest(str(found), valid)}"]
        case "string_type" if isinstance(found, bool):
            return [f"{shown}: YAML reads a bare yes, no, on or off as a truth; put it in quotes"]
        case "model_type" | "dict_type":
            return [f"{shown}: should be a mapping of keys"]
        case "list_type":
            return [f"{shown}: should be a list, like [a, b]"]
        case "value_error":
            told = str(item["ctx"]["error"]).split("\n")
            return told if isinstance(found, dict | BaseModel) else [f"{shown} {t}" for t in told]
        case _:
            return [f"{shown}: {item['msg'][0].lower()}{item['msg'][1:]}"]


def nearest(name: str, valid: Iterable[str]) -> str:
    """``"; did you mean 'target'?"``, or all there is when nothing is near."""
    valid = list(valid)
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; one of {', '.join(valid)}" if valid else ""


def _right_key(name: str, model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """The nearest key here; or, when the very name belongs elsewhere, that place."""
    valid = _keys_at(model, loc)
    if not difflib.get_close_matches(name, valid, n=1, cutoff=0.7):
        elsewhere = sorted(path for path in _paths(model) if path.split(".")[-1] == name)
        if elsewhere:
            return f"; did you mean {elsewhere[0]!r}?"
    return nearest(name, valid)


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Valid keys of the part that ``loc`` leads to."""
    current: Any = model
    for step in loc:
        part = _part(current)
        if part is not None and str(step) in part.model_fields:
            current = part.model_fields[str(step)].annotation
        elif get_origin(current) in (dict, list):  # the step was a key of the user's own
            current = get_args(current)[-1]
    part = _part(current)
    return list(part.model_fields) if part else []


def _part(kind: Any) -> type[BaseModel] | None:
    """The model in an annotation: ``Sub``, ``Sub | None``, ``Literal[…] | Sub``."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if get_origin(kind) is Annotated:
        return _part(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return next((p for p in map(_part, get_args(kind)) if p), None)
    return None


def _paths(model: type[BaseModel], above: str = "") -> Iterator[str]:
    """Every key that a document may hold, but those under names of the user's own."""
    for name, field in model.model_fields.items():
        yield above + name
        part = _part(field.annotation)
        if part is not None:
            yield from _paths(part, f"{above}{name}.")
