"""Whose labelled rows are not learned from."""

from __future__ import annotations

import pytest

from driftloop import ids
from driftloop.monitoring.state import State
from driftloop.when import from_ms, iso
from driftloop.withheld import ANY, DAY, to_be_judged, within
from tests.driftloop.memory import Memory
from tests.driftloop.test_monitor import make_spec

HOUR = DAY // 24


@pytest.mark.parametrize(("asked", "first"), [(4 * DAY + HOUR, 4), (4 * DAY + HOUR - 1, 3)])
def test_a_window_is_judged_when_it_was_asked_about_after_its_grace(asked: int, first: int) -> None:
    store, spec = Memory(), make_spec(grace="1h")
    State(DAY, asked=asked).write(store, "toy")
    ((start, _, of),) = to_be_judged(store, spec, iso(from_ms(asked)))
    assert (start, of) == (first * DAY, ANY)


def test_a_mark_ends_before_the_window_after_it_begins() -> None:
    first, last, after = (ids.prediction_ids("r", ms, 1)[0] for ms in (DAY, 2 * DAY - 1, 2 * DAY))
    marks = [[DAY, 2 * DAY, 1]]
    assert [within(name, 1, marks) for name in (first, last, after)] == [True, True, False]
    assert not within(first, 2, marks)
