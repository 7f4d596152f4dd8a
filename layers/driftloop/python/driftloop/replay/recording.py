"""A history made of rows: they lie in the store as if the loop had served them and heard of them.

For data whose truth is known already, an example's say. The answers are nobody's and mean nothing;
a replay gives its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from driftloop import captured, keys
from driftloop.blobs import Blobs
from driftloop.captured import Record
from driftloop.checking.contract import check
from driftloop.data import dataset
from driftloop.errors import BadRequest
from driftloop.ids import id_ms, prediction_ids
from driftloop.replay.asked import keep
from driftloop.spec import Spec
from driftloop.when import from_ms, iso

FIRST = 1  # the version that is said to have answered


@dataclass(frozen=True)
class Row:
    """``time``: when it was asked, epoch milliseconds; ``values``: by column of the spec, its
    features, and its key and time if it has them."""

    time: int
    key: str
    values: dict[str, Any]
    truth: str | float


def upload(store: Blobs, spec: Spec, given: Sequence[Row], known: int, name: str) -> None:
    """Rows that were handed in with their truth at ``known`` (epoch milliseconds). Raises
    BadRequest for the first that breaks the spec's contract."""
    columns = {
        column: [row.truth if column == spec.target else row.values[column] for row in given]
        for column in spec.columns
    }
    rows, faults = check(spec, columns)
    if faults:
        first = faults[0]
        raise BadRequest(f"row {first.row} of {name}: {first.field}: {first.rule}", first.field)
    origin = {"bucket": "", "key": keys.incoming(spec.name, name)}
    dataset.add_part(store, spec, rows, iso(from_ms(known)), "upload", origin)


def served(store: Blobs, spec: Spec, rows: Sequence[Row], known: int, name: str) -> None:
    """Rows that were asked about, in order of time, and whose truth was told at ``known``: as
    captures and labels, objects named ``name``."""
    records = [_record(spec, row) for row in rows]
    keep(store, spec.name, records, name)
    told = [
        {"id": record["id"], "label": row.truth, "time": known}
        for record, row in zip(records, rows, strict=True)
    ]
    for day, labels in groupby(told, key=lambda label: _day(label["id"])):
        store.put(keys.labels(spec.name, day, f"{name}.jsonl.gz"), captured.pack(labels))


def _record(spec: Spec, row: Row) -> Record:
    record = {
        "id": prediction_ids(row.key, row.time, 1)[0],
        "time": row.time,
        "version": FIRST,
        "role": "champion",
        "request": row.key,
        "features": {name: row.values[name] for name in spec.features},
        "prediction": 0.5,
        "key": row.key,
    }
    return record | {"at": row.values[spec.time]} if spec.time else record


def _day(identity: str) -> str:
    return f"{from_ms(id_ms(identity)):%Y-%m-%d}"
