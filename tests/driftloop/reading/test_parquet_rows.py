"""Parquet: its own types become the three kinds; nothing it says of itself takes memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftloop.errors import TooLarge, UnreadableFile, WrongColumns
from driftloop.reading import Block, Limits, open_source
from driftloop.reading.limits import LIMITS
from driftloop.reading.parquet_pages import pages

NOON = datetime(2013, 1, 5, 12, tzinfo=UTC)
T = pa.timestamp


def written(columns: dict[str, Any], **more: Any) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data, **more)
    return data.getvalue()


def blocks(data: bytes, kinds: Any, limits: Limits = LIMITS, **more: Any) -> list[Block]:
    return list(open_source(io.BytesIO(data), kinds, limits=limits, **more).blocks())


def read(column: Any, kind: str | None) -> Any:
    (block,) = blocks(written({"x": column}), {"x": kind} if kind else None)
    return block.columns["x"]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, None, 3], pa.int8()),
        pa.array([1, None, 3], pa.uint64()),
        pa.array([1.0, float("nan"), 3.0]),
        pa.array([1.0, None, 3.0], pa.float32()),
        pa.array([Decimal("1.00"), None, Decimal("3.00")]),
        pa.array([True, None, True]),
    ],
)
def test_numbers_are_float64_with_nulls(column: Any) -> None:
    found = read(column, "number")
    assert found.type == pa.float64()
    assert found.to_pylist() in ([1, None, 3], [1, None, 1])


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, ""]),
        pa.array(["a", None, ""], pa.large_string()),
        pa.array(["a", None, ""]).dictionary_encode(),
    ],
)
def test_texts_are_strings_with_nulls(column: Any) -> None:
    for kind in ("text", "number", "time", None):  # what a number says is the contract's to judge
        assert read(column, kind).to_pylist() == ["a", None, ""]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NOON], T("ns", "UTC")),
        pa.array([NOON], T("ms", "America/New_York")),
        pa.array([NOON.replace(tzinfo=None)], T("us")),
    ],
)
def test_times_are_utc(column: Any) -> None:
    found = read(column, "time")
    assert str(found.type) == "timestamp[us, tz=UTC]"
    assert found.to_pylist() == [NOON]


def test_a_date_is_its_midnight_and_a_fraction_is_cut_towards_the_past() -> None:
    assert read(pa.array([date(2013, 1, 5)]), "time").to_pylist() == [NOON.replace(hour=0)]
    found = read(pa.array([-1], T("ns")), "time")
    assert found.cast(pa.int64()).to_pylist() == [-1]


@pytest.mark.parametrize(
    ("column", "kind", "handed"),
    [
        (pa.array([1.0, float("inf")]), "number", [1.0, float("inf")]),
        (pa.array([1, 2]), "text", [1, 2]),
        (pa.array([True, None]), "text", [True, None]),
        (pa.array([Decimal("1.50")]), "text", ["1.50"]),
        (pa.array([1_357_000_000_000]), "time", [1_357_000_000_000]),
        (pa.array([date(2013, 1, 5)]), "text", ["2013-01-05"]),
        (pa.array([NOON, None], T("us", "UTC")), "time", ["2013-01-05 12:00:00.000000Z", None]),
        (pa.nulls(2), "number", [None, None]),
    ],
)
def test_what_does_not_fit_is_handed_on_for_the_contract(
    column: Any, kind: str, handed: list[Any]
) -> None:
    found = read(column, kind)
    assert (found if isinstance(found, list) else found.to_pylist()) == handed


@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("ticks", [1 << 62, -(1 << 62)])
def test_a_time_out_of_pythons_years_is_text(unit: str, ticks: int) -> None:
    (block,) = blocks(written({"x": pa.array([ticks], T(unit))}), {"x": "time"})
    assert block.columns["x"].type == pa.string()
    assert json.loads(block.text(0)) == {"x": block.columns["x"][0].as_py()}


def test_rows_are_numbered_and_shown_as_json() -> None:
    data = written({"n": pa.array(range(10)), "c": pa.array(["é"] * 10)}, row_group_size=4)
    found = blocks(data, {"n": "number", "c": "text"}, Limits(rows=3))
    assert [n for block in found for n in block.lines.tolist()] == [*range(1, 11)]
    assert found[2].text(0) == '{"n": 4, "c": "é"}'


def test_a_boolean_is_shown_as_the_number_it_is_read_as_so_that_its_row_can_go_in_again() -> None:
    (block,) = blocks(written({"n": [True, False], "c": ["a", "b"]}), {"n": "number", "c": "text"})
    assert block.columns["n"].to_pylist() == [1.0, 0.0]
    assert [block.text(0), block.text(1)] == ['{"n": 1, "c": "a"}', '{"n": 0, "c": "b"}']


@pytest.mark.parametrize(
    ("columns", "error", "words"),
    [
        ({"n": [1], "c": [[1, 2]]}, UnreadableFile, r"no number, text or time: 'c' \(list"),
        ({"n": [1], "c": [{"a": 1}]}, UnreadableFile, r"'c' \(struct"),
        ({"n": [1], "c": [b"a"]}, UnreadableFile, r"'c' \(binary"),
        ({"n": [1]}, WrongColumns, "missing 'c'"),
        ({"n": [1], "c": ["a"], "x": [1]}, WrongColumns, "unknown 'x'"),
        ({"n": pa.array([], pa.int8()), "c": pa.array([], pa.string())}, UnreadableFile, "no rows"),
        ({str(i): [1] for i in range(2001)}, WrongColumns, "2,001 columns; at most 2,000"),
    ],
)
def test_a_file_of_another_shape_is_refused(
    columns: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        blocks(written(columns), {"n": "number", "c": "text"})


def test_nested_columns_that_are_not_wanted_are_no_trouble() -> None:
    (block,) = blocks(written({"n": [1.0], "x": [[1]]}), {"n": "number"}, others=True)
    assert [*block.columns] == ["n"]


@pytest.mark.parametrize("end", [0, 4, 8, 100, -1, -4, -8, -30])
def test_a_file_cut_short_is_refused(end: int) -> None:
    data = written({"n": [1.0] * 1000})
    with pytest.raises(UnreadableFile):
        blocks(data[:end], {"n": "number"})


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd", "gzip"])
def test_any_byte_may_be_wrong(codec: str) -> None:
    """A damaged file is refused, or read; it raises nothing else and takes no memory."""
    data = written({"n": [float(i) for i in range(500)], "c": [str(i) for i in range(500)]},
                   compression=codec)  # fmt: skip
    for at in range(4, len(data), 23):
        bad = bytearray(data)
        bad[at] ^= 0x5A
        with suppress(UnreadableFile, WrongColumns, TooLarge):
            blocks(bytes(bad), {"n": "number", "c": "text"})


def constant(rows: int) -> bytes:
    column = pa.table({"n": pa.array([1.0]).take(pa.array([0] * rows))})
    sink = io.BytesIO()
    pq.write_table(column, sink)
    return sink.getvalue()


def test_rows_out_of_all_proportion_are_refused_unread() -> None:
    data = constant(1_000_000)
    limits = Limits(spared=1 << 20, parquet_ratio=500)
    with pytest.raises(TooLarge, match="1,000,000 rows × 1 columns in"):
        open_source(io.BytesIO(data), {"n": "number"}, limits=limits)
    assert sum(map(len, blocks(data, {"n": "number"}))) == 1_000_000


@pytest.fixture
def taken() -> Iterator[Callable[[], int]]:
    """Most bytes that Arrow has held since the test began."""
    pool = pa.system_memory_pool()
    logged = pa.proxy_memory_pool(pool)
    before = pa.default_memory_pool()
    pa.set_memory_pool(logged)
    yield logged.max_memory
    pa.set_memory_pool(before)


def test_a_page_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(
    taken: Callable[[], int],
) -> None:
    data = written({"c": ["a" * (1 << 20)] * 40}, compression="zstd", use_dictionary=False,
                   data_page_size=1 << 30)  # fmt: skip
    assert len(data) < 1 << 20
    written_with = taken()
    with pytest.raises(TooLarge, match="unpacks 40 MiB at once; at most 32"):
        blocks(data, {"c": "text"}, Limits(pages=32 << 20))
    assert taken() == written_with


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_pages_are_told_as_arrow_wrote_them(version: str, codec: str) -> None:
    texts = [f"{i % 7} words" * 9 for i in range(50_000)]
    data = written({"c": texts, "d": texts}, data_page_version=version, compression=codec)
    meta = pq.read_metadata(io.BytesIO(data)).row_group(0)
    for at in range(2):
        column = meta.column(at)
        found = list(pages(io.BytesIO(data), column.dictionary_page_offset,
                           column.total_compressed_size))  # fmt: skip
        assert [page.dictionary for page in found] == [True] + [False] * (len(found) - 1)
        assert found[0].values == 7
        assert sum(page.values for page in found[1:]) == 50_000
        assert 0 <= column.total_uncompressed_size - sum(p.unpacked for p in found) < 1000


def test_texts_of_a_dictionary_are_not_multiplied_by_their_rows(taken: Callable[[], int]) -> None:
    words = pa.array(["a" * 500_000, "b"])
    codes = pa.DictionaryArray.from_arrays([i % 2 for i in range(5000)], words)
    data = written({"c": codes, "n": [1.0] * 5000})
    (block,) = blocks(data, {"c": "text", "n": "number"})
    assert len(block) == 5000
    assert block.columns["c"].dictionary.to_pylist() == words.to_pylist()
    assert taken() < 32 << 20


def test_texts_of_pages_are_unpacked_a_few_at_a_time(taken: Callable[[], int]) -> None:
    codes = pa.DictionaryArray.from_arrays([0] * 300, ["a" * (1 << 20)])
    data = written({"c": codes}, use_dictionary=False, data_page_size=1 << 20, write_batch_size=1)
    source = open_source(io.BytesIO(data), {"c": "text"}, limits=Limits(pages=8 << 20))
    assert [len(block) for block in source.blocks()] == [7] * 42 + [6]
    assert taken() < 64 << 20


def test_a_dictionary_of_many_words_is_written_out() -> None:
    texts = [f"key{i:06d}" for i in range(20_000)]
    (block,) = blocks(written({"c": texts}), {"c": "text"})
    assert block.columns["c"].type == pa.string()
    assert block.columns["c"].to_pylist() == texts


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("form", [pa.string(), pa.large_string()])
def test_a_text_that_is_not_utf_8_costs_its_row_alone(form: Any, folded: bool) -> None:
    raw = pa.array([b"a", b"\xfcber", None, b"b"], pa.binary()).view(pa.string()).cast(form)
    data = written({"c": raw, "n": range(4)}, use_dictionary=folded)
    (block,) = blocks(data, {"c": "text", "n": "number"})
    assert block.lines.tolist() == [1, 3, 4]
    assert block.columns["c"].to_pylist() == ["a", None, "b"]
    assert [(b.line, b.text, b.fault) for b in block.broken] == [
        (2, '{"c": "\\\\xfcber", "n": 1}', "not UTF-8")
    ]
    assert block.text(2) == '{"c": "b", "n": 3}'


def test_a_name_in_the_footer_that_is_not_utf_8_is_damage() -> None:
    data = written({"name": ["a"], "n": [1]}, compression="none", store_schema=False)
    at = data.rindex(b"name")  # in the column's own facts; the schema's comes before
    with pytest.raises(UnreadableFile, match="damaged"):
        blocks(data[:at] + b"\xff" + data[at + 1 :], {"name": "text", "n": "number"})


DAMAGE = """
import io, sys
from contextlib import suppress
from driftloop.errors import TooLarge, UnreadableFile, WrongColumns
from driftloop.reading import open_source
data = open(sys.argv[1], "rb").read()
for at in range(len(data) - 8 - int.from_bytes(data[-8:-4], "little"), len(data) - 8):
    for wrong in (1, 2, 0x5A):
        bad = bytearray(data)
        bad[at] ^= wrong
        with suppress(UnreadableFile, WrongColumns, TooLarge):
            list(open_source(io.BytesIO(bytes(bad)), {"n": "number", "c": "text"}).blocks())
"""


def test_no_byte_of_a_footer_ends_the_process(tmp_path: Path) -> None:
    """pyarrow's own column chunks do, where the histogram of levels is damaged."""
    file = tmp_path / "x.parquet"
    file.write_bytes(written({"n": [1.0, None, 2.0], "c": ["a", "b", None]}))
    done = subprocess.run(
        [sys.executable, "-c", DAMAGE, file], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
