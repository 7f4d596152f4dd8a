"""Which windows are due, and what it costs to find out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from driftloop import keys
from driftloop.monitoring.state import State
from driftloop.monitoring.windows import DAY, Task, Windows
from driftloop.spec import Spec
from driftloop.version import Version
from driftloop.when import from_ms, iso
from tests.driftloop.memory import Memory

FIRST = 1_359_676_800_000  # 2013-02-01T00:00Z
HOUR = DAY // 24


class Counting(Memory):
    """Remembers the prefixes it was asked to list."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[str] = []

    def list(self, prefix: str) -> Iterator[str]:
        self.listed.append(prefix)
        return super().list(prefix)

    def served(self, at: int, version: int = 1, file: str = "f") -> None:
        when = from_ms(at)
        key = keys.captures("toy", version, f"{when:%Y-%m-%d}", f"{when:%H}", f"{file}.jsonl.gz")
        self.put(key, b"")

    def labelled(self, day: int, file: str = "f") -> None:
        self.put(keys.labels("toy", f"{from_ms(FIRST + day * DAY):%Y-%m-%d}", file), b"")


def version(made: int = 0) -> Version:
    """``made`` days after the first of February."""
    return Version(1, "c", "p", "s", "r", "upload", "d", "f", "e", iso(from_ms(FIRST + made * DAY)),
                   "s", "c", "b")  # fmt: skip


def spec(**monitor: Any) -> Spec:
    return Spec.parse(
        {
            "name": "toy", "task": "regression", "target": "y",
            "features": {"x": {"type": "number"}}, "monitor": monitor,
        }
    )  # fmt: skip


def look(store: Counting, state: State, now: int, versions: dict[int, Version] | None = None,
         **monitor: Any) -> list[Task]:  # fmt: skip
    """What is due, which is then taken to be done. ``now``: hours since the first of February."""
    store.listed.clear()
    named = versions or {1: version(-60)}
    found = Windows(spec(**monitor), FIRST + now * HOUR, state, named, {max(named)}).due(store)
    for task in found:
        entry = {**state.entry(task.start, task.version), "in": list(task.inputs)}
        state.note(task.start, task.version, entry)
    state.asked = FIRST + now * HOUR
    return found


def test_a_window_is_due_when_it_is_over_and_grace_is() -> None:
    store, state = Counting(), State(DAY)
    store.served(FIRST + 3 * HOUR)
    assert look(store, state, 24) == []
    (task,) = look(store, state, 25)
    assert (task.start, task.version, len(task.captures or ())) == (FIRST, 1, 1)
    assert look(store, state, 26) == []


def test_labels_make_it_due_again_however_late() -> None:
    store, state = Counting(), State(DAY)
    store.served(FIRST)
    look(store, state, 25)
    store.labelled(0)
    (task,) = look(store, state, 80 * 24)
    assert task.start == FIRST and len(task.labels) == 1
    assert look(store, state, 80 * 24 + 1) == []
    store.labelled(0, "g")
    (task,) = look(store, state, 80 * 24 + 2)
    assert task.captures is None  # not looked for again: what was frozen counts


def test_a_day_of_skew_either_way_is_seen() -> None:
    """Ids of tomorrow wait for their window; those of yesterday make it due again."""
    store, state = Counting(), State(DAY)
    store.served(FIRST + 24 * HOUR)
    assert look(store, state, 25) == []
    store.served(FIRST)
    assert [t.start for t in look(store, state, 26)] == [FIRST]
    assert [t.start for t in look(store, state, 49)] == [FIRST + DAY]
    store.served(FIRST, file="late")
    assert [t.start for t in look(store, state, 50)] == [FIRST]


@pytest.mark.parametrize("late", [1, 6, 9, 20, 40])
def test_what_comes_late_is_seen_no_later_than_as_late_again(late: int) -> None:
    store, state = Counting(), State(DAY)
    store.served(FIRST)
    for day in range(1, late + 1):
        look(store, state, day * 24 + 2)
    store.served(FIRST, file="late")
    waits = next(d for d in range(60) if look(store, state, (late + 1 + d) * 24 + 2))
    assert waits <= late + 1


def test_a_call_lists_days_not_months_and_versions_that_answer_not_all() -> None:
    """Today's cost for a model with 90 versions, one made a day, each in its turn."""
    store, state = Counting(), State(DAY)
    versions = {n: replace(version(n), version=n) for n in range(1, 91)}
    for day in range(1, 90):
        store.served(FIRST + day * DAY, day)
        known = {n: v for n, v in versions.items() if n <= day}
        look(store, state, day * 24 + 26, known)
    captures = [prefix for prefix in store.listed if "/captures/" in prefix]
    assert len(captures) < 70 and not [p for p in captures if not p.endswith("/")]
    assert len({(start, number) for start, number in state.known()}) == 89


def test_after_a_long_silence_months_are_listed() -> None:
    store = Counting()
    for day in range(80):
        store.served(FIRST + day * DAY)
    assert len(look(store, State(DAY), 80 * 24 + 2)) == 80
    assert len([p for p in store.listed if "/captures/" in p]) <= 8


def test_a_version_that_is_brought_back_is_looked_for() -> None:
    store, state = Counting(), State(DAY)
    versions = {1: replace(version(-60), version=1), 2: replace(version(-1), version=2)}
    store.served(FIRST + 30 * DAY, 1)
    found = Windows(spec(), FIRST + 31 * DAY + 2 * HOUR, state, versions, {1}).due(store)
    assert [(t.start, t.version) for t in found] == [(FIRST + 30 * DAY, 1)]


def test_short_windows_share_their_hours() -> None:
    store, state = Counting(), State(15 * 60_000)
    store.served(FIRST + 20 * 60_000)
    found = look(store, state, 3, window="15m")
    assert [t.start for t in found] == [FIRST + n * 15 * 60_000 for n in (3, 2, 1, 0)]


def test_a_window_of_a_week_is_made_of_its_days() -> None:
    store, state = Counting(), State(7 * DAY)
    monday = FIRST - FIRST % (7 * DAY)
    store.served(monday + DAY)
    store.served(monday + 5 * DAY)
    (task,) = look(store, state, 14 * 24, window="7d")
    assert task.start == monday and len(task.captures or ()) == 2
