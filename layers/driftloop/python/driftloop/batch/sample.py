"""The captures of a batch: what the monitor is shown of it.

The share that the spec captures, and no more than :data:`MOST` rows: a window's captures are read
in one process. Kept are the rows whose ids have the smallest random bits (bottom-k sampling: Cohen
& Kaplan, "Summarizing data using bottom-k sketches", PODC 2007), the same ones however the file was
cut.
"""

from __future__ import annotations

from collections.abc import Iterable

from driftloop.captured import Record
from driftloop.ids import sampled

MOST = 10_000


class Sample:
    """``share``: of all rows; ``most``: how many at most."""

    def __init__(self, share: float, most: int = MOST) -> None:
        self.share, self.most = share, most
        self._held: list[Record] = []
        self._last = ""  # the place of the last one that stays, once there are enough

    def wants(self, identity: str) -> bool:
        """Whether the row of this id belongs to the sample, as far as is known by now."""
        return sampled(identity, self.share) and not (self._last and _place(identity) > self._last)

    def add(self, record: Record) -> None:
        self._held.append(record)
        if len(self._held) >= 2 * self.most:
            self._held = self.records()
            self._last = _place(self._held[-1]["id"])

    def add_sorted(self, records: Iterable[Record]) -> None:
        """Add those of another sample, in its order; none is looked at that cannot belong."""
        for record in records:
            if not self.wants(record["id"]):
                return
            self.add(record)

    def records(self) -> list[Record]:
        """In the order of their places."""
        return sorted(self._held, key=lambda record: _place(record["id"]))[: self.most]


def _place(identity: str) -> str:
    """What :func:`driftloop.ids.sampled` looks at, and then the rest."""
    return identity[-8:] + identity
