"""What a CSV file says, read in the plainest way: all of it, line by line, with Python's csv."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from driftloop.checking.contract import NULLS
from driftloop.reading import Block, Limits
from driftloop.when import EPOCH, parse

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII).fullmatch
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")


@dataclass(frozen=True)
class Read:
    """A row (``values``) or a broken record (``fault``)."""

    line: int
    text: str
    values: tuple[Any, ...] = ()
    fault: str = ""


def lines_of(data: bytes) -> list[bytes]:
    """Physical lines with their ends."""
    return _LINE.findall(data)


def read(data: bytes, delimiter: str, width: int, limits: Limits, line: int = 1) -> list[Read]:
    """Every record of ``data``, which has no header."""
    lines = lines_of(data)
    found: list[Read] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip(b"\r\n"):
            at += 1
            continue
        fields, used = _next(_feed(lines[at:], limits), delimiter)
        behind, fault = at + used, ""
        if isinstance(fields, str) or len(fields) != width:  # then its first line is broken
            behind = at + 1
            first, _ = _next(iter([lines[at].decode("utf-8", "replace")]), delimiter)
            fault = first if isinstance(first, str) else f"{len(first)} fields, not {width}"
            fault = f"over {limits.record:,} bytes" if len(lines[at]) > limits.record else fault
        raw = b"".join(lines[at:behind])
        if not fault and b"\0" in raw:
            fault = "a NUL byte"
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            fault = fault or f"not UTF-8: byte 0x{raw[error.start]:02x}"
        if fault:
            text = raw[: min(16384, limits.record)].rstrip(b"\r\n")
            found.append(Read(line + at, text.decode("utf-8", "backslashreplace"), fault=fault))
        else:
            found.append(Read(line + at, raw.decode().rstrip("\r\n"), (*fields,)))
        at = behind
    return found


def _next(lines: Iterator[str], delimiter: str) -> tuple[list[str] | str, int]:
    """The next record, or what csv says of it, and the lines it took."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error as error:
        return str(error), 0


def _feed(lines: list[bytes], limits: Limits) -> Iterator[str]:
    size = 0
    for count, raw in enumerate(lines):
        size += len(raw)
        if size > limits.record or count >= limits.record_lines:
            raise csv.Error("too long")
        yield raw.decode("utf-8", "surrogateescape")


def typed(text: str, kind: str) -> Any:
    """The text as a block may hold it; the text itself when it is not of the kind."""
    if kind == "number":
        if text in NULLS:
            return None
        number = float(text) if _NUMBER(text) else float("nan")
        return number if number - number == 0 else text
    if kind == "time":
        try:
            return (parse(text.strip()) - EPOCH).total_seconds()
        except (ValueError, OverflowError):
            return text
    return text


def flat(blocks: list[Block], kinds: dict[str, Any]) -> list[Read]:
    """Blocks as records, each value as ``typed`` would have it."""
    found: list[Read] = []
    for block in blocks:
        columns = [
            [plain(value, kind) for value in values_of(block.columns[name])]
            for name, kind in kinds.items()
        ]
        here = [
            Read(int(line), block.text(row), tuple(column[row] for column in columns))
            for row, line in enumerate(block.lines)
        ]
        here += [Read(b.line, b.text, fault=b.fault) for b in block.broken]
        assert block.broken == sorted(block.broken, key=lambda b: b.line)
        found += sorted(here, key=lambda r: r.line)
    return found


def values_of(column: Any) -> list[Any]:
    """A column of a block as Python values."""
    return list(column) if isinstance(column, list) else list(column.to_pylist())


def plain(value: Any, kind: str) -> Any:
    """The same for a value whether it was typed with its block or left as text."""
    if isinstance(value, str):
        return typed(value, kind)
    return (value - EPOCH).total_seconds() if hasattr(value, "tzinfo") else value


class Slow(io.RawIOBase, BinaryIO):  # type: ignore[misc]
    """A stream that gives less than it is asked for, as networks do, and cannot seek."""

    def __init__(self, data: bytes, most: int = 7) -> None:
        self._data = io.BytesIO(data)
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, self._most) if size >= 0 else self._most)

    def seekable(self) -> bool:
        return False
