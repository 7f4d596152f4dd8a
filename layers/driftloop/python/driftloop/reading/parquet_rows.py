"""Parquet: row groups in small batches, with its own types mapped to the three kinds.

Numbers, decimals and booleans are ``number``; strings, dictionaries and enums are ``text``; dates
and timestamps (without a zone: UTC) are ``time``. A column of another kind than wanted is handed on
as JSON values: the contract says what it thinks of them. Nothing of the file's own counts is
trusted with memory (see parquet_pages).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftloop.data.rows import Kind
from driftloop.errors import TooLarge, UnreadableFile
from driftloop.reading.arrow_types import NUMBER, TEXT, TIME, sound
from driftloop.reading.block import TEXT as LONGEST
from driftloop.reading.block import Block, Broken
from driftloop.reading.limits import Limits
from driftloop.reading.parquet_pages import chunks, pages
from driftloop.reading.parquet_texts import parted

_BUFFER = 1 << 20  # bytes read at once from each column
_MANY = 4096  # words of a dictionary, beyond which it is written out
_WRITTEN = 64 << 20  # bytes, if every row held the longest word


class ParquetRows:
    """An open file. Raises UnreadableFile, TooLarge."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._size = stream.seek(0, 2)
        stream.seek(max(0, self._size - 8))
        tail = stream.read(8)
        if tail[4:] != b"PAR1" or self._size < 12:
            raise UnreadableFile("the Parquet file is cut off: its end is missing")
        length = int.from_bytes(tail[:4], "little")
        if length > limits.footer:
            raise TooLarge(f"the Parquet file's footer is over {limits.footer >> 20} MiB")
        stream.seek(max(0, self._size - 8 - length))
        footer = stream.read(length)
        self._file = self._open([])
        self.header: list[str] = list(self._file.schema_arrow.names)
        meta = self._file.metadata
        self._groups = [meta.row_group(at) for at in range(meta.num_row_groups)]
        self._chunks = chunks(footer)

    def _open(self, coded: list[str]) -> Any:
        """``coded``: columns whose texts stay a dictionary."""
        try:
            return pq.ParquetFile(
                self._stream, read_dictionary=coded, buffer_size=_BUFFER, pre_buffer=False
            )
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(error) from None

    def choose(
        self, kinds: Mapping[str, Kind] | None, groups: Sequence[int] | None = None, first: int = 1
    ) -> None:
        """What ``blocks`` gives: columns (None: each one, by its own kind), of some row groups
        (None: all), of which the first row has number ``first``.

        Raises UnreadableFile for a column that is nested, TooLarge when rows × columns are out of
        all proportion to the file.
        """
        self._kinds = kinds
        self._chosen = range(len(self._groups)) if groups is None else groups
        self._first = first
        self._names = [name for name in self.header if kinds is None or name in kinds]
        schema, limits = self._file.schema_arrow, self._limits
        nested = [
            f"{name!r} ({schema.field(name).type})"[:100]
            for name in self._names
            if _own_kind(schema.field(name).type) is None
        ]
        if nested:
            raise UnreadableFile(
                f"columns of a type that is no number, text or time: {', '.join(nested[:20])}"
            )
        rows, columns = self.rows(), len(self._names)
        if rows * columns * 8 > limits.spared + limits.parquet_ratio * self._size:
            raise TooLarge(
                f"the Parquet file says it holds {rows:,} rows × {columns} columns in "
                f"{self._size:,} bytes, over {limits.parquet_ratio:,} times its size; if it is no "
                "bomb, upload it in smaller files"
            )

    def rows(self, groups: Sequence[int] | None = None) -> int:
        """Rows of some row groups (the chosen ones), as the file says."""
        groups = self._chosen if groups is None else groups
        return sum(self._groups[group].num_rows for group in groups)

    def pieces(self, size: int) -> Iterator[tuple[int, list[int]]]:
        """The chosen row groups in turns of ``size`` unpacked bytes (a cell is eight, at
        least) or just more, each with the number of its first row."""
        first, turn, held = self._first, [], 0
        for group in self._chosen:
            turn.append(group)
            meta = self._groups[group]  # in which what repeats is folded
            held += max(meta.total_byte_size, 8 * meta.num_rows * len(self._names))
            if held >= size or group == self._chosen[-1]:
                yield first, turn
                first, turn, held = first + self.rows(turn), [], 0

    def blocks(self) -> Iterator[Block]:
        """Blocks of up to ``Limits.rows`` rows. Raises UnreadableFile, TooLarge on the way."""
        first = self._first
        for group in self._chosen:
            try:
                yield from self._blocks(group, first, *self._room(group))
            except (pa.ArrowException, OSError, ValueError) as error:  # no UTF-8, no such place
                raise _damaged(error) from None
            first += self._groups[group].num_rows

    def _blocks(self, group: int, first: int, rows: int, coded: list[str]) -> Iterator[Block]:
        kinds = self._kinds
        file = self._open(coded) if coded else self._file
        for batch in file.iter_batches(
            rows, row_groups=[group], columns=self._names, use_threads=False
        ):
            sound, shown = parted(batch)
            lines = np.arange(first, first + len(batch), dtype=np.int64)
            first += len(batch)
            broken = [
                Broken(int(lines[row]), _Texts(shown)(row)[:LONGEST], "not UTF-8")
                for row in np.flatnonzero(~sound).tolist()
            ]
            if broken:
                batch, lines = batch.filter(pa.array(sound)), lines[sound]
            columns = {
                n: _column(batch.column(n), kinds[n] if kinds else None) for n in self._names
            }
            yield Block(columns, lines, broken, _Texts(batch))

    def _room(self, group: int) -> tuple[int, list[str]]:
        """Rows to unpack at once, and the columns whose texts must stay a dictionary meanwhile,
        so that no page's word takes more than ``Limits.pages``; told before one is unpacked."""
        most = self._limits.pages
        at_once, dense, coded = 0, 0.0, []
        for chunk in self._chunks[group]:
            if chunk.column not in self._names:
                continue
            found = list(pages(self._stream, chunk.start, chunk.packed))
            words = sum(page.unpacked for page in found if page.dictionary)
            if chunk.texts and words * self._limits.rows * len(self._names) > most:
                coded.append(chunk.column)  # written out, every row might be its longest word
                at_once += sum(page.unpacked for page in found)
            else:
                at_once += max((page.unpacked for page in found), default=0)
                rest = [page for page in found if not page.dictionary]
                dense += max((page.unpacked / max(1, page.values) for page in rest), default=0)
        if at_once > most:
            raise TooLarge(
                f"row group {group} of the Parquet file unpacks {at_once >> 20:,} MiB at once; at "
                f"most {most >> 20}. Write it with smaller row groups and pages"
            )
        return max(1, min(self._limits.rows, int(most / max(dense, 1)))), coded


class _Texts:
    """Rows of a batch as JSON that reads back as the same row: what is no number is null, booleans
    are 0 and 1."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __call__(self, row: int) -> str:
        columns = zip(self._batch.schema.names, self._batch.slice(row, 1).columns, strict=True)
        values = {name: _values(_json(column))[0] for name, column in columns}
        plain = {name: None if v != v else int(v) if isinstance(v, bool) else v
                 for name, v in values.items()}  # fmt: skip
        return json.dumps(plain, ensure_ascii=False)


def _damaged(error: Exception) -> UnreadableFile:
    return UnreadableFile(f"the Parquet file is damaged: {str(error).splitlines()[0][:300]}")


def _own_kind(kind: Any) -> Kind | None:
    t = pa.types
    if t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind) or t.is_boolean(kind):
        return "number"
    if t.is_string(kind) or t.is_large_string(kind) or t.is_string_view(kind) or t.is_null(kind):
        return "text"
    if t.is_dictionary(kind):
        return _own_kind(kind.value_type)
    return "time" if t.is_date(kind) or t.is_timestamp(kind) else None


def _column(column: Any, kind: Kind | None) -> Any:
    """A column as its kind; as JSON values when it is of another one, or cannot be it."""
    own = _own_kind(column.type)
    if pa.types.is_dictionary(column.type) and own != "text":
        column = column.dictionary_decode()
    if own == "text":
        return _texts(column)
    if own == "number" and (kind or own) == "number":
        numbers = column.cast(NUMBER, safe=False)
        numbers = sound(pc.if_else(pc.is_nan(numbers), pa.scalar(None, NUMBER), numbers))
        return _json(column) if numbers is None else numbers
    if own == "time" and (kind or own) == "time":
        times = _times(column)
        return _json(column) if times is None else times
    return _json(column)


def _times(column: Any) -> Any | None:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = pc.floor_temporal(column, unit="microsecond")
    try:
        return sound(column.cast(pa.timestamp("us")).cast(TIME))
    except pa.ArrowInvalid:  # beyond what 64 bits of microseconds hold
        return None


def _texts(column: Any) -> Any:
    """Strings; a dictionary where it is small, or holds what would be too long written out."""
    if not pa.types.is_dictionary(column.type):
        return column.cast(TEXT)
    words = column.dictionary.cast(TEXT)
    longest = pc.max(pc.binary_length(words)).as_py() or 0
    if len(words) > _MANY and longest * len(column) < _WRITTEN:
        return column.cast(TEXT)
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), words)


def _json(column: Any) -> Any:
    """JSON values: numbers as they are, what JSON has not as text."""
    numbers = not pa.types.is_decimal(column.type) and _own_kind(column.type) == "number"
    return column.to_pylist() if numbers else column.cast(TEXT)


def _values(column: Any) -> list[Any]:
    return list(column) if isinstance(column, list) else list(column.to_pylist())
