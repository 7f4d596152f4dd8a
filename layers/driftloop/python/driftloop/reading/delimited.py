"""CSV: a header, then records."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

import numpy as np

from driftloop.errors import UnreadableFile
from driftloop.reading.block import Block
from driftloop.reading.delimited_records import Form, Grid, More, Records, misfit, unfit
from driftloop.reading.delimited_types import Typing
from driftloop.reading.limits import Limits
from driftloop.reading.lines import Lines
from driftloop.rows import Kind

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
        try:
            tries = [_names(grid, first, lines.ended, sign, limits) for sign in DELIMITERS]
        except More:
            continue
        names, _, behind, delimiter = max(
            tries,
            key=lambda t: len({*t[0]} & {*columns}) if columns else (t[1] == len(t[0]), len(t[0])),
        )
        if len(grid.line(first)) > limits.record:
            raise UnreadableFile(f"the first line is longer than {limits.record >> 20} MiB")
        if fault := unfit(grid.line(first, behind - 1)):
            raise UnreadableFile(f"the file is no text: {fault} in line {lines.line + first}")
        if columns and len(names) < 2 and not {*names} & {*columns}:
            raise UnreadableFile("the file is not CSV: its first line names none of the columns")
        lines.advance(int(grid.ends[behind - 1]), behind)
        return names, delimiter
    raise UnreadableFile("the file is empty; it needs a header and rows")


def _names(
    grid: Grid, first: int, ended: bool, delimiter: str, limits: Limits
) -> tuple[list[str], int, int, str]:
    """Names of the header by this delimiter, fields of the record below, the line behind."""
    form = Form(delimiter, 0, limits)
    try:
        behind, names = form.fields(grid, first, ended)
    except csv.Error:
        return [], 0, first + 1, delimiter
    below = 0
    if behind < len(grid.ends):
        with suppress(csv.Error):
            below = len(form.fields(grid, behind, ended)[1])
    return [name.strip() for name in names], below, behind, delimiter


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
