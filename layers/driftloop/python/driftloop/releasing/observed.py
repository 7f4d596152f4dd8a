"""Captured answers and labels of two versions → what each answered, since a step began.

Bounded: of very many capture objects those with the smallest names are read. The names are hashes
of the log events they came from, so these are a fair sample, and since a shadow is logged with the
answer it goes beside, the same events are drawn for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from driftloop import captured, keys, losses, truth
from driftloop.blobs import Blobs
from driftloop.captured import Record
from driftloop.ids import id_ms
from driftloop.releasing.evidence import Answered
from driftloop.when import from_ms, to_ms

MOST_OBJECTS = 400  # a version
ROLES = ("champion", "challenger", captured.SHADOW)  # that answered, or would have


@dataclass(frozen=True)
class Look:
    """At one version: from when until when, and the classes it knows (None: numbers)."""

    version: int
    since: datetime
    until: datetime
    classes: Sequence[str] | None

    @property
    def span(self) -> tuple[int, int]:
        return to_ms(self.since), to_ms(self.until)

    @property
    def hours(self) -> range:
        first, last = self.span
        return range(first // captured.HOUR, last // captured.HOUR + 1)


def observed(
    store: Blobs, model: str, metric: str, champion: Look, challenger: Look, paired: bool
) -> tuple[Answered, Answered]:
    """What the champion and the challenger answered. ``paired``: only the rows that both did."""
    theirs, ours = (_records(store, model, look) for look in (champion, challenger))
    if paired:
        both = theirs.keys() & ours.keys()
        theirs, ours = ({k: v for k, v in rows.items() if k in both} for rows in (theirs, ours))
    labels = _labels(store, model, [*theirs, *ours])
    found = [_answered(rows, look.classes, labels, metric)
             for rows, look in ((theirs, champion), (ours, challenger))]  # fmt: skip
    if paired:
        known = ~np.isnan(found[0].losses + found[1].losses)
        found = [replace(a, losses=np.where(known, a.losses, np.nan)) for a in found]
    return found[0], found[1]


def _records(store: Blobs, model: str, look: Look) -> dict[str, Record]:
    """By id, in order of id."""
    objects = captured.object_keys(store, model, [look.version], look.hours)
    taken = sorted(objects, key=lambda key: key.rpartition("/")[2])[:MOST_OBJECTS]
    first, last = look.span
    read = (
        record
        for record in captured.read(store, taken)
        if first <= id_ms(record["id"]) <= last and record["role"] in ROLES
    )
    return {record["id"]: record for record in captured.once(read)}


def _labels(store: Blobs, model: str, ids: Sequence[str]) -> dict[str, Any]:
    days = {f"{from_ms(id_ms(name)):%Y-%m-%d}" for name in ids}
    names = [key for day in sorted(days) for key in store.list(keys.labels(model, day))]
    return truth.labels(store, names)


def _answered(
    rows: Mapping[str, Record],
    classes: Sequence[str] | None,
    labels: Mapping[str, Any],
    metric: str,
) -> Answered:
    if not rows:
        return Answered()
    scores = np.array([record["prediction"] for record in rows.values()], dtype=np.float64)
    read = truth.reader(classes)
    truths = [read(labels[name]) if name in labels else None for name in rows]
    found = np.full(len(rows), np.nan)
    known = np.array([t is not None for t in truths])
    if known.any():
        target = np.array([t for t in truths if t is not None])
        found[known] = losses.row_losses(metric, target, scores[known])
    return Answered(scores, [record["request"] for record in rows.values()], found)
