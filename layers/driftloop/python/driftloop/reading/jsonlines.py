"""JSON Lines: one object a line, closed against what JSON leaves open.

NaN and Infinity are no JSON, a field given twice or an unknown one is a mistake, an integer may
have any length (one beyond float64 is handed on as infinite), a field that is missing is null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from driftloop.data.rows import Kind
from driftloop.errors import UnreadableFile, WrongColumns
from driftloop.reading.block import TEXT, Block, Broken, shown
from driftloop.reading.delimited_records import unfit
from driftloop.reading.limits import Limits
from driftloop.reading.lines import Lines

_DEEPEST = 20
_FIRST = 1000  # lines that tell the columns when nobody names them


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"field {next(n for n in names if names.count(n) > 1)!a} twice")
    return found


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def _whole(text: str) -> float:
    return int(text) if len(text) < 400 else float(text)


_DECODERS = [
    json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=whole)
    for whole in (None, _whole)  # Python's own int stops at 4300 digits
]


def read_names(lines: Lines, limits: Limits) -> list[str]:
    """The fields of the first objects, in order of appearance; nothing is read past.

    Raises UnreadableFile when there is none.
    """
    names: dict[str, None] = {}
    for raw in lines.peek().split(b"\n")[:_FIRST]:
        found, _ = _read(raw, limits)
        names |= dict.fromkeys(filter(_is_text, found or ()))
        if len(names) > limits.columns:
            raise WrongColumns(f"the file has over {limits.columns:,} fields; at most that many")
    if not names:
        raise UnreadableFile("the file is no JSON Lines: none of its first lines is an object")
    return list(names)


def _is_text(name: str) -> bool:
    """JSON may hold half a character, which is the name of no column."""
    return not any("\ud800" <= sign <= "\udfff" for sign in name)


class JsonLines:
    """Objects, of which the fields ``kinds`` (None: ``names``) are handed on."""

    def __init__(
        self,
        lines: Lines,
        names: list[str],
        kinds: Mapping[str, Kind] | None,
        others: bool,
        limits: Limits,
    ) -> None:
        self.lines = lines
        self._kinds: Mapping[str, Kind | None] = kinds or dict.fromkeys(names)
        self._others = others
        self._limits = limits

    def blocks(self) -> Iterator[Block]:
        """Blocks of some ``Limits.block`` bytes."""
        line = self.lines.line
        for data in self.texts():
            yield self._block(data, line)
            line = self.lines.line

    def texts(self) -> Iterator[bytes]:
        """The same, unread: whole lines; ``lines`` stands behind what was given."""
        while data := self.lines.peek():
            self.lines.advance(len(data), data.count(b"\n") + (not data.endswith(b"\n")))
            yield data

    def _block(self, data: bytes, line: int) -> Block:
        raws = data.split(b"\n")
        rows: list[dict[str, Any]] = []
        at: list[int] = []
        broken: list[Broken] = []
        for number, raw in enumerate(raws):
            if not raw.strip():
                continue
            found, fault = _read(raw, self._limits)
            if found is not None and not self._others and not found.keys() <= self._kinds.keys():
                fault = f"unknown field {next(n for n in found if n not in self._kinds)!a}"
            if fault:
                text = shown(raw[: min(TEXT, self._limits.record)])
                broken.append(Broken(line + number, text, fault))
            elif found is not None:
                rows.append(found)
                at.append(number)
        columns = {name: _column([row.get(name) for row in rows], kind)
                   for name, kind in self._kinds.items()}  # fmt: skip
        lines = np.array(at, dtype=np.int64) + line
        return Block(columns, lines, broken, lambda row: shown(raws[at[row]]))


def _read(raw: bytes, limits: Limits) -> tuple[dict[str, Any] | None, str]:
    """The object of a line, or None and what is wrong with it."""
    if len(raw) >= limits.record:
        return None, f"over {limits.record:,} bytes"
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError:
        return None, unfit(raw)
    fault = ""
    for decoder in _DECODERS:
        try:
            value = decoder.decode(text)
        except json.JSONDecodeError as error:
            return None, f"{error.msg}, character {error.pos + 1}"
        except RecursionError:
            return None, "nested too deeply"
        except ValueError as error:
            fault = str(error)
            continue
        if not isinstance(value, dict):
            return None, "not an object"
        if len(value) > limits.columns:
            return None, f"{len(value):,} fields; at most {limits.columns:,}"
        if any(_is_deep(v) for v in value.values() if type(v) in (dict, list)):
            return None, "nested too deeply"
        return value, ""
    return None, fault


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for v in level
            if isinstance(v, dict | list)
            for inner in (v.values() if isinstance(v, dict) else v)
        ]
    return bool(level)


def _column(values: list[Any], kind: Kind | None) -> Any:
    """Values of one kind as an Arrow array, others as they are."""
    types = set(map(type, values)) - {type(None)}
    try:
        if types <= {str} and kind is not None:
            return pa.array(values, pa.string())
        if types <= {int, float} and kind == "number":
            numbers = pa.array(values, pa.float64())
            if np.isfinite(numbers.drop_null().to_numpy()).all():
                return numbers
    except (pa.ArrowInvalid, UnicodeEncodeError):  # too long an integer, half a character
        pass
    return values
