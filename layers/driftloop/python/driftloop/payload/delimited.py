"""``text/csv`` → rows, as RFC 4180 writes it: what SageMaker's clients send.

A header line may be there. ``header=present`` or ``header=absent`` in the content type says so
(RFC 4180, section 3); otherwise the first line is one if it holds the name of a field and no
number, and must be said to be one or none if it holds nothing but names, some of them numbers. An
empty cell is null. Without a header the cells are in the order of the model's inputs.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Sequence
from io import StringIO
from typing import Any

from driftloop.errors import BadRequest
from driftloop.payload.asked import MAX_ROWS, Asked, check_count
from driftloop.payload.place import Lines
from driftloop.payload.shapes import check_columns
from driftloop.plan.inputs import Input

_number = re.compile(r"[ \t]*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[ \t]*", re.ASCII).fullmatch


def rows(
    text: str, inputs: Sequence[Input], known: Collection[str], header: str | None = None
) -> Asked:
    """header: ``present``, ``absent`` or None, which leaves it to the first line.

    Raises BadRequest with line and column of what is wrong, RequestTooLarge for too many rows.
    """
    records, lines = _records(text.removeprefix("\ufeff"))
    names: Sequence[str] = [item.name for item in inputs]
    if header == "present" or (header is None and _is_header(records[0], known)):
        names = [name.strip() for name in records.pop(0)]
        check_columns(names, inputs, known, f"csv line {lines.pop(0)}", ", column ")
        if not records:
            raise BadRequest("csv: has a header line and no rows; send at least one", "csv")
    check_count(len(records), "csv")
    numbers = {item.name for item in inputs if item.type == "number"}
    typed = [name in numbers for name in names]
    found = []
    for record, line in zip(records, lines, strict=True):
        if len(record) != len(names):
            raise BadRequest(
                f"csv line {line}: has {len(record)} cells where there should be {len(names)}",
                f"csv line {line}",
            )
        values = [_value(cell, number) for cell, number in zip(record, typed, strict=True)]
        found.append(dict(zip(names, values, strict=True)))
    return Asked(found, Lines(lines))


def _records(text: str) -> tuple[list[list[str]], list[int]]:
    """Cells by record, and the line each record begins on."""
    records: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    before = 0
    try:
        for record in reader:
            records.append(record or [""])  # an empty line is one empty cell
            lines.append(before + 1)
            before = reader.line_num
            if len(records) > MAX_ROWS + 1:
                break
    except csv.Error as error:
        line = max(before + 1, reader.line_num)
        raise BadRequest(f"csv line {line}: is no CSV ({error})", f"csv line {line}") from None
    if not records:
        raise BadRequest("csv: is empty; send at least one line", "csv")
    return records, lines


def _is_header(record: list[str], known: Collection[str]) -> bool:
    cells = [cell.strip() for cell in record]
    if not any(map(_number, cells)):
        return any(cell in known for cell in cells)
    if all(cell in known for cell in cells):  # of a model whose fields are called 0, 1, 2
        raise BadRequest(
            "csv line 1: may be a header or a row; say header=present or header=absent "
            "in the content-type",
            "csv line 1",
        )
    return False


def _value(cell: str, number: bool) -> Any:
    if cell == "":
        return None
    return float(cell) if number and _number(cell) else cell
