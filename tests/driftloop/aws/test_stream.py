"""A stretch of bytes read in chunks is the bytes, wherever one reads and whatever breaks."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.aws import stream
from driftloop.aws.stream import Stream
from driftloop.errors import Unavailable

DATA = bytes(range(256)) * 40


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 100)
    monkeypatch.setattr(stream, "JUMP", 20)
    monkeypatch.setattr(stream.time, "sleep", lambda _: None)


moves = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 350)),
        st.tuples(st.just("read1"), st.integers(1, 350)),
        st.tuples(st.just("seek"), st.integers(0, 900)),
        st.tuples(st.just("end"), st.integers(-50, 0)),
    ),
    max_size=20,
)


@given(st.integers(0, 300), st.integers(0, 900), moves)
def test_it_reads_as_a_file_does(start: int, length: int, told: list[tuple[str, int]]) -> None:
    here = Stream(lambda a, b: DATA[a:b], start, start + length)
    there = io.BytesIO(DATA[start : start + length])
    for what, n in told:
        if what == "read1":
            some = here.read1(n)
            assert some == there.read(len(some)) and (some or not there.read(1))
        elif what == "read":
            assert here.read(n) == there.read(n)
        else:
            whence = io.SEEK_END if what == "end" and length > 50 else io.SEEK_SET
            assert here.seek(abs(n) if whence == 0 else n, whence) == there.seek(
                abs(n) if whence == 0 else n, whence
            )
    assert here.tell() == there.tell()


def test_a_read_that_breaks_is_resumed() -> None:
    calls = itertools.count()

    def flaky(first: int, last: int) -> bytes:
        if next(calls) % 3:
            raise Unavailable("broken")
        return DATA[first:last]

    assert Stream(flaky, 0, 5000).read() == DATA[:5000]


def test_one_that_stays_broken_says_so() -> None:
    def dead(first: int, last: int) -> bytes:
        raise Unavailable("s3://b/k: gone")

    with pytest.raises(Unavailable, match="s3://b/k"):
        Stream(dead, 0, 10).read()
