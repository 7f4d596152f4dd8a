"""A large file → pieces that begin at record boundaries, each to be read alone.

Quoted newlines and gzip allow no blind byte ranges, so the file is read once, in sequence, and
unparsed. The pieces' blocks, one after the other, hold the rows, lines and broken records that one
pass over the file would give.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO

from driftloop.reading.limits import LIMITS, Limits
from driftloop.reading.parquet_rows import ParquetRows
from driftloop.reading.source import Kinds, no_rows, open_source


@dataclass(frozen=True)
class Cut:
    """Piece ``number`` (from 0) of a file; its first line (Parquet: row) is number ``line``.

    It is the bytes ``start`` to ``end`` of the file, or, of a gzip file, its own ``data`` (gzip),
    or, of a Parquet file, some ``row_groups``.
    """

    number: int
    line: int
    shape: dict[str, Any]
    start: int | None = None
    end: int | None = None
    row_groups: list[int] | None = None
    data: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """All but ``data``: what ``open_piece`` wants to know."""
        return {name: value for name, value in asdict(self).items() if name != "data"}


def cut(
    stream: BinaryIO,
    kinds: Kinds,
    target_bytes: int,
    limits: Limits = LIMITS,
    others: bool = False,
) -> Iterator[Cut]:
    """Pieces of ``target_bytes`` of text or just more (Parquet: of unpacked row groups).

    Raises what ``open_source`` raises.
    """
    bounds = replace(limits, block=min(limits.block, target_bytes))
    source = open_source(stream, kinds, others, bounds)
    reader, shape = source.reader, source.shape
    if isinstance(reader, ParquetRows):
        if not reader.rows():
            raise no_rows(source.format)
        for number, (first, groups) in enumerate(reader.pieces(target_bytes)):
            yield Cut(number, first, shape, row_groups=groups)
        return
    seen, number, lines = False, 0, reader.lines
    begun, behind = (lines.line, lines.offset), lines.offset
    packed = _Packed() if source.packed else None
    for text in reader.texts():
        seen = seen or bool(text.strip(b"\r\n"))
        if packed:
            overlong = lines.offset - behind > len(text)  # its end was not shown
            packed.add(text + b"\n" if overlong else text)
        behind = lines.offset
        if lines.offset - begun[1] >= target_bytes:
            yield _piece(number, begun, lines.offset, shape, packed)
            number, begun = number + 1, (lines.line, lines.offset)
    if not seen:
        raise no_rows(source.format)
    if lines.offset > begun[1]:
        yield _piece(number, begun, lines.offset, shape, packed)


class _Packed:
    """Text of a piece, packed as it comes: little memory, and little work, for it is read once."""

    def __init__(self) -> None:
        self._open()

    def _open(self) -> None:
        self._data = io.BytesIO()
        self._gzip = gzip.GzipFile(fileobj=self._data, mode="wb", compresslevel=1, mtime=0)

    def add(self, text: bytes) -> None:
        """Whole lines."""
        self._gzip.write(text)

    def take(self) -> bytes:
        self._gzip.close()
        data = self._data.getvalue()
        self._open()
        return data


def _piece(
    number: int, begun: tuple[int, int], end: int, shape: dict[str, Any], packed: _Packed | None
) -> Cut:
    line, start = begun
    if packed:
        return Cut(number, line, shape, data=packed.take())
    return Cut(number, line, shape, start, end)
