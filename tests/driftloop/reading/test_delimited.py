"""CSV: the fast way reads what the plain way reads, however the file is messed up."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driftloop.errors import DataError, UnreadableFile, WrongColumns
from driftloop.reading import Block, Limits, open_source
from driftloop.reading.limits import LIMITS
from tests.driftloop.reading.definition import Read, Slow, flat, lines_of, read, typed

KINDS: dict[str, Any] = {"n": "number", "c": "text", "t": "time"}
HEADER = b"n,c,t\n"
BITS = [b"1", b"-2.5", b" 7 ", b"+3", b"1e999", b"nan", b"x", b"NA", b"a", b"\xc3\xa9", b"\xff",
        b"\0", b"\xef\xbb\xbf", b"2013-01-05", b"2013-01-05T10:00:00Z", b"0000-01-01", b" ",
        b"2013-01-05T10:00:00.123456+05:30"]  # fmt: skip
MARKS = [b",", b",", b",", b'"', b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\n\n", b'",', b',"',
         b'"\n']  # fmt: skip
GOOD = [b"1,a,2013-01-05\n", b"2,b,2013-01-06T00:00:00Z\r\n", b'"3","x,""y""",2013-01-05\n',
        b'4,"two\nlines",2013-01-05\n', b",,\n"]  # fmt: skip
RUBBISH = st.lists(st.sampled_from(BITS + MARKS * 2), max_size=40).map(b"".join)
FILES = st.lists(st.one_of(st.sampled_from(GOOD), RUBBISH), max_size=12).map(b"".join)
BOUNDS = st.builds(
    Limits,
    record=st.sampled_from([24, 60, 1 << 20]),
    record_lines=st.sampled_from([2, 3, 1000]),
    block=st.sampled_from([1, 5, 16, 100, 1 << 22]),
)


def blocks(data: bytes, limits: Limits = LIMITS, **more: Any) -> list[Block]:
    return list(open_source(Slow(data), KINDS, limits=limits, **more).blocks())


def expected(body: bytes, limits: Limits) -> list[Read]:
    """Behind a header of one line."""
    return [
        Read(r.line, r.text, tuple(map(typed, r.values, KINDS.values())), r.fault)
        for r in read(body, ",", 3, limits, line=2)
    ]


@settings(max_examples=1000, deadline=None)
@given(FILES, BOUNDS)
@example(b'1,"open,x\n2,b,2013-01-05\n3,c,2013-01-05\n', Limits(block=5))
@example(b'a","x\n' * 9, Limits(record=24, record_lines=3, block=16))
@example(b"1," + b"a" * 99 + b"\r\n2,b,\n", Limits(record=24, block=1))
def test_the_fast_way_reads_what_the_plain_way_reads(body: bytes, limits: Limits) -> None:
    want = expected(body, limits)
    if not want:
        with pytest.raises(UnreadableFile, match="no rows"):
            blocks(HEADER + body, limits)
    else:
        assert flat(blocks(HEADER + body, limits), KINDS) == want


@pytest.mark.parametrize(
    "spoil", [b"", b"\0", b"\xff", b"\r", b'"', b'a"', b",", b"\n\n", b"\xc3\xa9"]
)
def test_so_it_does_far_into_a_large_file(spoil: bytes) -> None:
    """Where the fast way looks at one stride after the other."""
    rows = [b'%d,"c ""%d""",2013-01-05\n' % (i, i % 9) for i in range(15_000)]
    for at in range(0, len(rows), 1217):
        rows[at] = rows[at].replace(b"c", b"c" + spoil).replace(b"-", spoil + b"-", 1)
    body = b"".join(rows)
    assert len(body) > 3 * 128 * 1024
    assert flat(blocks(HEADER + body), KINDS) == expected(body, LIMITS)


@settings(max_examples=300, deadline=None)
@given(FILES, BOUNDS)
def test_every_line_is_in_a_row_or_broken_or_blank(body: bytes, limits: Limits) -> None:
    """Nothing is lost, nothing is told twice: the texts, in order, are the file."""
    found = flat(blocks(HEADER + body + b"1,a,2013-01-05\n", limits), KINDS)
    lines = [b"", *lines_of(HEADER + body + b"1,a,2013-01-05\n")]
    at = 2
    for record in found:
        assert all(not raw.strip(b"\r\n") for raw in lines[at : record.line])
        at = record.line + 1
        text = lines[record.line]
        while not record.text.startswith(_shown(text, limits)) or len(_shown(text, limits)) < len(
            record.text
        ):
            text += lines[at]
            at += 1
        assert record.text == _shown(text, limits)
    assert at == len(lines)


def _shown(raw: bytes, limits: Limits) -> str:
    raw = raw[: limits.record] if len(lines_of(raw)[0]) > limits.record else raw
    return raw.rstrip(b"\r\n").decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_line_ends_mark_order_and_packing_do_not_matter(delimiter: str, end: str) -> None:
    rows = [["t", "c", "n"], ["2013-01-05", 'a,;|\t"b\nc', "1"], ["2013-01-06", "", "NA"]]
    text = end.join(delimiter.join(f'"{v.replace(chr(34), chr(34) * 2)}"' for v in r) for r in rows)
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        for packed in (
            data,
            gzip.compress(data),
            gzip.compress(data[:9]) + gzip.compress(data[9:]),
        ):
            (block,) = blocks(packed)
            assert {n: c.to_pylist() for n, c in block.columns.items() if n != "t"} == {
                "n": [1.0, None], "c": ['a,;|\t"b\nc', ""]
            }  # fmt: skip
            assert str(block.columns["t"].type) == "timestamp[us, tz=UTC]"
            assert block.lines.tolist() == [2, 4]


def test_columns_are_typed_block_by_block_as_far_as_they_go() -> None:
    rows = [f"{i},c{i % 3},2013-01-05T10:00:{i % 60:02}\n" for i in range(30_000)]
    rows[20_000] = "oops,c1,yesterday\n"
    found = blocks(HEADER + "".join(rows).encode(), Limits(block=100_000))
    assert len(found) > 4
    for block in found:
        spoiled = 20_002 in block.lines
        kinds = [str(block.columns[name].type) for name in KINDS]
        assert kinds == [
            "string" if spoiled else "double",
            "dictionary<values=string, indices=int32, ordered=0>",
            "string" if spoiled else "timestamp[us, tz=UTC]",
        ]


def test_a_column_of_ever_new_texts_is_no_dictionary_for_long() -> None:
    data = HEADER + b"".join(b"1,key%06d,2013-01-05\n" % i for i in range(10_000))
    types = [block.columns["c"].type for block in blocks(data, Limits(block=100_000))]
    assert types[1:] == [pa.string()] * (len(types) - 1)


def test_without_kinds_every_column_is_raw_text() -> None:
    (block,) = open_source(io.BytesIO(b"a;b;x, y\n1;NA;\n"), None).blocks()
    assert {n: c.to_pylist() for n, c in block.columns.items()} == {
        "a": ["1"], "b": ["NA"], "x, y": [""]
    }  # fmt: skip


def test_other_columns_are_dropped_when_allowed() -> None:
    (block,) = blocks(b"z,n,y,c,t,\n9,1,9,a,2013-01-05,\n", others=True)
    assert [*block.columns] == ["n", "c", "t"]
    assert block.text(0) == "9,1,9,a,2013-01-05,"


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnreadableFile, "empty"),
        (b"\n \n\r\n", UnreadableFile, "empty"),
        (HEADER, UnreadableFile, "a header and no rows"),
        (HEADER + b"\n\r\n", UnreadableFile, "a header and no rows"),
        (b"n\0c\n1", UnreadableFile, "a NUL byte in line 1"),
        (b"\nn,c,t,\xfc\n1", UnreadableFile, "not UTF-8: byte 0xfc in line 2"),
        (b"hello world\nthis is prose\n", UnreadableFile, "not CSV"),
        (b"n,c\n1,2\n", WrongColumns, "missing 't'.* Expected: 'n', 'c', 't'"),
        (b"n,c,t,oops\n", WrongColumns, "unknown 'oops'"),
        (b"n,c,t,n\n", WrongColumns, "doubled 'n'"),
        (",".join(map(str, range(10_000))).encode(), WrongColumns, "10,000 columns; at most 2,000"),
        (b"n,c,t," + b"x" * (1 << 21), UnreadableFile, "first line is longer than 1 MiB"),
        (b'"n,c,t\n' + b"x\n" * 5000, UnreadableFile, "not CSV"),
    ],
)
def test_a_file_that_is_not_this_table_is_refused(
    data: bytes, error: type[DataError], words: str
) -> None:
    with pytest.raises(error, match=words):
        blocks(data) if len(data) < 1000 else list(open_source(io.BytesIO(data), KINDS).blocks())


class Endless(io.RawIOBase):
    """``times`` × a MiB of one letter between two good rows."""

    def __init__(self, times: int) -> None:
        letters = (b"x" * (1 << 20) for _ in range(times))
        self._parts = iter([HEADER + b"1,a,2013-01-05\n", *letters, b"\n2,b,2013-01-05\n"])
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        self._rest = self._rest or next(self._parts, b"")
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def test_a_line_of_100_mib_is_one_broken_record_and_is_not_held() -> None:
    before = pa.total_allocated_bytes()
    found: list[Any] = []
    for block in open_source(Endless(100), KINDS).blocks():  # type: ignore[arg-type]
        found += [*block.lines.tolist(), *block.broken]
        assert sum(len(block.text(row)) for row in range(len(block))) < 1000
    first, broken, last = found
    assert (first, broken.line, last) == (2, 3, 4)
    assert broken.fault == "over 1,048,576 bytes"
    assert broken.text == "x" * 16384
    assert pa.total_allocated_bytes() - before < 1 << 20


def test_stray_quotes_in_every_line_cost_no_more_than_their_lines() -> None:
    """Each line opens a quote that the next one closes and opens again."""
    data = HEADER + b'a","x\n' * 100_000
    found = [b for block in open_source(io.BytesIO(data), KINDS).blocks() for b in block.broken]
    assert [b.line for b in found] == list(range(2, 100_002))
    assert found[0].fault == "unexpected end of data"
