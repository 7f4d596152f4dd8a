"""Records of CSV → typed Arrow columns, as far as every value of a block lets them be typed.

A column is parsed straight into what its last block could be cast to. When a block does not fit,
it is parsed again as text and cast column by column; what cannot be cast is handed on as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from driftloop.checking.contract import NULLS
from driftloop.data.rows import Kind
from driftloop.reading.arrow_types import CODES, NUMBER, TEXT, TIME, sound
from driftloop.reading.unpack import BOM

_ZONELESS = pa.timestamp("us")
_TARGETS: dict[Kind, tuple[Any, ...]] = {"number": (NUMBER,), "time": (TIME, _ZONELESS), "text": ()}
_NULLS = pa.array(sorted(NULLS))
_MANY = 4096  # different texts in a block beyond which codes cost more than they save

Misfit = Callable[[int, int], None]  # record (from 0), fields found


class Typing:
    """Remembers from block to block what each column could last be parsed into."""

    def __init__(
        self, header: Sequence[str], kinds: Mapping[str, Kind] | None, delimiter: str
    ) -> None:
        """``kinds``: the columns wanted; None wants all of them, as text."""
        self._header = header
        self._delimiter = delimiter
        self._targets: dict[str, tuple[Any, ...]] = {}
        self._types: dict[str, Any] = {}
        for at, name in enumerate(header):
            if kinds is None:
                self._targets[str(at)], self._types[str(at)] = (), TEXT
            elif name in kinds:
                self._targets[str(at)] = _TARGETS[kinds[name]]
                self._types[str(at)] = {"number": NUMBER, "text": CODES, "time": TEXT}[kinds[name]]

    def columns(self, data: bytes, misfit: Misfit) -> dict[str, Any]:
        """Parse well-formed CSV; ``misfit`` hears of each record of another width."""
        columns, misfits = self._parse(data)
        if any(column is None for column in columns.values()):
            self._types |= {at: TEXT for at, targets in self._targets.items() if targets}
            columns, misfits = self._parse(data)
        for record, fields in misfits.items():
            misfit(record, fields)
        return {self._header[int(at)]: self._typed(at, column) for at, column in columns.items()}

    def _parse(self, data: bytes) -> tuple[dict[str, Any], dict[int, int]]:
        """Columns (None for one that does not fit its type) and the records that fit no column."""
        misfits: dict[int, int] = {}

        def skip(row: Any) -> str:
            misfits[row.number - 1] = row.actual_columns
            return "skip"

        names = [str(at) for at in range(len(self._header))]
        read = csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 2)
        parse = csv.ParseOptions(
            delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=skip
        )
        convert = csv.ConvertOptions(
            column_types=self._types,
            include_columns=list(self._types),
            null_values=sorted(NULLS),
            check_utf8=False,
        )
        if not data or data.startswith(BOM):  # Arrow wants a line, and would drop the mark
            data = b"\n" + data
        try:
            table = csv.read_csv(pa.BufferReader(data), read, parse, convert)
        except pa.ArrowInvalid:
            if all(self._types[at] == TEXT for at, targets in self._targets.items() if targets):
                raise
            return dict.fromkeys(self._types), misfits
        return {at: sound(_whole(table[at])) for at in self._types}, misfits

    def _typed(self, at: str, column: Any) -> Any:
        if column.type == CODES and len(column.dictionary) > _MANY:
            self._types[at] = TEXT
        elif column.type == TEXT:
            first = column.slice(
                0, 1
            )  # tells the target, for a cast that fails all through is slow
            fits = (to for to in self._targets[at] if _cast(first, to) is not None)
            if (to := next(fits, None)) and (cast := _cast(column, to)) is not None:
                self._types[at], column = to, cast
        return column.cast(TIME) if column.type == _ZONELESS else column


def _whole(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _cast(column: Any, target: Any) -> Any | None:
    """A column of text in another type; None when a value of it does not convert."""
    if target == NUMBER:
        column = pc.if_else(pc.is_in(column, _NULLS), pa.scalar(None, TEXT), column)
    try:
        return sound(column.cast(target))
    except pa.ArrowInvalid:
        return None
