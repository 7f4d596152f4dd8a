"""The format is told by the bytes, and what would unpack without end is stopped."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest

from driftloop.errors import TooLarge, UnreadableFile
from driftloop.reading import Limits, open_source
from tests.driftloop.reading.definition import Slow

KINDS: dict[str, Any] = {"n": "number", "c": "text"}
CSV = b"n,c\n1,a\n"


def zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("a.csv", CSV)
    return data.getvalue()


def array() -> bytes:
    data = io.BytesIO()
    np.save(data, np.zeros(3))
    return data.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (zipped(), "zip archive or an Excel workbook; save its table as CSV"),
        (CSV.decode().encode("utf-16"), "UTF-16 text; save it as UTF-8"),
        (b"\x89PNG\r\n", "a picture"),
        (b"%PDF-1.7", "a PDF"),
        (pickle.dumps({"a": [1]}), "a Python pickle, which is never opened"),
        (b"SQLite format 3\0", "SQLite"),
        (array(), "NumPy"),
        (b"ARROW1\0\0", "Arrow"),
        (b"Obj\x01", "Avro"),
        (b"BZh91AY", "packed by something else than gzip"),
        (b" \n[\n {", "one JSON array; write JSON Lines"),
        (b"<!DOCTYPE html>", "XML or HTML"),
        (
            gzip.compress(gzip.compress(CSV, mtime=0), mtime=0),
            "another packed file; unpack it once",
        ),
        (gzip.compress(b"PAR1" * 9, mtime=0), "another packed file"),
        (gzip.compress(CSV, mtime=0)[:-9], "the gzip file is damaged"),
        (gzip.compress(CSV, mtime=0)[:20] + b"\xff" * 9, "the gzip file is damaged"),
        (gzip.compress(CSV, mtime=0) + b"rubbish", "the gzip file is damaged"),
        (bytes(range(256)) * 20, "no text: a NUL byte in line 1"),
    ],
)
def test_a_file_of_another_format_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(UnreadableFile, match=words):
        list(open_source(Slow(data, 100), KINDS).blocks())


@pytest.mark.parametrize("level", [6, 9])
def test_a_gzip_bomb_is_stopped_where_its_ratio_shows(level: int) -> None:
    """1 GiB of rows in a MiB: no more of it is unpacked than is spared."""
    packer = zlib.compressobj(level, wbits=31)
    row = b"1,a\n" * (1 << 18)
    data = packer.compress(b"n,c\n") + b"".join(packer.compress(row) for _ in range(200))
    stream = io.BytesIO(data + packer.flush())
    limits = Limits(spared=16 << 20)
    rows = 0
    with pytest.raises(TooLarge, match="over 200 times its size"):
        for block in open_source(stream, KINDS, limits=limits).blocks():
            rows += len(block)
    assert rows * 4 <= (16 << 20) + 2 * limits.block


def test_text_has_an_end() -> None:
    with pytest.raises(TooLarge, match="over 1 MiB of text; upload it in parts"):
        list(open_source(io.BytesIO(CSV * 999_999), KINDS, limits=Limits(text=1 << 20)).blocks())


def test_what_a_source_says_of_its_file() -> None:
    source = open_source(io.BytesIO(b"c\tn\na\t1\n"), KINDS)
    assert (source.format, source.header, source.packed) == ("csv", ["c", "n"], False)
    assert source.shape == {"format": "csv", "header": ["c", "n"], "delimiter": "\t"}
    source = open_source(io.BytesIO(gzip.compress(b'{"c": "a", "n": 1}', mtime=0)), KINDS)
    assert (source.format, source.header, source.packed) == ("jsonl", ["c", "n"], True)


def test_an_error_of_the_stream_itself_is_the_streams_own() -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionError("torn")
            return super().read(10)

    for data in (CSV * 99, gzip.compress(CSV * 99, mtime=0)):
        with pytest.raises(ConnectionError, match="torn"):
            list(open_source(Torn(data), KINDS).blocks())
