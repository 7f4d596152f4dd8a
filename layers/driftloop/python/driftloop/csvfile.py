"""A CSV file, record by record, with the line each record stands on and its own text.

What cannot be read at all raises UnreadableFile or WrongColumns; a record that cannot be read is
handed on as broken, and the file goes on behind it. Blank lines are no records. A record whose
quotes do not end well is cut at its first line, so that one stray quote costs one line, not the
rest of the file.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from driftloop.errors import UnreadableFile, WrongColumns

LARGEST = 64 * 1024 * 1024  # bytes of text; read whole, it takes some twenty times as much
DELIMITERS = ",;\t|"
_KNOWN = {b"PAR1": "Parquet", b"PK\x03\x04": "a zip archive", b"\x89PNG": "a picture",
          b"%PDF": "a PDF", b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text"}  # fmt: skip


@dataclass(frozen=True)
class Record:
    """``fields`` in the file's order, or None with the ``fault`` that broke the record."""

    line: int
    last: int
    fields: list[str] | None
    fault: str = ""


@dataclass(frozen=True)
class CsvFile:
    """An opened file: where each wanted column stands, and its physical lines."""

    lines: list[str]
    delimiter: str
    header: list[str]
    header_lines: int

    def text(self, record: Record) -> str:
        """The record as it stands in the file, without its line end."""
        return "".join(self.lines[record.line - 1 : record.last]).rstrip("\r\n")

    def records(self) -> Iterator[Record]:
        """Every record behind the header."""
        start = self.header_lines
        while start < len(self.lines):
            start = yield from self._read(start)

    def _read(self, start: int) -> Generator[Record, None, int]:
        """Records from ``lines[start]`` on, up to the end or to one whose quotes ran away over
        several lines; returns where to go on."""
        lines = map(self.lines.__getitem__, range(start, len(self.lines)))
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        done = start
        while True:
            first = done + 1
            try:
                fields = next(reader)
                width = len(self.header)
                fault = "" if len(fields) == width else f"{len(fields)} fields, not {width}"
            except StopIteration:
                return len(self.lines)
            except csv.Error as error:
                fields, fault = [""], str(error)
            done = start + reader.line_num
            if fault and fields:
                yield Record(first, first, None, fault)
                if done > first:
                    return first
            elif fields:
                yield Record(first, done, fields)


def open_csv(data: bytes, columns: Sequence[str], others: bool = False) -> CsvFile:
    """Decode ``data`` (CSV, plain or gzip, told apart by its bytes; UTF-8, BOM allowed).

    ``columns`` are those the header must name, in any order; with ``others`` it may name more. The
    delimiter is the one of ``, ; tab |`` that finds most of them. Raises UnreadableFile,
    WrongColumns.
    """
    text = _decode(_unpack(data))
    lines = list(io.StringIO(text, newline=""))
    start = 0
    while start < len(lines) and not lines[start].strip():
        start += 1
    if start == len(lines):
        raise UnreadableFile("the file is empty; it needs a header and rows")
    headers = [(_header(lines[start:], d), d) for d in DELIMITERS]
    (header, used), delimiter = max(headers, key=lambda h: len(set(h[0][0]) & set(columns)))
    _check_header(header, columns, others)
    if not any(line.strip() for line in lines[start + used :]):
        raise UnreadableFile("the file has a header and no rows")
    return CsvFile(lines, delimiter, header, start + used)


def _unpack(data: bytes) -> bytes:
    if not data:
        raise UnreadableFile("the file is empty (0 bytes)")
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableFile(f"the gzip file is damaged: {error}") from None
    if len(data) > LARGEST:
        raise UnreadableFile(f"the file holds more than {LARGEST >> 20} MiB of text; split it")
    return data


def _decode(data: bytes) -> str:
    for magic, what in _KNOWN.items():
        if data.startswith(magic):
            raise UnreadableFile(f"the file is {what}; a CSV file in UTF-8 is needed")
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise UnreadableFile(f"the file is binary: a NUL byte in line {line}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"the file is not UTF-8: byte 0x{data[error.start]:02x} in line {line}"
        ) from None


def _header(lines: list[str], delimiter: str) -> tuple[list[str], int]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        return [name.strip() for name in next(reader)], reader.line_num
    except (csv.Error, StopIteration):
        return [], 1


def _check_header(header: list[str], columns: Sequence[str], others: bool) -> None:
    """Raises WrongColumns naming each column that is missing, unknown or doubled; UnreadableFile
    when nothing in the first line looks like one of them."""
    doubled = [name for name, count in Counter(header).items() if count > 1]
    missing = [name for name in columns if name not in header]
    unknown = [name for name in header if name not in columns and not others]
    if len(missing) == len(columns) and len(header) < 2:
        raise UnreadableFile("the file is not CSV: its first line names none of the columns")
    mistakes = [
        f"{what} {', '.join(map(repr, names[:20]))}{' …' if len(names) > 20 else ''}"
        for what, names in (("missing", missing), ("unknown", unknown), ("doubled", doubled))
        if names
    ]
    if mistakes:
        raise WrongColumns(f"columns: {'; '.join(mistakes)}. Expected: {', '.join(columns)}")
