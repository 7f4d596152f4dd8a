"""A data file of any format that is read, opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Literal

from driftloop.data.rows import Kind
from driftloop.errors import UnreadableFile, WrongColumns
from driftloop.reading.block import Block
from driftloop.reading.columns import check_columns, listed
from driftloop.reading.delimited import Delimited, read_header
from driftloop.reading.jsonlines import JsonLines, read_names
from driftloop.reading.limits import LIMITS, Limits
from driftloop.reading.lines import Lines
from driftloop.reading.parquet_rows import ParquetRows
from driftloop.reading.unpack import (
    BOM,
    GZIP,
    HEAD,
    PARQUET,
    Plain,
    Readable,
    Unpacked,
    refuse_foreign,
)

Kinds = Mapping[str, Kind] | None
Reader = Delimited | JsonLines | ParquetRows


@dataclass(frozen=True)
class Source:
    """``header``: the columns the file names (JSON Lines: those of its first objects). ``shape``:
    JSON, all that a piece of the file needs to be read alone. ``packed``: it is gzip."""

    format: Literal["csv", "jsonl", "parquet"]
    header: list[str]
    shape: dict[str, Any]
    reader: Reader
    packed: bool = False
    whole: bool = True

    def blocks(self) -> Iterator[Block]:
        """All rows, once. May raise UnreadableFile, TooLarge on the way."""
        rows = 0
        for block in self.reader.blocks():
            rows += len(block) + len(block.broken)
            yield block
        if self.whole and not rows:
            raise no_rows(self.format)


def no_rows(form: str) -> UnreadableFile:
    """Why a file without rows is refused."""
    return UnreadableFile(f"the file has {'a header' if form == 'csv' else 'columns'} and no rows")


def open_source(
    stream: BinaryIO, kinds: Kinds, others: bool = False, limits: Limits = LIMITS
) -> Source:
    """Open CSV, JSON Lines (plain or gzip, UTF-8) or Parquet, told apart by their bytes.

    ``stream``: read in sequence; seekable for Parquet. ``kinds``: the columns wanted; None wants
    each one, raw (CSV: text; Parquet: its own kind). ``others``: further columns are allowed, and
    dropped. Raises UnreadableFile, WrongColumns, TooLarge.
    """
    head = _head(stream)
    text: Readable = Plain(head, stream)
    packed = head.startswith(GZIP)
    if packed:
        text = Unpacked(text, limits)
        head = _head(text)
        text = Plain(head, text)
    if not head:
        raise UnreadableFile("the file is empty (0 bytes)")
    if packed and head.startswith((GZIP, PARQUET)):
        raise UnreadableFile("the gzip file holds another packed file; unpack it once")
    if head.startswith(PARQUET):
        return _parquet(stream, kinds, others, limits)
    refuse_foreign(head)
    skipped = len(text.read(len(BOM))) if head.startswith(BOM) else 0
    if head[skipped:].lstrip().startswith(b"{"):
        lines = Lines(text, limits, returns=False, offset=skipped)
        header = read_names(lines, limits)
        if kinds and not {*header} & {*kinds}:
            raise WrongColumns(f"no field of the first objects is one of {listed([*kinds])}")
        shape = {"format": "jsonl", "header": header, "others": others}
        reader = JsonLines(lines, header, kinds, others, limits)
        return Source("jsonl", header, shape, reader, packed)
    lines = Lines(text, limits, returns=True, offset=skipped)
    header, delimiter = read_header(lines, limits, kinds)
    check_columns(header, kinds, others, limits)
    shape = {"format": "csv", "header": header, "delimiter": delimiter}
    return Source("csv", header, shape, Delimited(lines, header, delimiter, kinds, limits), packed)


def open_piece(
    stream: BinaryIO, piece: Mapping[str, Any], kinds: Kinds, limits: Limits = LIMITS
) -> Source:
    """Open a piece (``Cut.to_json``) of a file that was opened before: ``stream`` holds the bytes
    from ``start`` to ``end`` of the file, or the piece's own ``data``, or the whole Parquet file.

    Lines are those of the file. Columns the spec does not want are dropped: the cutter has seen
    the header.
    """
    shape, line = piece["shape"], piece["line"]
    header = shape["header"]
    if shape["format"] == "parquet":
        rows = ParquetRows(stream, limits)
        rows.choose(kinds, piece["row_groups"], line)
        return Source("parquet", header, shape, rows, whole=False)
    text: Readable = stream
    if piece["start"] is None:
        text = Unpacked(Plain(b"", stream), replace(limits, ratio=limits.text))  # we packed it
    lines = Lines(text, limits, shape["format"] == "csv", line, piece["start"] or 0)
    if shape["format"] == "jsonl":
        objects = JsonLines(lines, header, kinds, shape["others"], limits)
        return Source("jsonl", header, shape, objects, whole=False)
    records = Delimited(lines, header, shape["delimiter"], kinds, limits)
    return Source("csv", header, shape, records, whole=False)


def _parquet(stream: BinaryIO, kinds: Kinds, others: bool, limits: Limits) -> Source:
    rows = ParquetRows(stream, limits)
    check_columns(rows.header, kinds, others, limits)
    rows.choose(kinds)
    return Source("parquet", rows.header, {"format": "parquet", "header": rows.header}, rows)


def _head(stream: Readable) -> bytes:
    head = b""
    while len(head) < HEAD and (more := stream.read(HEAD - len(head))):
        head += more
    return head
