"""Ingest as the state machine runs it: take in, check the pieces, merge, until all is settled."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from driftloop import keys
from driftloop.data import parquet
from driftloop.data.dataset import Part
from driftloop.data.rows import Rows, kinds
from driftloop.ingest import ingest, merge
from driftloop.spec import Spec
from driftloop.uploads.pieces import PIECE, check
from driftloop.uploads.upload import Upload
from tests.driftloop.memory import Memory

NOW = "2013-02-01T00:00:00.000Z"


def take_in(
    store: Memory,
    landing: Memory,
    spec: Spec,
    uploads: list[Upload],
    piece: int = PIECE,
    now: str = NOW,
    code: str = "c1",
    on_check: Callable[[Any], None] = lambda item: None,
) -> dict[str, Any]:
    """The answer; ``on_check`` hears of each item before it is checked."""

    with tempfile.TemporaryDirectory() as name:

        def folder() -> Path:
            return Path(tempfile.mkdtemp(dir=name))

        answer = ingest(store, landing, spec, uploads, now, folder(), "r", code, piece)
        while answer["pieces"]:
            for item in json.loads(store.get(answer["items"])):
                on_check(item)
                check(store, landing, spec, json.loads(json.dumps(item)), now, folder())
            answer = merge(store, spec, uploads, now, folder(), "r", answer["round"], piece)
    return answer


def world(*files: bytes, names: Iterable[str] = ()) -> tuple[Memory, Memory, list[Upload]]:
    """A store, and a landing bucket with these files as uploads."""
    landing = Memory()
    store = Memory(others={"landing": landing})
    uploads = []
    given = list(names) or [f"{i}.csv" for i in range(len(files))]
    for name, data in zip(given, files, strict=True):
        key = keys.incoming("toy", name)
        landing.objects[key] = data
        uploads.append(Upload("landing", key, "v1", len(data)))
    return store, landing, uploads


def quarantined(store: Memory, upload: Upload) -> list[dict[str, Any]]:
    """Its rejected rows."""
    key = keys.quarantine("toy", upload.name)
    if key not in store.objects:
        return []
    return [json.loads(line) for line in gzip.decompress(store.objects[key]).splitlines()]


def report(store: Memory, upload: Upload) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.objects[keys.ingest_report("toy", upload.name)])
    return found


def read_parts(store: Memory, spec: Spec, parts: Iterable[Part]) -> list[Rows]:
    """The rows of each part."""
    names = (keys.part(spec.name, part.sha256) for part in parts)
    return [parquet.read(store.get(name), kinds(spec)) for name in names]


def lasting(store: Memory) -> dict[str, bytes]:
    """The store but for what was only needed on the way."""
    return {k: v for k, v in store.objects.items() if "/pieces/" not in k}
