"""Rows taken up to a moment, and kept as captures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driftloop import captured
from driftloop.ids import prediction_ids
from driftloop.replay.asked import Ahead, keep
from driftloop.replay.memory import Memory

HOURS = range(380_000, 380_004)
ROWS = st.lists(
    st.tuples(st.integers(HOURS[0] * captured.HOUR, HOURS[-1] * captured.HOUR), st.integers(1, 3)),
    max_size=30,
)


def records(rows: list[tuple[int, int]]) -> list[captured.Record]:
    return [
        {"id": prediction_ids(str(i), ms, 1)[0], "version": version, "role": "champion"}
        for i, (ms, version) in enumerate(sorted(rows))
    ]


@given(ROWS, st.lists(st.integers(HOURS[0] * captured.HOUR, HOURS[-1] * captured.HOUR)))
def test_each_row_is_taken_once_in_its_turn(
    rows: list[tuple[int, int]], moments: list[int]
) -> None:
    ahead, given_ = Ahead(iter(records(rows))), records(rows)
    taken = [ahead.before(moment) for moment in [*sorted(moments), 2**47]]
    assert [r for part in taken for r in part] == given_


@given(ROWS)
def test_what_is_kept_is_found_again_whoever_answered_in_turn(rows: list[tuple[int, int]]) -> None:
    store, made = Memory(), records(rows)
    keep(store, "toy", made, "a")
    found = captured.object_keys(store, "toy", [1, 2, 3], HOURS)
    assert captured.once(captured.read(store, found)) == sorted(made, key=lambda r: r["id"])
