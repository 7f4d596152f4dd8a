"""Where the columns of a Parquet file lie, and their pages, before any of them is unpacked.

What the footer says of sizes is the writer's word; memory is taken by what the page headers say.
Footer and headers are Thrift structs in the compact protocol, read here because pyarrow ends the
process over a damaged column chunk of the footer:
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from driftloop.errors import UnreadableFile

_BYTE_ARRAY = 6  # the physical type of texts
_HEADER = 64 * 1024  # bytes read for one header, which holds the page's least and greatest value
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12


@dataclass(frozen=True)
class Page:
    """``unpacked``: bytes; ``values``: how many it says it holds."""

    unpacked: int
    values: int
    dictionary: bool


@dataclass(frozen=True)
class Chunk:
    """A column of a row group: ``packed`` bytes from ``start`` on; ``texts``: whether its values
    are of any length."""

    column: str
    texts: bool
    start: int
    packed: int


def chunks(footer: bytes) -> list[list[Chunk]]:
    """The columns of each row group (FileMetaData). Raises UnreadableFile."""
    try:
        groups = _Header(footer).struct().get(4, [])
        return [[_chunk(column[3]) for column in group[1]] for group in groups]
    except (LookupError, TypeError, ValueError):
        raise UnreadableFile("the Parquet file is damaged: its footer ends amid a column") from None


def _chunk(meta: dict[int, Any]) -> Chunk:
    column = b".".join(meta[3]).decode()
    starts = (int(meta[9]), int(meta.get(11, 0)))
    return Chunk(column, meta[1] == _BYTE_ARRAY, min(at for at in starts if at), int(meta[7]))


def pages(stream: BinaryIO, start: int, size: int) -> Iterator[Page]:
    """The pages of the ``size`` bytes from ``start`` on. Raises UnreadableFile when these are
    none."""
    at = start
    while at < start + size:
        stream.seek(at)
        header = _Header(stream.read(min(_HEADER, start + size - at)))
        try:
            found = header.struct()
            inner = next((found[kind] for kind in (5, 7, 8) if kind in found), {1: 0})
            page = Page(int(found[2]), int(inner[1]), 7 in found)
            packed = int(found[3])
        except (LookupError, TypeError):
            raise UnreadableFile("the Parquet file is damaged: no page where one is due") from None
        if min(page.unpacked, page.values, packed) < 0:
            raise UnreadableFile("the Parquet file is damaged: a page without a size")
        yield page
        at += header.at + packed


class _Header:
    """Compact Thrift, read as far as sizes need: integers, texts, lists and structs are kept, all
    else is stepped over."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Field → value. Raises IndexError when the data ends before the struct."""
        if depth > 12:
            raise IndexError
        fields: dict[int, Any] = {}
        name = 0
        while head := self._byte():
            kind = head & 15
            name = name + (head >> 4) if head >> 4 else self._integer()
            value = self._value(kind, depth)
            if value is not None:
                fields[name] = value
        return fields

    def _value(self, kind: int, depth: int, inside: bool = False) -> Any:
        if kind in (_TRUE, _FALSE):
            self.at += inside
        elif kind == _BYTE:
            self.at += 1
        elif kind < _DOUBLE:
            return self._integer()
        elif kind == _DOUBLE:
            self.at += 8
        elif kind == _BINARY:
            length = self._varint()  # which moves on itself
            self.at += length
            return self._data[self.at - length : self.at]
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(head & 15, depth + 1, inside=True) for _ in range(count)]
        elif kind == _STRUCT:
            return self.struct(depth + 1)
        else:
            raise IndexError  # maps: PageHeader has none
        return None

    def _byte(self) -> int:
        value = self._data[self.at]
        self.at += 1
        return value

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
            if shift > 63:
                raise IndexError

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
