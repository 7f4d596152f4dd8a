"""Where the records of a CSV file stand: its definition, and its short cut.

Definition: a record is as many fields as the header has, split by the delimiter, up to a line end.
A field in quotes may hold anything, quotes doubled; one without may not begin with a quote. Where
no such record of at most ``Limits.record`` bytes and ``record_lines`` lines begins, the line is
broken and reading goes on behind it, so that one stray quote costs one line. Blank lines are no
records. A record that is not UTF-8, or holds a NUL byte, is broken with all its lines. (This is
what Python's csv reads, strict, record by record.)

Short cut: a line that is UTF-8, of bounded length and whose quotes, if any, open behind a delimiter
and close before one, all on this line, is a record all by itself (or of the wrong width), whatever
stands around it. Only the other lines are looked at one by one. What is not broken, an Arrow parser
then reads alike.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from driftloop.reading.block import TEXT, Broken, shown
from driftloop.reading.limits import Limits

Ints = npt.NDArray[np.int64]
_STEP = 65_536
_STRIDE = 128 * 1024  # bytes
_LF, _CR, _QUOTE = 10, 13, 34


@dataclass(frozen=True)
class Grid:
    """The physical lines of some bytes: where each starts, and where the next one does."""

    data: bytes

    @cached_property
    def ends(self) -> Ints:
        """Behind each line's end."""
        raw = np.frombuffer(self.data, dtype=np.uint8)
        last = raw == _LF
        if b"\r" in self.data:
            last[:-1] |= (raw[:-1] == _CR) & (raw[1:] != _LF)
        last[-1:] = True
        return np.flatnonzero(last) + 1

    @cached_property
    def starts(self) -> Ints:
        return np.concatenate([[0], self.ends[:-1]])

    def line(self, first: int, last: int | None = None) -> bytes:
        """Lines ``first`` to ``last``, counted from 0."""
        return self.data[self.starts[first] : self.ends[first if last is None else last]]


@dataclass
class Records:
    """The records of some lines.

    ``size``, ``lines``: bytes and lines that are done; the rest wants more to be known.
    ``mended``: the same records as CSV that Arrow reads alike, but for ``broken`` ones.
    """

    grid: Grid
    line: int
    size: int
    lines: int
    mended: bytes
    broken: list[Broken] = field(default_factory=list)
    spans: dict[int, int] = field(default_factory=dict)  # of records on several lines: first → last
    gone: list[tuple[int, int]] = field(default_factory=list)  # lines that begin no record

    def firsts(self) -> Ints:
        """The line, from 0 in ``grid``, of every record in ``mended``."""
        raw = np.frombuffer(self.grid.data, dtype=np.uint8)[self.grid.starts]
        begins = (raw != _LF) & (raw != _CR)  # nothing before its end: a blank line
        for first, behind in self.gone:
            begins[first:behind] = False
        return np.flatnonzero(begins[: self.lines])

    def text(self, first: int) -> str:
        """The record that begins on line ``first`` of the grid."""
        return shown(self.grid.line(first, self.spans.get(first)))

    def break_at(self, first: int, fault: str, limits: Limits) -> None:
        """The record there is broken."""
        raw = self.grid.line(first, self.spans.get(first))[: min(TEXT, limits.record)]
        self.broken.append(Broken(self.line + first, shown(raw), fault))


@dataclass(frozen=True)
class Form:
    """How to read: ``width`` fields, split by ``delimiter``."""

    delimiter: str
    width: int
    limits: Limits

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """A whole record, and one that ends within quotes."""
        sign = re.escape(self.delimiter).encode()
        quoted = rb'"[^"]*+(?:""[^"]*+)*+'
        value = rb'(?:%b"|(?!")[^%b\r\n]*+)' % (quoted, sign)
        most = self.width - 1
        return (
            re.compile(rb"(?:%b%b){%d}+%b(?:\r\n|\r|\n|\Z)" % (value, sign, most, value)),
            re.compile(rb"(?:%b%b){0,%d}+%b" % (value, sign, most, quoted)),
        )

    def records(self, data: bytes, line: int, ended: bool) -> Records:
        """All records of whole lines, of which the first is number ``line``. Unless ``ended``,
        a record that is open at the end is left for the next time."""
        grid = Grid(data)
        if self._simple(data):
            lines = data.count(b"\n") + (not data.endswith(b"\n"))
            return Records(grid, line, len(data), lines, data)
        done = Records(grid, line, len(data), len(grid.ends), data)
        parts: list[bytes] = []
        at = sound = 0  # the line, and the byte, behind what is done
        for first in self._odd_lines(grid).tolist():
            if first < at:
                continue
            behind, fault = self._read(grid, first, ended)
            if not behind:
                done.size, done.lines = int(grid.starts[first]), first
                break
            done.spans[first] = behind - 1
            done.gone.append((first if fault else first + 1, behind))
            if fault:
                done.break_at(first, fault, self.limits)
                parts.append(data[sound : grid.starts[first]])
                sound = int(grid.ends[behind - 1])
            at = behind
        parts.append(data[sound : done.size])
        done.mended = b"".join(parts)
        return done

    def _read(self, grid: Grid, first: int, ended: bool) -> tuple[int, str]:
        """One record, by the definition: the line behind it (0: not known yet), and why it is
        broken, or nothing."""
        data, start, bounds = grid.data, int(grid.starts[first]), self.limits
        stop = min(len(data), start + bounds.record)
        whole, open_ended = self._patterns
        if match := whole.match(data, start, stop):
            behind = int(np.searchsorted(grid.ends, match.end())) + 1
            known = grid.ends[behind - 1] == match.end()  # else it is cut by its bound
            if known and behind - first <= bounds.record_lines:
                return behind, unfit(grid.line(first, behind - 1))
        elif (
            not ended
            and stop == len(data)
            and len(grid.ends) - first <= bounds.record_lines
            and open_ended.fullmatch(data, start, stop)
        ):
            return 0, ""
        line = grid.line(first)
        if len(line) > bounds.record:
            return first + 1, f"over {bounds.record:,} bytes"
        try:
            (fields,) = csv.reader(
                [line.decode("utf-8", "replace")], delimiter=self.delimiter, strict=True
            )
        except csv.Error as error:
            return first + 1, str(error)
        return first + 1, misfit(len(fields), self.width)

    def _simple(self, data: bytes) -> bool:
        """Whether every line is told to be plain without a look at each."""
        step = min(_STEP, self.limits.record // 2)
        return (
            b'"' not in data
            and b"\0" not in data
            and (b"\r" not in data or data.count(b"\r") == data.count(b"\r\n"))
            and all(data.find(b"\n", at, at + step) >= 0 for at in range(0, len(data), step))
            and _is_text(data)
        )

    def _odd_lines(self, grid: Grid) -> Ints:
        """Lines that are not plain, looked at in strides that stay in the processor's cache."""
        strides = np.searchsorted(grid.ends, np.arange(0, len(grid.data), _STRIDE), side="right")
        borders = [*np.unique(strides).tolist(), len(grid.ends)]
        found = [
            self._odd(grid.data[grid.starts[first] : grid.ends[last - 1]], ends) + first
            for first, last in pairwise(borders)
            for ends in [grid.ends[first:last] - grid.starts[first]]
        ]
        return np.concatenate(found)

    def _odd(self, data: bytes, ends: Ints) -> Ints:
        """Which of the lines that end before ``ends`` are not plain."""
        raw = np.frombuffer(b"\n" + data + b"\n", dtype=np.uint8)
        odd = np.diff(ends, prepend=0) > self.limits.record
        quotes = np.flatnonzero(raw == _QUOTE)
        seen = np.concatenate([[0], np.searchsorted(quotes, ends + 1)])  # quotes before each line
        uneven = np.diff(seen) & 1
        odd |= uneven.astype(bool)
        beside = np.ones(len(quotes), dtype=np.int64)  # a border stands behind one that closes,
        beside[::2] = -1  # and before one that opens
        if uneven.any():
            beside *= 1 - 2 * np.repeat(seen[:-1] & 1, np.diff(seen))  # counted from its line on
        borders = np.zeros(256, dtype=bool)
        borders[[_LF, _CR, _QUOTE, ord(self.delimiter)]] = True
        stray = np.flatnonzero(~borders[raw[quotes + beside]])
        odd[np.searchsorted(seen, stray, side="right") - 1] = True
        if b"\0" in data:
            odd[np.searchsorted(ends, np.flatnonzero(raw == 0) - 1, side="right")] = True
        if not _is_text(data):
            high = np.searchsorted(ends, np.flatnonzero(raw >= 128) - 1, side="right")
            grid = Grid(data)
            odd[[at for at in np.unique(high).tolist() if not _is_text(grid.line(at))]] = True
        return np.flatnonzero(odd)


def misfit(found: int, width: int) -> str:
    """The fault of a record with ``found`` fields."""
    return f"{found} fields, not {width}"


def unfit(raw: bytes) -> str:
    """Why these bytes are no text; empty when they are."""
    if b"\0" in raw:
        return "a NUL byte"
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte 0x{raw[error.start]:02x}"
    return ""


def _is_text(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False
