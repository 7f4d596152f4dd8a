"""Datasets: parts in order, named by the hash of that order.

A part is two objects: the Parquet, and beside it the facts (rows, time span, source, when it was
taken in). The facts are written last, and only a part with facts counts; so the dataset of a
moment is derived from a listing, and a crash between any two writes leaves nothing half-counted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from driftloop import keys, parquet
from driftloop.blobs import Blobs, get_all
from driftloop.rows import Rows, event_times, kinds
from driftloop.spec import Spec
from driftloop.when import iso, parse


@dataclass(frozen=True)
class Part:
    """``first`` and ``last``: event time, epoch milliseconds (None without a time column);
    ``ingested``: ISO 8601, of the event that brought the rows; ``source``: upload or labels."""

    sha256: str
    rows: int
    first: int | None
    last: int | None
    ingested: str
    source: str
    origin: dict[str, Any]
    columns: dict[str, str]

    @classmethod
    def parse(cls, data: bytes) -> Part:
        return cls(**json.loads(data))


@dataclass(frozen=True)
class Dataset:
    """``digest`` names the list of parts; ``skipped`` are parts of an older shape of the spec."""

    digest: str
    parts: tuple[Part, ...]
    skipped: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


def add_part(
    store: Blobs, spec: Spec, rows: Rows, now: str, source: str, origin: Mapping[str, Any]
) -> str:
    """Keep ``rows`` as a part, once; returns its name. Safe to repeat after any crash."""
    name = rows.digest()
    facts_key = keys.part_facts(spec.name, name)
    if not store.exists(facts_key):
        times = event_times(rows, spec)
        some = times is not None and len(rows) > 0
        part = Part(
            sha256=name,
            rows=len(rows),
            first=int(np.min(times)) if some and times is not None else None,
            last=int(np.max(times)) if some and times is not None else None,
            ingested=iso(parse(now)),
            source=source,
            origin=dict(origin),
            columns=dict(rows.kinds),
        )
        store.put_if_absent(keys.part(spec.name, name), parquet.write(rows))
        store.put_if_absent(facts_key, dump(asdict(part)))
    return name


def current(store: Blobs, spec: Spec) -> Dataset | None:
    """The dataset as of now: every part of the spec's shape that reaches into ``data.window``
    (counted back from the newest row), oldest first; its manifest is written. None without any."""
    names = (k for k in store.list(keys.part_facts(spec.name)) if k.endswith(".json"))
    known = [Part.parse(data) for _, data in get_all(store, names)]
    shape = dict(kinds(spec))
    fitting = [p for p in known if p.columns == shape]
    kept = sorted(_inside_window(fitting, spec), key=lambda p: (p.ingested, p.sha256))
    if not kept:
        return None
    dataset = Dataset(
        digest=hashlib.sha256("\n".join(p.sha256 for p in kept).encode()).hexdigest(),
        parts=tuple(kept),
        skipped=tuple(sorted(p.sha256 for p in known if p.columns != shape)),
    )
    store.put_if_absent(keys.dataset(spec.name, dataset.digest), dump(asdict(dataset)))
    return dataset


def load(store: Blobs, model: str, digest: str) -> Dataset:
    """Read a manifest. Raises NotFound."""
    body = json.loads(store.get(keys.dataset(model, digest)))
    parts = tuple(Part(**p) for p in body["parts"])
    return Dataset(body["digest"], parts, tuple(body["skipped"]))


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
