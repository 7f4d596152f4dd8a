"""Names and hashes of rows: of the rows alone, however they are held, cut or ordered."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.data import canonical, parquet, rowhash
from driftloop.data.rows import Kind, Rows, concatenate

KINDS: dict[str, Kind] = {"x": "number", "word": "text", "at": "time"}
some_rows = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(allow_nan=False)),
        st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
        st.integers(-(2**45), 2**45),
    ),
    min_size=1,
    max_size=12,
)
Sample = list[tuple[float | None, str | None, int]]


def rows_of(sample: Sample, order: tuple[str, ...] = ("x", "word", "at")) -> Rows:
    columns = {
        "x": np.array([np.nan if x is None else x for x, _, _ in sample], np.float64),
        "word": np.array([word for _, word, _ in sample], dtype=object),
        "at": np.array([at for _, _, at in sample], np.int64),
    }
    return Rows({n: KINDS[n] for n in order}, {n: columns[n] for n in order})


def arrow_of(rows: Rows, *, coded: bool = False) -> dict[str, Any]:
    columns = {
        name: pa.array(values, parquet.TYPES[KINDS[name]], from_pandas=True)
        for name, values in rows.columns.items()
    }
    return {**columns, "word": columns["word"].dictionary_encode()} if coded else columns


def named(batches: list[dict[str, Any]]) -> str:
    form = canonical.Digest(KINDS)
    for batch in batches:
        form.update({name: parquet.canonical_of(column) for name, column in batch.items()})
    return form.hexdigest()


@settings(max_examples=100, deadline=None)
@given(some_rows, st.lists(st.integers(0, 12)), st.booleans())
def test_rows_have_one_name_however_held_and_cut(
    sample: Sample, cuts: list[int], coded: bool
) -> None:
    rows = rows_of(sample)
    assert rows.digest() == rows_of(sample, ("at", "word", "x")).digest()
    columns = arrow_of(rows, coded=coded)
    edges = sorted({0, *(cut for cut in cuts if cut < len(sample)), len(sample)})
    pieces = list(itertools.pairwise(edges))
    batches = [{n: c.slice(a, b - a) for n, c in columns.items()} for a, b in pieces]
    assert named(batches) == rows.digest()
    taken = [rows.take(np.arange(a, b)) for a, b in pieces]
    assert concatenate(taken).digest() == rows.digest()


@settings(max_examples=100, deadline=None)
@given(some_rows, some_rows)
def test_other_rows_have_another_name(first: Sample, second: Sample) -> None:
    plain = [
        [(None if x is None else x + 0.0, w, t) for x, w, t in rows] for rows in (first, second)
    ]
    same = plain[0] == plain[1]
    assert (rows_of(first).digest() == rows_of(second).digest()) == same


def test_a_name_tells_texts_apart_that_read_alike_side_by_side() -> None:
    base = [(1.0, "ab", 1), (1.0, "c", 1)]
    others = [
        [(1.0, "a", 1), (1.0, "bc", 1)],
        [(1.0, "abc", 1), (1.0, None, 1)],
        [(1.0, "ab", 1)],
        [(1.0, "c", 1), (1.0, "ab", 1)],
    ]
    assert len({rows_of(rows).digest() for rows in [base, *others]}) == 5


@settings(max_examples=100, deadline=None)
@given(some_rows, st.booleans())
def test_rows_have_one_hash_however_held(sample: Sample, coded: bool) -> None:
    rows = rows_of(sample)
    columns = arrow_of(rows, coded=coded)
    hashes = {n: rowhash.values(parquet.canonical_of(c)) for n, c in columns.items()}
    assert rowhash.rows(hashes).tolist() == rows.hashes().tolist()
    assert rows.hashes().tolist() == rows_of(sample, ("at", "x", "word")).hashes().tolist()
    by_word = dict(zip(rows.columns["word"].tolist(), rows.hashes("word").tolist(), strict=True))
    assert len(set(by_word.values())) == len(by_word)
    by_row = dict(zip(rows.tuples(), rows.hashes().tolist(), strict=True))
    assert len(set(by_row.values())) == len(by_row)


def test_hashes_of_a_million_alike_texts_all_differ() -> None:
    words = [f"{i:07d}" for i in range(500_000)] + [f"{i:07d}\0" for i in range(500_000)]
    hashes = rowhash.values(canonical.texts(words))
    assert np.unique(hashes).size == len(words)
    # And their low bits are spread: a set finds its places by them.
    places = np.bincount((hashes & np.uint64(1023)).astype(np.int64), minlength=1024)
    assert places.min() > 850 and places.max() < 1150
