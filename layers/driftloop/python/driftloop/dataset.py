"""Datasets: parts in order, named by the hash of that order.

A part is Parquet alone, under the hash of its rows. What makes parts count is the *intake* of the
upload they came with: one object, written last, that lists all of them. So an upload counts whole
or not at all, wherever a run died, and the dataset of a moment is derived from a listing.

Intakes are in the order of their events. A part that comes again, under whatever name, is one part
and stays where it was. With ``data.mode: replace`` the newest upload stands for all before it;
what came in later to complete it (labels, its own rows re-admitted) is added to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from driftloop import keys, parquet
from driftloop.blobs import Blobs, get_all
from driftloop.rows import Rows, event_times, kinds
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
    """What one upload (or batch of labels) brought. ``ingested``: ISO 8601, of the event that
    brought it; ``position``: its place among those of the same event; ``source``: upload or
    labels; ``columns``: kind by name."""

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

    @property
    def order(self) -> tuple[str, int, str]:
        return self.ingested, self.position, self.name


@dataclass(frozen=True)
class Part(Kept):
    """A part as a dataset names it: with the intake that first brought it."""

    ingested: str = ""
    source: str = ""
    origin: dict[str, Any] | None = None


@dataclass(frozen=True)
class Dataset:
    """``digest`` names the list of parts; ``skipped`` are parts of an older shape of the spec."""

    digest: str
    columns: dict[str, str]
    parts: tuple[Part, ...]
    skipped: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


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
    of the upload: then these count instead, in its old place."""
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
    if store.put_if_absent(key, dump(asdict(intake))):
        return
    there = Intake.parse(store.get(key))
    if (there.columns, there.parts) != (intake.columns, intake.parts):
        again = replace(there, columns=intake.columns, parts=intake.parts)
        store.put(key, dump(asdict(again)))


def add_part(
    store: Blobs, spec: Spec, rows: Rows, now: str, source: str, origin: Mapping[str, Any]
) -> str:
    """Keep ``rows`` as a part that counts, once; returns its name, which is its intake's too."""
    name = rows.digest()
    if not store.exists(keys.facts(spec.name, name)):
        times = event_times(rows, spec)
        some = times is not None and len(rows) > 0
        first = int(np.min(times)) if some and times is not None else None
        last = int(np.max(times)) if some and times is not None else None
        store.put_if_absent(keys.part(spec.name, name), parquet.write(rows))
        enter(store, spec, name, [Kept(name, len(rows), first, last)], now, source, origin)
    return name


def intakes(store: Blobs, model: str) -> list[Intake]:
    """All there are, in order."""
    found = get_all(store, list(store.list(keys.facts(model))))
    return sorted((Intake.parse(data) for _, data in found), key=lambda i: i.order)


def known(before: Sequence[Intake], name: str, now: str, position: int = 0) -> dict[str, str]:
    """Parts that were there when the upload ``name`` came in, and which upload brought each. The
    same answer whenever it is asked, so that a repeated ingest reports the same."""
    moment = (iso(parse(now)), position, name)
    earlier = (intake for intake in reversed(before) if intake.order < moment)
    return {part.sha256: intake.name for intake in earlier for part in intake.parts}


def current(store: Blobs, spec: Spec) -> Dataset | None:
    """The dataset as of now: every part of the spec's shape that reaches into ``data.window``
    (counted back from the newest row), oldest first; its manifest is written. None without any."""
    dataset = resolve(intakes(store, spec.name), spec)
    if dataset is not None:
        store.put_if_absent(keys.dataset(spec.name, dataset.digest), dump(asdict(dataset)))
    return dataset


def resolve(every: Sequence[Intake], spec: Spec) -> Dataset | None:
    """The dataset that these intakes, given in order, make."""
    shape = dict(kinds(spec))
    parts: dict[str, Part] = {}
    skipped: set[str] = set()
    for intake in every:
        for kept in intake.parts:
            if intake.columns != shape:
                skipped.add(kept.sha256)
            else:
                origin = {**intake.origin, "intake": intake.name}
                part = Part(**asdict(kept), ingested=intake.ingested, source=intake.source,
                            origin=origin)  # fmt: skip
                parts.setdefault(kept.sha256, part)
    inside = _inside_window(list(parts.values()), spec)
    if not inside:
        return None
    digest = hashlib.sha256("\n".join(part.sha256 for part in inside).encode()).hexdigest()
    return Dataset(digest, shape, tuple(inside), tuple(sorted(skipped - set(parts))))


def load(store: Blobs, model: str, digest: str) -> Dataset:
    """Read a manifest. Raises NotFound."""
    body = json.loads(store.get(keys.dataset(model, digest)))
    parts = tuple(Part(**part) for part in body["parts"])
    return Dataset(body["digest"], body["columns"], parts, tuple(body["skipped"]))


def read_parts(store: Blobs, spec: Spec, parts: Sequence[Part]) -> list[Rows]:
    """The rows of each part."""
    shape = kinds(spec)
    wanted = (keys.part(spec.name, p.sha256) for p in parts)
    return [parquet.read(data, shape) for _, data in get_all(store, wanted)]


def dump(document: Any) -> bytes:
    """Canonical JSON; raises ValueError for NaN and infinity."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _inside_window(parts: list[Part], spec: Spec) -> list[Part]:
    newest = max((p.last for p in parts if p.last is not None), default=None)
    if spec.data.window is None or newest is None:
        return parts
    oldest = newest - spec.data.window.total_seconds() * 1000
    return [p for p in parts if p.last is not None and p.last >= oldest]
