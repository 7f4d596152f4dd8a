"""Rows that were asked about: taken up to a moment, and kept as captures once answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from driftloop import captured, keys
from driftloop.blobs import Blobs
from driftloop.captured import Record
from driftloop.ids import id_ms
from driftloop.when import from_ms


class Ahead:
    """Records in order of time, taken up to a moment."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._records = records
        self._next = next(records, None)

    def before(self, moment: int) -> list[Record]:
        """Those before ``moment`` (epoch milliseconds) that were not taken yet."""
        found = []
        while self._next is not None and id_ms(self._next["id"]) < moment:
            found.append(self._next)
            self._next = next(self._records, None)
        return found


def keep(store: Blobs, model: str, records: Iterable[Record], name: str) -> None:
    """As captures: an object called ``name`` for each version and hour."""
    found: dict[tuple[int, int], list[Record]] = defaultdict(list)
    for record in records:
        found[record["version"], id_ms(record["id"]) // captured.HOUR].append(record)
    for (version, hour), same in found.items():
        at = from_ms(hour * captured.HOUR)
        key = keys.captures(model, version, f"{at:%Y-%m-%d}", f"{at:%H}", f"{name}.jsonl.gz")
        store.put(key, captured.pack(same))
