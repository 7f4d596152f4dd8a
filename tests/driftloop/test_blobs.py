"""Reading many objects side by side."""

from __future__ import annotations

import threading

import pytest

from driftloop.blobs import READERS, get_all
from driftloop.errors import NotFound
from tests.driftloop.memory import Memory


class Slow(Memory):
    """Knows how many objects were asked for."""

    def __init__(self, objects: int) -> None:
        super().__init__()
        self.objects = {f"{i:04d}": b"%d" % i for i in range(objects)}
        self.asked, self._lock = 0, threading.Lock()

    def get(self, key: str, version_id: str | None = None) -> bytes:
        with self._lock:
            self.asked += 1
        return super().get(key)


def test_objects_come_in_the_order_they_were_asked_for() -> None:
    store = Slow(100)
    names = sorted(store.objects, reverse=True)
    assert list(get_all(store, names)) == [(name, store.objects[name]) for name in names]
    assert list(get_all(store, names[:1])) == [(names[0], store.objects[names[0]])]
    assert list(get_all(store, [])) == []


def test_no_more_is_read_ahead_than_is_held_in_memory() -> None:
    """Who takes long over each object, or stops at the first, has not read them all."""
    store = Slow(1000)
    found = get_all(store, store.objects)
    for taken in range(3):
        next(found)
        assert store.asked <= taken + 1 + 2 * READERS
    found.close()
    assert store.asked <= 3 + 2 * READERS


def test_what_is_not_there_is_missed_in_its_turn() -> None:
    found = get_all(Slow(2), ["0000", "lost", "0001"])
    assert next(found) == ("0000", b"0")
    with pytest.raises(NotFound):
        next(found)
