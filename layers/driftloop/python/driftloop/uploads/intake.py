"""Intakes: what each upload brought. Written last, an intake makes the upload's parts count.

A part is Parquet alone, under the hash of its rows; an intake is one object that lists all parts
of one upload (or batch of labels). So an upload counts whole or not at all, wherever a run died.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs, get_all
from driftloop.data.rows import kinds
from driftloop.ids import canonical
from driftloop.spec import Spec
from driftloop.when import iso, parse


@dataclass(frozen=True)
class Kept:
    """Accepted rows that lie in the store as one part. ``first`` and ``last``: event time, epoch
    milliseconds (None without a time column)."""

    sha256: str
    rows: int
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Intake:
    """``ingested``: ISO 8601, of the event that brought it; ``position``: its place among those of
    the same event; ``source``: upload or labels; ``columns``: kind by name."""

    name: str
    ingested: str
    position: int
    source: str
    origin: dict[str, Any]
    columns: dict[str, str]
    parts: tuple[Kept, ...]

    @classmethod
    def parse(cls, data: bytes) -> Intake:
        body = json.loads(data)
        return cls(**{**body, "parts": tuple(Kept(**part) for part in body["parts"])})

    def dump(self) -> bytes:
        return canonical(asdict(self)).encode()

    @property
    def order(self) -> tuple[str, int, str]:
        """Intakes are in the order of their events."""
        return self.ingested, self.position, self.name


def enter(
    store: Blobs,
    spec: Spec,
    name: str,
    parts: Sequence[Kept],
    now: str,
    source: str,
    origin: Mapping[str, Any],
    position: int = 0,
) -> None:
    """Let ``parts``, which lie in the store, count as what the upload ``name`` brought: all of
    them, in the file's order. Said again it changes nothing, unless another spec made other parts
    of the upload, or none: then these count instead, in its old place."""
    intake = Intake(
        name=name,
        ingested=iso(parse(now)),
        position=position,
        source=source,
        origin=dict(origin),
        columns=dict(kinds(spec)),
        parts=tuple(part for part in parts if part.rows),
    )
    key = keys.facts(spec.name, name)
    if store.put_if_absent(key, intake.dump()):
        return
    there = Intake.parse(store.get(key))
    if (there.columns, there.parts) != (intake.columns, intake.parts):
        store.put(key, replace(there, columns=intake.columns, parts=intake.parts).dump())


def intakes(store: Blobs, model: str) -> list[Intake]:
    """All there are, in order."""
    found = get_all(store, list(store.list(keys.facts(model))))
    return sorted((Intake.parse(data) for _, data in found), key=lambda intake: intake.order)


def known(every: Sequence[Intake], name: str, now: str, position: int = 0) -> dict[str, str]:
    """Parts that were there when the upload ``name`` came in, and which upload brought each. The
    same answer whenever it is asked, so that a repeated ingest reports the same."""
    moment = (iso(parse(now)), position, name)
    earlier = (intake for intake in reversed(every) if intake.order < moment)
    return {part.sha256: intake.name for intake in earlier for part in intake.parts}
