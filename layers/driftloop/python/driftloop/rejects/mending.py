"""Rejected rows as a file that a person mends, and the mended file as rows.

CSV: ``upload, file, line, rule, field, value, text`` and the columns of the rows themselves, cells
made harmless (see formula). JSON Lines: the same, with the row's own columns under ``row``. A
column of ours that the rows have too begins with an underscore. ``text`` stands where a row could
not be taken apart: who mends it fills in its columns.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from driftloop.errors import UnreadableFile, WrongColumns
from driftloop.rejects.formula import defused, restored
from driftloop.rejects.quarantine import LONGEST_TEXT, Rejected
from driftloop.rejects.rejected import Held, Place

OURS = ("upload", "file", "line", "rule", "field", "value", "text")
Row = dict[str, Any]


@dataclass(frozen=True)
class Mended:
    """A row of a mended file: which rejected row it stands for, and what it says now."""

    upload: str
    place: Place
    row: Row
    at: int  # physical line of the mended file


def own_columns(rejected: Rejected, shape: Mapping[str, Any]) -> Row | None:
    """The row's columns as they stood in its file: text, or values of JSON. None for a row that
    could not be read or whose text was cut."""
    if rejected.rule == "unreadable_row" or len(rejected.text) >= LONGEST_TEXT or not shape:
        return None
    if shape["format"] != "csv":
        row = json.loads(rejected.text)
        return row if isinstance(row, dict) else None
    text = io.StringIO(rejected.text, newline="")
    cells = next(csv.reader(text, delimiter=shape["delimiter"], strict=True))
    return dict(zip(shape["header"], cells, strict=True))


def write_csv(out: TextIO, found: Iterable[tuple[Held, Iterable[Rejected]]]) -> int:
    """Write rejected rows to ``out`` (opened with ``newline=""``); how many."""
    found = [(held, rows) for held, rows in found]
    shapes = [shape for held, _ in found for shape in held.shapes.values()]
    header = list(dict.fromkeys(name for shape in shapes for name in shape["header"]))
    writer = csv.writer(out)
    writer.writerow(defused(name) for name in [*ours(header).values(), *header])
    count = 0
    for facts, row in _each(found):
        cells = [as_cell(facts[name]) for name in OURS]
        own = [as_cell((row or {}).get(name)) for name in header]
        writer.writerow(defused(cell) for cell in [*cells, *own])
        count += 1
    return count


def write_json_lines(out: TextIO, found: Iterable[tuple[Held, Iterable[Rejected]]]) -> int:
    """Write rejected rows to ``out``; how many."""
    count = 0
    for facts, row in _each(found):
        out.write(json.dumps({**facts, "row": row}, ensure_ascii=False) + "\n")
        count += 1
    return count


def ours(header: Sequence[str]) -> dict[str, str]:
    """What our own columns are called beside those of ``header``."""
    found: dict[str, str] = {}
    for name in OURS:
        found[name] = name
        while found[name] in header:
            found[name] = f"_{found[name]}"
    return found


def read_csv(lines: TextIO) -> Iterator[Mended]:
    """Rows of a mended CSV file (opened with ``newline=""``). Raises UnreadableFile,
    WrongColumns."""
    first = lines.readline()
    lines.seek(0)
    delimiter = max(",;\t", key=first.count)  # spreadsheets write what their country does
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = [restored(name) for name in next(reader, [])]
        # of a name of ours, with how many underscores however, the longest is ours
        called = {
            name: max((n for n in header if n.lstrip("_") == name), key=len, default="")
            for name in OURS
        }
        _all_there([called[name] for name in ("upload", "line")])
        own = [name for name in header if name not in called.values()]
        at = reader.line_num
        for cells in reader:
            at, begins = reader.line_num, at + 1
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise UnreadableFile(f"line {begins}: {len(cells)} fields, not {len(header)}")
            said = dict(zip(header, map(restored, cells), strict=True))
            row: Row = {name: said[name] for name in own}
            yield Mended(said[called["upload"]], _place(said, called, begins), row, begins)
    except csv.Error as error:
        raise UnreadableFile(f"line {reader.line_num}: {error}") from None


def read_json_lines(lines: TextIO) -> Iterator[Mended]:
    """Rows of a mended JSON Lines file. Raises UnreadableFile, WrongColumns."""
    called = dict(zip(OURS, OURS, strict=True))
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            row = said["row"] or {}
            yield Mended(str(said["upload"]), _place(said, called, at), dict(row), at)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise UnreadableFile(
                f"line {at}: an object with upload, line and row is needed ({error})"
            ) from None


def csv_line(cells: Iterable[str], delimiter: str) -> str:
    """A record of CSV without its line end."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n")  # which end it has says what is quoted


def as_cell(value: Any) -> str:
    """A value as it stands in a CSV cell: text as it is, nothing for null, else JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _each(
    found: Iterable[tuple[Held, Iterable[Rejected]]],
) -> Iterator[tuple[dict[str, Any], Row | None]]:
    for held, rows in found:
        for r in rows:
            row = own_columns(r, held.shape(r.file))
            facts = (held.upload, r.file or held.key, r.line, r.rule, r.field, r.value,
                     r.text if row is None else "")  # fmt: skip
            yield dict(zip(OURS, facts, strict=True)), row


def _place(said: Mapping[str, Any], called: Mapping[str, str], at: int) -> Place:
    line = str(said[called["line"]])
    if not line.isascii() or not line.isdigit():
        raise UnreadableFile(f"line {at}: {called['line']} is {line!r}, no number of a line")
    return str(said.get(called["file"]) or ""), int(line)


def _all_there(names: Sequence[str]) -> None:
    if not all(names):
        raise WrongColumns(
            "the file has no columns upload and line, which say what rows these are; mend a file "
            "that `driftloop quarantine export` wrote"
        )
