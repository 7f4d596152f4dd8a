"""The append-only records: what was decided about every trigger, and who changed what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from driftloop.item import Item


@dataclass(frozen=True)
class Entry(Item):
    """One delivery of one event, and the decision on it.

    ``kind``: upload, alarm, schedule, sweep, manual or run-ended. ``decision``: started, deferred,
    suppressed, rolled_back or recorded. ``event`` is the digest of the event's identity: twins
    share it. ``notice`` is what people are told, kept so that a retry can tell it again.
    """

    time: str
    kind: str
    decision: str
    reason: str
    event: str
    delivery: str
    cause: str | None = None
    run: str | None = None
    escalated: bool | None = None
    notice: dict[str, str] | None = None


@dataclass(frozen=True)
class Pending(Item):
    """A cause that waits for its turn. ``delivery`` ends its sort key."""

    cause: str
    event: str
    time: str
    delivery: str
    reason: str = ""
    uploads: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Audit(Item):
    """One change of what is served or registered. ``before`` and ``after`` are versions."""

    time: str
    action: str
    actor: str
    reason: str
    before: int | None = None
    after: int | None = None
    run: str | None = None

    def to_item(self) -> dict[str, Any]:
        item = super().to_item()
        names = {"before": "from", "after": "to"}
        return {names.get(name, name): value for name, value in item.items()}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        return super().from_item({**item, "before": item.get("from"), "after": item.get("to")})
