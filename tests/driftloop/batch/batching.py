"""A batch from file to report, on stores in memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from driftloop import keys
from driftloop.batch.asked import Batch
from driftloop.batch.chunk import score_chunk
from driftloop.batch.division import divide
from driftloop.batch.merge import merge
from driftloop.plan import load
from driftloop.plan.schema import digest
from driftloop.route import Served
from driftloop.spec import Spec
from tests.driftloop.memory import Memory
from tests.driftloop.plans import plan

NOW = "2013-02-01T00:00:00.000Z"
SPEC: dict[str, Any] = {
    "name": "flights",
    "task": "classification",
    "target": "late",
    "time": "sched_dep",
    "key": "flight_id",
    "features": {
        "hour": {"type": "number", "min": 0, "max": 23},
        "carrier": {"type": "category"},
        "temp": {"type": "number", "nullable": True},
    },
}


def spec(**more: Any) -> Spec:
    return Spec.parse(SPEC | more)


@dataclass
class Bench:
    """One model's store and landing bucket. ``plan``: of its champion, version 3."""

    spec: Spec
    plan: bytes
    store: Memory
    landing: Memory

    @classmethod
    def new(cls, data: bytes | None = None, /, **more: Any) -> Bench:
        made = cls(spec(**more), data or plan(), Memory(), Memory())
        made.store.objects["plan"] = made.plan
        return made

    def land(self, data: bytes, name: str = "rows.csv") -> Batch:
        key = keys.batch_file("flights", name)
        self.landing.objects[key] = data
        thing = {"key": key, "version-id": "v1", "size": len(data)}
        event = {"time": NOW, "detail": {"bucket": {"name": "landing"}, "object": thing}}
        batch = Batch.read(event, "flights")
        assert batch is not None
        return replace(batch, champion=Served(3, "plan", digest(self.plan)))

    def run(self, batch: Batch, size: int = 1 << 20, order: Sequence[int] = ()) -> dict[str, Any]:
        """Divide, score every chunk (in some ``order``), merge; the report."""
        scorer = load(self.plan)
        with TemporaryDirectory() as name:
            folder = Path(name)
            found = divide(
                self.store, self.landing, self.spec, batch, scorer, "code", size
            )  # fmt: skip
            for number in order or range(found["chunks"]):
                score_chunk(
                    self.store, self.landing, self.spec, batch, scorer, found["folder"], number,
                    folder,
                )  # fmt: skip
            return merge(self.store, self.spec, batch, found["folder"], folder)

    def left(self) -> dict[str, bytes]:
        """All that stays: what is passing is forgotten."""
        return {k: v for k, v in self.store.objects.items() if k != "plan" and not keys.passing(k)}

    def predictions(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        data = self.store.objects[report["predictions"]]
        match report["format"]:
            case "csv":
                return list(csv.DictReader(io.StringIO(data.decode(), newline="")))
            case "jsonl":
                return [json.loads(line) for line in data.splitlines()]
        rows: list[dict[str, Any]] = pq.read_table(pa.BufferReader(data)).to_pylist()
        return rows

    def rejects(self, report: dict[str, Any]) -> list[dict[str, Any]]:
        if report["rejects"] is None:
            return []
        lines = gzip.decompress(self.store.objects[report["rejects"]]).splitlines()
        return [json.loads(line) for line in lines]


def as_csv(rows: Sequence[dict[str, Any]], *names: str) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, names or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_jsonl(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def as_parquet(rows: Sequence[dict[str, Any]], group: int = 50) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), buffer, row_group_size=group)
    return buffer.getvalue()
