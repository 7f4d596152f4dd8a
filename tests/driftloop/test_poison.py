"""Files made to harm, through the whole of ingest in a process of its own: each gets its clear
sentence (or its rows), and no more memory than any other file."""

from __future__ import annotations

import gzip
import io
import json
import random
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT

HEADER = b"id,x,c,y\n"
GOOD = b"".join(b"k%d,%d.5,a,%d\n" % (i, i, i % 2) for i in range(200))
MOST = 420  # MiB at the most, of which a process that has imported all takes about 130

RUN = """
import json, re, sys
from pathlib import Path
from driftloop.errors import DataError
from driftloop.spec import Spec
from driftloop.uploads.upload import Upload
from tests.driftloop.intaking import report, take_in
from tests.driftloop.memory import Memory

class OnDisk(Memory):
    def open(self, key, version_id=None, start=0, end=None):
        stream = open(sys.argv[1], "rb")
        if start or end is not None and end < Path(sys.argv[1]).stat().st_size:
            import io
            stream.seek(start)
            return io.BytesIO(stream.read(end - start))
        return stream

class Store(Memory):
    def copy_from(self, key, source, version_id=None, bucket=""):
        if bucket:
            self.put(key, b"the original")
        else:
            super().copy_from(key, source)

spec = Spec.parse({
    "name": "toy", "task": "classification", "target": "y", "key": "id",
    "features": {"x": {"type": "number"}, "c": {"type": "category"}},
    "data": {"reject_above": 0.5},
})
size = Path(sys.argv[1]).stat().st_size
upload = Upload("landing", "incoming/toy/f", "v1", size)
store = Store(others={"landing": OnDisk()})
try:
    take_in(store, OnDisk(), spec, [upload], piece=int(sys.argv[2]))
except DataError:
    pass
told = report(store, upload)
# of this process alone: getrusage would begin with its parent's
peak = int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024
print(json.dumps({"peak": peak, **{n: told[n] for n in ("error", "total", "accepted", "rejected",
                                                        "refused_rows", "reasons")}}))
"""


def fate(tmp_path: Path, data: bytes | Path, piece: int = 64 << 20) -> dict[str, Any]:
    """What became of the file: the report's figures, and the peak memory in MiB."""
    file = data if isinstance(data, Path) else tmp_path / "f"
    if isinstance(data, bytes):
        file.write_bytes(data)
    paths = f"{ROOT}:{ROOT / 'layers' / 'driftloop' / 'python'}"
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(file), str(piece)],
        env={"PYTHONPATH": paths, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["peak"] < MOST, told
    assert told["total"] == told["accepted"] + told["rejected"] + told["refused_rows"]
    return told


def refused(told: dict[str, Any], name: str, *words: str) -> None:
    assert told["error"] and told["error"]["name"] == name, told
    for word in words:
        assert word in told["error"]["message"], told["error"]["message"]


def test_a_gzip_bomb(tmp_path: Path) -> None:
    """A gigabyte of spaces in a few megabytes."""
    packer, file = zlib.compressobj(6, zlib.DEFLATED, 31), tmp_path / "f"
    with file.open("wb") as out:
        out.write(packer.compress(HEADER + GOOD))
        for _ in range(64):
            out.write(packer.compress(b"k,1,a," + b" " * (16 << 20)))
        out.write(packer.flush())
    refused(fate(tmp_path, file), "TooLarge", "gzip file unpacks to over")


def test_a_gzip_bomb_of_rows(tmp_path: Path) -> None:
    packer, file = zlib.compressobj(6, zlib.DEFLATED, 31), tmp_path / "f"
    with file.open("wb") as out:
        out.write(packer.compress(HEADER))
        for _ in range(64):
            out.write(packer.compress(b"k,1,a,1\n" * (1 << 20)))
        out.write(packer.flush())
    refused(fate(tmp_path, file, 1 << 20), "TooLarge", "gzip file unpacks to over")


def test_a_gzip_in_a_gzip(tmp_path: Path) -> None:
    refused(fate(tmp_path, gzip.compress(gzip.compress(HEADER + GOOD))), "UnreadableFile", "unpack")


def test_a_parquet_bomb(tmp_path: Path) -> None:
    """A billion equal rows in a few kilobytes."""
    file = tmp_path / "f"
    part = pa.DictionaryArray.from_arrays(np.zeros(1 << 24, np.int32), pa.array(["k"]))
    numbers = pa.array(np.zeros(1 << 24))
    table = pa.table({"id": part, "x": numbers, "c": part, "y": part})
    with pq.ParquetWriter(file, table.schema, compression="zstd", write_statistics=False) as out:
        for _ in range(16):
            out.write_table(table, row_group_size=1 << 24)
    refused(fate(tmp_path, file), "TooLarge", "Parquet")


def test_a_parquet_page_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    out = io.BytesIO()
    long = pa.array(["a" * (1 << 28)] * 2)
    table = pa.table({"id": long, "x": [1.0, 2.0], "c": ["a", "a"], "y": ["0", "1"]})
    pq.write_table(table, out, compression="zstd", use_dictionary=False, write_statistics=False)
    refused(fate(tmp_path, out.getvalue()), "TooLarge", "Parquet")


@pytest.mark.parametrize("piece", [64 << 20, 1 << 20])
def test_a_line_of_100_mib(tmp_path: Path, piece: int) -> None:
    """It is one bad row; what stands around it is taken in."""
    told = fate(tmp_path, HEADER + GOOD + b"x" * (100 << 20) + b"\n" + GOOD, piece)
    assert told["reasons"] == {"unreadable_row|": 1, "duplicate|id": 200}


def test_one_line_of_100_mib_and_nothing_else(tmp_path: Path) -> None:
    assert fate(tmp_path, b"x" * (100 << 20))["error"]["name"] in ("UnreadableFile", "TooLarge")


def test_10_000_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(10_000)).encode()
    told = fate(tmp_path, names + b"\n" + b",".join([b"1"] * 10_000) + b"\n")
    refused(told, "WrongColumns", "10,000")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    refused(fate(tmp_path, random.Random(1).randbytes(1 << 20)), "UnreadableFile")
    told = fate(tmp_path, HEADER + GOOD + b"k\0,1,a,0\nk\xff,1,a,0\n")
    assert (told["accepted"], told["reasons"]) == (200, {"unreadable_row|": 2})


def test_quotes_that_never_end(tmp_path: Path) -> None:
    told = fate(tmp_path, HEADER + GOOD + b'q,"1,a,0\n' * 100)
    assert (told["accepted"], told["reasons"]["unreadable_row|"]) == (200, 100)


def test_as_many_categories_as_rows(tmp_path: Path) -> None:
    rows = b"".join(b"k%d,1,c%d,0\n" % (i, i) for i in range(300_000))
    refused(fate(tmp_path, HEADER + rows), "WrongColumns", "'c'", "no category")


def test_json_that_nests_without_end(tmp_path: Path) -> None:
    good = b"".join(b'{"id": "k%d", "x": 1, "c": "a", "y": "0"}\n' % i for i in range(9))
    deep = b'{"id": ' + b"[" * 400_000 + b"]" * 400_000 + b"}\n"
    told = fate(tmp_path, good + deep + good.replace(b"k", b"z") + b'{"x": 1e999999999}\n')
    assert (told["accepted"], told["rejected"]) == (18, 2)


def test_cells_that_a_spreadsheet_would_run_are_kept_as_they_are(tmp_path: Path) -> None:
    """Only where they leave (exports) are they defused."""
    told = fate(tmp_path, HEADER + GOOD + b"=cmd|' /C calc'!A0,1,@SUM(1),0\n")
    assert (told["accepted"], told["rejected"]) == (201, 0)
