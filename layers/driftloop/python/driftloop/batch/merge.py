"""The chunks' results as one: predictions, rejects and captures, and last of all the report."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from driftloop import captured, errors, keys
from driftloop.batch.asked import Batch
from driftloop.batch.chunk import EXAMPLES
from driftloop.batch.division import Division
from driftloop.batch.sample import Sample
from driftloop.batch.table import whole
from driftloop.blobs import Blobs, flowing, get_all, joined
from driftloop.data.dataset import dump
from driftloop.errors import DriftloopError
from driftloop.spec import Spec
from driftloop.when import from_ms

Report = dict[str, Any]
_BLOCK = 1 << 20


def merge(store: Blobs, spec: Spec, batch: Batch, where: str, folder: Path) -> Report:
    """Join what the chunks of the division at ``where`` gave. Raises the DataError for which one of
    them could not be read, after it was reported; NotFound while one was not scored."""
    made = Division.load(store, where)
    chunks = [made.chunk(number) for number in range(len(made.pieces))]
    facts = [json.loads(data) for _, data in get_all(store, [f"{chunk}.json" for chunk in chunks])]
    for found in facts:
        if "error" in found:
            error: DriftloopError = getattr(errors, found["error"]["name"])(
                found["error"]["message"]
            )
            refuse(store, spec, batch, error)
            raise error
    fields: Counter[str] = Counter()
    for found in facts:
        fields.update(found["fields"])

    def staged(suffix: str) -> Iterator[BinaryIO]:
        return (store.open(f"{chunk}.{suffix}") for chunk in chunks)

    predictions = keys.predictions(spec.name, batch.name, f"predictions.{made.form}")
    with whole(made.form, made.columns, staged("predictions"), folder) as file:
        store.put_file(predictions, file)
    rejects = None
    if fields:
        rejects = keys.predictions(spec.name, batch.name, "rejects.jsonl.gz")
        store.put_file(rejects, flowing(_repacked(joined(staged("rejects")))))
    captures = _capture(store, spec, batch, chunks)
    report = {
        **_head(spec, batch),
        "format": made.form,
        "rows": sum(found["predicted"] for found in facts) + fields.total(),
        "predicted": sum(found["predicted"] for found in facts),
        "rejected": fields.total(),
        "rejected_by": dict(sorted(fields.items())),
        "examples": [e for found in facts for e in found["examples"]][:EXAMPLES],
        "captured": captures,
        "columns": list(made.columns),
        "predictions": predictions,
        "rejects": rejects,
        "error": None,
    }
    store.put(keys.predictions(spec.name, batch.name, "report.json"), dump(report))
    return report


def refuse(store: Blobs, spec: Spec, batch: Batch, error: DriftloopError) -> None:
    """Report why nothing of the file was scored."""
    why = {"name": type(error).__name__, "message": str(error)}
    report = {**_head(spec, batch), "error": why}
    store.put(keys.predictions(spec.name, batch.name, "report.json"), dump(report))


def _head(spec: Spec, batch: Batch) -> Report:
    champion = batch.champion
    return {
        "batch": batch.name,
        "model": spec.name,
        "version": champion.version if champion else None,
        "plan_sha256": champion.sha256 if champion else None,
        "file": {"bucket": batch.bucket, **vars(batch.file)},
        "now": batch.now,
    }


def _capture(store: Blobs, spec: Spec, batch: Batch, chunks: Sequence[str]) -> int:
    """One object, among the endpoint's of the same hour."""
    sample = Sample(spec.capture.sample)
    for chunk in chunks:
        sample.add_sorted(captured.read(store, [f"{chunk}.captures"]))
    records = sample.records()
    if records:
        made = from_ms(batch.ms)
        key = keys.captures(
            spec.name, batch.served.version, f"{made:%Y-%m-%d}", f"{made:%H}",
            f"batch-{batch.name}.jsonl.gz",
        )  # fmt: skip
        store.put(key, captured.pack(records))
    return len(records)


def _repacked(members: BinaryIO) -> Iterator[bytes]:
    """Members of gzip as one, the same bytes whatever their number."""
    packer = zlib.compressobj(6, wbits=31)
    with gzip.open(members) as lines:
        while data := lines.read(_BLOCK):
            yield packer.compress(data)
    yield packer.flush()
