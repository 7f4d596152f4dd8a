"""Datasets: parts in order, named by the hash of that order.

The dataset of a moment is derived from the intakes (see there), in their order. A part that comes
again, under whatever name, is one part and stays where it was. With ``data.mode: replace`` the
newest upload stands for all before it; what came in later to complete it (labels, its own rows
re-admitted) is added to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.data import canonical, parquet
from driftloop.data.rows import Rows, event_times, kinds
from driftloop.errors import IntegrityError
from driftloop.spec import Spec
from driftloop.uploads.intake import Intake, Kept, enter, intakes

BATCH = 64 * 1024  # rows


@dataclass(frozen=True, kw_only=True)
class Part(Kept):
    """A part as a dataset names it, with the intake that first brought it."""

    intake: str
    ingested: str
    source: str
    origin: dict[str, Any]


@dataclass(frozen=True)
class Dataset:
    """``digest`` names the list of parts; ``columns``: kind by name; ``key``: the column that makes
    a row itself, if any; ``skipped`` are parts of an older shape of the spec."""

    digest: str
    columns: dict[str, str]
    key: str | None
    parts: tuple[Part, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Dataset:
        body = json.loads(data)
        parts = tuple(Part(**part) for part in body["parts"])
        return cls(**{**body, "parts": parts, "skipped": tuple(body["skipped"])})

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


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


def current(store: Blobs, spec: Spec) -> Dataset | None:
    """The dataset as of now: every part of the spec's shape that reaches into ``data.window``
    (counted back from the newest row), oldest first; its manifest is written. None without any."""
    dataset = resolve(intakes(store, spec.name), spec)
    if dataset is not None:
        store.put_if_absent(keys.dataset(spec.name, dataset.digest), dump(asdict(dataset)))
    return dataset


def resolve(every: Sequence[Intake], spec: Spec) -> Dataset | None:
    """The dataset that these intakes, given in order, make."""
    shape: dict[str, str] = dict(kinds(spec))
    parts: dict[str, Part] = {}
    skipped: set[str] = set()
    for intake in _standing(every, spec):
        fits = intake.columns == shape
        for kept in intake.parts:
            if fits:
                parts.setdefault(kept.sha256, _part(kept, intake))
            else:
                skipped.add(kept.sha256)
    inside = _inside_window(list(parts.values()), spec)
    if not inside:
        return None
    digest = hashlib.sha256("\n".join(part.sha256 for part in inside).encode()).hexdigest()
    return Dataset(digest, shape, spec.key, tuple(inside), tuple(sorted(skipped - set(parts))))


def load(store: Blobs, model: str, digest: str) -> Dataset:
    """Read a manifest. Raises NotFound."""
    return Dataset.parse(store.get(keys.dataset(model, digest)))


def scan(
    store: Blobs,
    model: str,
    found: Dataset,
    parts: Sequence[Part] | None = None,
    only: str | None = None,
) -> Iterator[Any]:
    """All rows of ``parts`` (none given: of the whole dataset), in order, as record batches of
    arrow's; of ``only`` one column, if it is named. Raises IntegrityError behind a part whose rows
    are not those its name says (one column does not tell)."""
    order = [only] if only else []
    for part in found.parts if parts is None else parts:
        digest = canonical.Digest(found.columns)
        with store.open(keys.part(model, part.sha256)) as stream:
            file = pq.ParquetFile(stream)
            order = order or [n for n in file.schema_arrow.names if n in found.columns]
            for batch in file.iter_batches(BATCH, columns=order, use_threads=False):
                batch = batch.select(order)
                if not only:
                    columns = zip(order, batch.columns, strict=True)
                    digest.update({name: parquet.canonical_of(column) for name, column in columns})
                yield batch
        if not only and digest.hexdigest() != part.sha256:
            raise IntegrityError(f"part {part.sha256} of {model} holds other rows than it did")


def dump(document: Any) -> bytes:
    """Canonical JSON; raises ValueError for NaN and infinity."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def _part(kept: Kept, intake: Intake) -> Part:
    return Part(
        **vars(kept),
        intake=intake.name,
        ingested=intake.ingested,
        source=intake.source,
        origin=intake.origin,
    )


def _standing(every: Sequence[Intake], spec: Spec) -> Sequence[Intake]:
    """Those that no later upload replaces."""
    if spec.data.mode == "append":
        return every
    uploads = [i for i in every if i.source == "upload" and i.parts and not _completes(i)]
    if not uploads:
        return every
    newest = uploads[-1]
    later = (i for i in every if i.order > newest.order)
    return [newest, *(i for i in later if _completes(i) in (newest.name, "labels"))]


def _completes(intake: Intake) -> str | None:
    """What it is added to: the upload whose rows these are, readmitted, or that which stands."""
    if intake.source == "labels":
        return "labels"
    return keys.readmitted_from(intake.origin.get("key", ""))


def _inside_window(parts: list[Part], spec: Spec) -> list[Part]:
    newest = max((p.last for p in parts if p.last is not None), default=None)
    if spec.data.window is None or newest is None:
        return parts
    oldest = newest - spec.data.window.total_seconds() * 1000
    return [p for p in parts if p.last is not None and p.last >= oldest]
