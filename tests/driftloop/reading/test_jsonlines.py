"""JSON Lines: one object a line, and no trap of JSON's goes further than its line."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import UnreadableFile, WrongColumns
from driftloop.reading import Block, Limits, open_source
from driftloop.reading.limits import LIMITS
from tests.driftloop.reading.definition import Slow

KINDS: dict[str, Any] = {"n": "number", "c": "text", "t": "time"}
GOOD = '{"n": 1, "c": "a", "t": "2013-01-05"}'


def blocks(data: bytes, limits: Limits = LIMITS, **more: Any) -> list[Block]:
    return list(open_source(Slow(data, 1000), KINDS, limits=limits, **more).blocks())


def values(column: Any) -> list[Any]:
    return list(column) if isinstance(column, list) else list(column.to_pylist())


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"n": NaN}', "NaN is no JSON number"),
        ('{"n": -Infinity}', "-Infinity is no JSON number"),
        ('{"n": 1, "c": "a", "n": 2}', "field 'n' twice"),
        ('{"n": 1, "x": 2}', "unknown field 'x'"),
        ('{"n": 1, "\\ud800": 2}', "unknown field '\\ud800'"),
        ("[1, 2]", "not an object"),
        ("1", "not an object"),
        ('{"n": 1', "Expecting ',' delimiter, character 8"),
        ('{"n": 1} {"n": 2}', "Extra data, character 10"),
        ('{"n": ' + "[" * 100_000 + "}", "nested too deeply"),
        ('{"n": ' + "[" * 100 + "]" * 100 + "}", "nested too deeply"),
        ('{"c": "' + "a" * (1 << 20) + '"}', "over 1,048,576 bytes"),
        (json.dumps(dict.fromkeys(map(str, range(3000)))), "3,000 fields; at most 2,000"),
    ],
)
def test_a_line_that_is_no_row_is_broken_alone(line: str, fault: str) -> None:
    (block,) = blocks("\n".join([GOOD, "", line, GOOD]).encode())
    assert block.lines.tolist() == [1, 4]
    assert block.text(1) == GOOD
    ((number, text, said),) = [(b.line, b.text, b.fault) for b in block.broken]
    assert (number, said) == (3, fault)
    assert text == line[:16384]
    text.encode()
    said.encode()


def test_bytes_that_are_no_text_are_shown_all_the_same() -> None:
    (block,) = blocks(f'{GOOD}\r\n{{"c": "'.encode() + b'\xfc\0"}\r\n')
    assert [(b.line, b.text, b.fault) for b in block.broken] == [
        (2, '{"c": "\\xfc\0"}', "a NUL byte")
    ]


def test_values_are_handed_on_as_they_are() -> None:
    rows = [{"n": 10**400, "c": "a"}, {"n": True, "t": 5}, {}, {"n": 1.5, "c": [1], "t": "x"}]
    (block,) = blocks("\n".join(map(json.dumps, rows)).encode())
    assert values(block.columns["n"]) == [10**400, True, None, 1.5]
    assert values(block.columns["c"]) == ["a", None, None, [1]]
    assert values(block.columns["t"]) == [None, 5, None, "x"]


def test_an_integer_longer_than_python_reads_is_infinite() -> None:
    (block,) = blocks(f'{GOOD}\n{{"n": -{"9" * 5000}}}\n'.encode())
    assert values(block.columns["n"]) == [1, float("-inf")]


def test_columns_of_one_kind_are_arrow_arrays() -> None:
    (block,) = blocks(b'\xef\xbb\xbf{"n": 1, "c": null}\n{"n": 2.5, "c": "", "t": "2013-01-05"}')
    types = {name: str(column.type) for name, column in block.columns.items()}
    assert types == {"n": "double", "c": "string", "t": "string"}
    assert values(block.columns["c"]) == [None, ""]
    (half,) = blocks(b'{"n": 1, "c": "\\ud800"}')
    assert half.columns["c"] == ["\ud800"]


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b'{"x": 1}\n', WrongColumns, "no field of the first objects is one of 'n', 'c', 't'"),
        (b"{no json\n{}\n", UnreadableFile, "none of its first lines is an object"),
        (b'{\n  "n": 1\n}\n', UnreadableFile, "one JSON document"),
        (b'[{"n": 1}]', UnreadableFile, "one JSON array"),
    ],
)
def test_other_json_is_refused(data: bytes, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        blocks(data)


def test_unknown_fields_may_be_allowed_and_without_kinds_all_are_read() -> None:
    data = b'{"n": 1, "x": 2}\n{"y": 3}\n'
    assert [*blocks(data, others=True)[0].columns] == [*KINDS]
    (block,) = open_source(io.BytesIO(data), None).blocks()
    assert {name: values(column) for name, column in block.columns.items()} == {
        "n": [1, None], "x": [2, None], "y": [None, 3]
    }  # fmt: skip


LINES = st.one_of(
    st.just(b""),
    st.just(b" \t\r"),
    st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")),
    st.sampled_from([b"[1]", b'{"n": 1', b'{"x": 1}', b'{"n": ' + b"7" * 80 + b"}", b"\xff"]),
    st.fixed_dictionaries({}, optional=dict.fromkeys(KINDS, st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=5), st.lists(st.none(), max_size=2),
    ))).map(lambda row: json.dumps(row).encode()),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=20), st.sampled_from([1, 7, 50, 1 << 20]))
def test_every_line_is_a_row_or_broken_or_blank(lines: list[bytes], block: int) -> None:
    data = b"\n".join([b'{"n": 1}', *lines])
    limits = Limits(block=block, record=64)
    found: dict[int, dict[str, Any] | None] = {}
    for part in blocks(data, limits):
        rows = zip(*(values(part.columns[name]) for name in KINDS), strict=True)
        found |= {int(n): dict(zip(KINDS, row, strict=True))
                  for n, row in zip(part.lines, rows, strict=True)}  # fmt: skip
        found |= dict.fromkeys([b.line for b in part.broken])
        for row, number in enumerate(part.lines.tolist()):
            raw = data.split(b"\n")[number - 1]
            assert part.text(row) == raw.decode().rstrip("\r\n")
            assert found[number] == {**dict.fromkeys(KINDS), **json.loads(raw)}
    filled = [at for at, raw in enumerate(data.split(b"\n"), 1) if raw.strip()]
    assert sorted(found) == filled
