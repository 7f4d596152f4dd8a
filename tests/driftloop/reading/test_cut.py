"""Pieces: read one after the other, they are the file read in one pass."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import DataError, UnreadableFile
from driftloop.reading import Block, Limits, cut, open_piece, open_source
from tests.driftloop.reading.definition import Slow, plain, values_of
from tests.driftloop.reading.test_delimited import BOUNDS, FILES, HEADER, KINDS
from tests.driftloop.reading.test_jsonlines import LINES


def pieces(data: bytes, target: int, limits: Limits) -> list[Block]:
    """Blocks of each piece, opened from what a machine elsewhere would hold of it."""
    stream: Any = io.BytesIO(data) if data.startswith(b"PAR1") else Slow(data)
    found: list[Block] = []
    for number, piece in enumerate(cut(stream, KINDS, target, limits)):
        told = json.loads(json.dumps(piece.to_json()))
        assert told["number"] == number
        part = piece.data or data[piece.start : piece.end]
        found += open_piece(io.BytesIO(part), told, KINDS, limits).blocks()
    return found


def said(blocks: list[Block]) -> tuple[Any, ...]:
    """Values, rows and broken records of all blocks, however they are blocked."""
    values = [
        plain(value, kind)
        for name, kind in KINDS.items()
        for block in blocks
        for value in values_of(block.columns[name])
    ]
    rows = [(n, b.text(i)) for b in blocks for i, n in enumerate(b.lines.tolist())]
    return values, rows, [broken for block in blocks for broken in block.broken]


def check(data: bytes, target: int, limits: Limits) -> None:
    stream: Any = io.BytesIO(data) if data.startswith(b"PAR1") else Slow(data)
    try:
        whole = list(open_source(stream, KINDS, limits=limits).blocks())
    except DataError as error:
        with pytest.raises(type(error)) as again:
            pieces(data, target, limits)
        assert str(again.value) == str(error)
    else:
        assert said(pieces(data, target, limits)) == said(whole)


TARGETS = st.sampled_from([1, 10, 50, 300, 1 << 20])


@settings(max_examples=400, deadline=None)
@given(FILES, BOUNDS, TARGETS, st.booleans(), st.booleans())
def test_pieces_of_csv(body: bytes, limits: Limits, target: int, mark: bool, packed: bool) -> None:
    data = b"\xef\xbb\xbf" * mark + HEADER + body
    check(gzip.compress(data) if packed else data, target, limits)


@settings(max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=20), BOUNDS, TARGETS, st.booleans())
def test_pieces_of_json_lines(
    lines: list[bytes], limits: Limits, target: int, packed: bool
) -> None:
    data = b"\n".join([b'{"n": 1}', *lines])
    check(gzip.compress(data) if packed else data, target, limits)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 30), st.integers(1, 9), st.integers(1, 9), TARGETS)
def test_pieces_of_parquet(rows: int, group: int, block: int, target: int) -> None:
    columns = {"n": pa.array(range(rows), pa.int8()), "c": [str(i) for i in range(rows)],
               "t": pa.array(range(rows), pa.timestamp("s"))}  # fmt: skip
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data, row_group_size=group)
    check(data.getvalue(), target, Limits(rows=block))


def test_pieces_are_of_the_size_asked_for() -> None:
    data = HEADER + b"".join(b"%d,a,2013-01-05\n" % i for i in range(100_000))
    for stream, packed in ((data, False), (gzip.compress(data), True)):
        found = list(cut(io.BytesIO(stream), KINDS, 300_000, Limits(block=50_000)))
        assert len(found) == 6
        if packed:
            texts = [gzip.decompress(piece.data or b"") for piece in found]
        else:
            texts = [data[piece.start : piece.end] for piece in found]
        assert HEADER + b"".join(texts) == data
        assert all(300_000 <= len(text) < 350_100 for text in texts[:-1])


def test_pieces_of_a_gzip_file_are_the_same_bytes_each_time() -> None:
    data = gzip.compress(HEADER + b"1,a,2013-01-05\n" * 1000)
    first, second = (list(cut(io.BytesIO(data), KINDS, 2000)) for _ in range(2))
    assert first == second


def test_a_piece_of_our_own_packing_is_no_bomb() -> None:
    data = gzip.compress(HEADER + b"1,a,2013-01-05\n" * 100_000)
    limits = Limits(spared=1000, ratio=10_000)
    (piece,) = cut(io.BytesIO(data), KINDS, 1 << 30, limits)
    blocks = open_piece(
        io.BytesIO(piece.data or b""), piece.to_json(), KINDS, replace(limits, ratio=1)
    ).blocks()
    assert sum(map(len, blocks)) == 100_000


def test_a_file_without_rows_is_refused_before_it_is_cut() -> None:
    with pytest.raises(UnreadableFile, match="no rows"):
        list(cut(io.BytesIO(HEADER + b"\n\r\n"), KINDS, 100))
