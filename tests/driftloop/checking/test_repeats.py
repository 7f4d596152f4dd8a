"""The first of equal rows is accepted, however many there are and however they are cut."""

from __future__ import annotations

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.checking.repeats import Repeats, Seen, across

marks_of = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(st.one_of(st.integers(0, 6), st.sampled_from([2**64 - 1, 2**63])),
                 min_size=width, max_size=width),
        min_size=1,
    )
)  # fmt: skip


def one_by_one(rows: list[list[int]]) -> dict[int, int]:
    taken: list[set[int]] = [set() for _ in rows[0]]
    found = {}
    for number, row in enumerate(rows):
        again = [i for i, mark in enumerate(row) if mark in taken[i]]
        if again:
            found[number] = again[0]
        else:
            for i, mark in enumerate(row):
                if mark:
                    taken[i].add(mark)
    return found


@settings(max_examples=200, deadline=None)
@given(marks_of, st.integers(1, 5), st.integers(1, 4))
def test_rows_are_decided_as_one_by_one(rows: list[list[int]], size: int, most: int) -> None:
    marks = np.array(rows, dtype=np.uint64)
    expected = one_by_one(rows)
    state = Repeats(marks.shape[1])
    streamed = {}
    for start in range(0, len(rows), size):
        found = state.find(marks[start : start + size])
        streamed |= {start + row: which for row, which in found.items()}
    assert streamed == expected
    starts = range(0, len(rows), size)
    pieces = across([marks[start : start + size] for start in starts], most)
    joined = {
        start + row: which
        for start, found in zip(starts, pieces, strict=True)
        for row, which in found.items()
    }
    assert joined == expected


def test_a_set_of_a_million_marks_knows_them_all_and_no_other() -> None:
    rng = np.random.default_rng(0)
    marks = np.unique(rng.integers(1, 2**64, 400_000, dtype=np.uint64))
    rng.shuffle(marks)
    known, others = marks[:300_000], marks[300_000:]
    seen = Seen()
    for start in range(0, len(known), 7_000):
        seen.add(known[start : start + 7_000])
    assert seen.has(known).all()
    assert not seen.has(others).any()
    assert not seen.has(np.zeros(3, np.uint64)).any()


def test_a_flood_of_repeats_is_decided_in_no_time_and_little_memory() -> None:
    """An export that ran twice: every row of the second half is there already."""
    half = np.random.default_rng(0).integers(1, 2**63, (300_000, 1), dtype=np.uint64)
    tracemalloc.start()
    try:
        counts = [len(found) for found in across([half, half[::-1], half[:10]])]
        used = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert counts == [0, len(half), 10]
    assert used < 200 * len(half)
