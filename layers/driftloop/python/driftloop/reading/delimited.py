"""CSV: a header, then records."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

import numpy as np

from driftloop.data.rows import Kind
from driftloop.errors import UnreadableFile
from driftloop.reading.block import Block
from driftloop.reading.delimited_records import Form, Grid, Records, misfit, unfit
from driftloop.reading.delimited_types import Typing
from driftloop.reading.limits import Limits
from driftloop.reading.lines import Lines

DELIMITERS = ",;\t|"


def read_header(
    lines: Lines, limits: Limits, columns: Collection[str] | None
) -> tuple[list[str], str]:
    """Read the header and go on behind it. Returns its names and the delimiter: the one of
    ``, ; tab |`` that finds most of ``columns`` (None: most names, and as many values below).

    Raises UnreadableFile.
    """
    while data := lines.peek():
        grid = Grid(data)
        first = next((at for at in range(len(grid.ends)) if grid.line(at).strip()), None)
        if first is None:
            lines.advance(len(data), len(grid.ends))
            continue
        behind, most = first + 2 * limits.record_lines, grid.starts[first] + 2 * limits.record
        texts = [
            raw.decode("utf-8", "replace")
            for raw in map(grid.line, range(first, min(behind, len(grid.ends))))
        ]
        tries = [_names(texts, delimiter) for delimiter in DELIMITERS]
        used = max(tried[3] for tried in tries) == len(texts)
        if used and not lines.ended and len(grid.ends) < behind and len(data) < most:
            continue  # not all of the header and the next record may be known yet
        if len(grid.line(first)) > limits.record:
            raise UnreadableFile(f"the first line is longer than {limits.record >> 20} MiB")
        names, count, _, _, delimiter = max(tries, key=lambda tried: _rank(tried, columns))
        if fault := unfit(grid.line(first, first + count - 1)):
            raise UnreadableFile(f"the file is no text: {fault} in line {lines.line + first}")
        if columns and len(names) < 2 and not {*names} & {*columns}:
            raise UnreadableFile("the file is not CSV: its first line names none of the columns")
        lines.advance(int(grid.ends[first + count - 1]), first + count)
        return names, delimiter
    raise UnreadableFile("the file is empty; it needs a header and rows")


_Try = tuple[list[str], int, int, int, str]
"""Names, their lines, fields of the next record, lines of both, delimiter."""


def _names(lines: list[str], delimiter: str) -> _Try:
    """The header by this delimiter; no names when it is none."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        names, count = [name.strip() for name in next(reader)], reader.line_num
    except csv.Error:
        return [], 1, 0, reader.line_num, delimiter
    below = 0
    with suppress(csv.Error):
        below = len(next(reader, ()))
    return names, count, below, reader.line_num, delimiter


def _rank(tried: _Try, columns: Collection[str] | None) -> tuple[int, ...]:
    names, _, below, *_ = tried
    return (len({*names} & {*columns}),) if columns else (below == len(names), len(names))


class Delimited:
    """The records behind the header."""

    def __init__(
        self,
        lines: Lines,
        header: list[str],
        delimiter: str,
        kinds: Mapping[str, Kind] | None,
        limits: Limits,
    ) -> None:
        self.lines = lines
        self._form = Form(delimiter, len(header), limits)
        self._typing = Typing(header, kinds, delimiter)

    def blocks(self) -> Iterator[Block]:
        """Blocks of some ``Limits.block`` bytes."""
        for records in self._records():
            yield self._block(records)

    def texts(self) -> Iterator[bytes]:
        """The same, unparsed: whole records; ``lines`` stands behind what was given."""
        for records in self._records():
            yield records.grid.data[: records.size]

    def _records(self) -> Iterator[Records]:
        while data := self.lines.peek():
            records = self._form.records(data, self.lines.line, self.lines.ended)
            if records.size:
                self.lines.advance(records.size, records.lines)
                yield records

    def _block(self, records: Records) -> Block:
        misfits: list[tuple[int, int]] = []
        columns = self._typing.columns(records.mended, lambda *found: misfits.append(found))
        count = len(next(iter(columns.values()))) + len(misfits)
        plain = count == records.lines and not records.spans  # each line is a record
        firsts = np.arange(count) if plain else records.firsts()
        for record, fields in misfits:
            fault = misfit(fields, self._form.width)
            records.break_at(int(firsts[record]), fault, self._form.limits)
        records.broken.sort(key=lambda b: b.line)
        firsts = np.delete(firsts, [record for record, _ in misfits])
        return Block(
            columns, firsts + records.line, records.broken, lambda row: records.text(firsts[row])
        )
