"""Rows that were accepted are so again, as long as the spec stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from driftloop.checking.contract import check
from driftloop.checking.recheck import arrow, hashes, recheck
from driftloop.data import parquet
from driftloop.spec import Spec

SPEC = Spec.parse({
    "name": "toy", "task": "classification", "target": "y", "key": "id", "time": "at",
    "features": {
        "x": {"type": "number", "nullable": True, "min": -1e300},
        "c": {"type": "category", "nullable": True, "max_categories": 1000},
        "p": {"type": "category", "pattern": r"\S.*", "max_categories": 1000},
    },
    "data": {"rules": {"some": "x is null or x != 7", "short": "len(c) < 9"},
             "earliest": "0002-01-01"},
})  # fmt: skip
words = st.text(max_size=10) | st.sampled_from(
    ["", " ", "NA", "NaN", "null", "1.0", "-0.0", "01.00", "1e3", "\x00", "e\u0301", "😀", "a\nb"]
)
values = words | st.none() | st.floats() | st.integers() | st.booleans()
texts = words.filter(bool) | st.integers().map(str)
numbers = st.none() | st.floats() | st.integers() | st.floats(-1e9, 1e9).map(str)
times = st.integers(-(10**13), 10**14) | st.datetimes().map(lambda at: at.isoformat())
rows = st.lists(st.tuples(numbers, values, texts, texts, times, texts), max_size=12).map(
    lambda raw: {name: [row[i] for row in raw] for i, name in enumerate(SPEC.columns)}
)


@given(rows)
def test_what_the_contract_accepts_it_accepts_again(columns: dict[str, Any]) -> None:
    accepted, _ = check(SPEC, columns)
    kept, breaks = recheck(arrow(accepted), SPEC)
    assert kept.all() and len(kept) == len(accepted) and breaks == {}
    again = parquet.read(parquet.write(accepted), accepted.kinds)
    assert recheck(arrow(again), SPEC)[1] == {}


@given(rows)
def test_hashes_are_those_of_the_rows(columns: dict[str, Any]) -> None:
    accepted, _ = check(SPEC, columns)
    found = arrow(accepted)
    assert np.array_equal(hashes(found, ["id"]), accepted.hashes("id"))
    assert np.array_equal(hashes(found, list(found)), accepted.hashes())
