"""One chunk scored: its predictions, rejects and captures in the store, and last what they are.

What is said of a chunk is looked for before it is made, so a chunk is scored once, however often
its batch is tried. That it cannot be read is a result as well.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from driftloop.batch.asked import Batch
from driftloop.batch.division import Division
from driftloop.batch.rows import Reject, Scored, score
from driftloop.batch.sample import Sample
from driftloop.batch.table import Part
from driftloop.blobs import Blobs
from driftloop.capture_lines import columns
from driftloop.captured import Record, pack
from driftloop.errors import DataError, NotFound
from driftloop.ids import canonical, ids_at
from driftloop.plan import Scorer
from driftloop.reading import Source
from driftloop.rejects.quarantine import LONGEST_TEXT
from driftloop.scoring import predictions
from driftloop.spec import Spec

EXAMPLES = 5  # rejects in the report
ROLE = "batch"
_LONGEST = 256  # characters of a text that are captured


def score_chunk(
    store: Blobs, landing: Blobs, spec: Spec, batch: Batch, scorer: Scorer, where: str,
    number: int, folder: Path,
) -> bool:  # fmt: skip
    """Score chunk ``number`` of the division that lies at ``where``; False when it was already.
    ``folder``: for files while it lasts."""
    made = Division.load(store, where)
    staged = made.chunk(number)
    if store.exists(f"{staged}.json"):
        return False
    chunk = _Chunk(spec, batch, scorer, made, folder)
    try:
        stream, source = made.open(store, landing, batch, number)
        with stream:
            facts = chunk.score(source)
    except (DataError, NotFound) as error:
        facts = {"error": {"name": type(error).__name__, "message": str(error)}}
    else:
        store.put(f"{staged}.captures", pack(chunk.sample.records()))
        for suffix, path in (("rejects", chunk.rejects), ("predictions", chunk.predictions)):
            with path.open("rb") as file:
                store.put_file(f"{staged}.{suffix}", file)
    store.put(f"{staged}.json", canonical(facts).encode())
    return True


class _Chunk:
    def __init__(
        self, spec: Spec, batch: Batch, scorer: Scorer, made: Division, folder: Path
    ) -> None:
        self._spec, self._scorer, self._made = spec, scorer, made
        read = {*(i.name for i in scorer.inputs), made.key}
        self._kinds = {name: kind for name, kind in made.kinds.items() if name in read}
        self._version, self._name, self._ms = batch.served.version, batch.name, batch.ms
        self._captured = columns([i.name for i in scorer.inputs], spec.key, spec.capture.redact)
        self.sample = Sample(spec.capture.sample)
        self.rejects, self.predictions = folder / "rejects.jsonl.gz", folder / "predictions"

    def score(self, source: Source) -> dict[str, Any]:
        made = self._made
        fields: Counter[str] = Counter()
        examples: list[Reject] = []
        predicted = 0
        with (
            Part(self.predictions, made.form, made.columns, made.key, self._version) as part,
            gzip.GzipFile(self.rejects, "wb", 1, mtime=0) as rejects,
        ):
            for block in source.blocks():
                found = score(self._scorer, block, made.form, self._kinds, made.key)
                self._predict(part, found)
                predicted += len(found.lines)
                rejects.writelines(map(_line, found.rejects))
                fields.update(reject.field for reject in found.rejects)
                examples += found.rejects[: EXAMPLES - len(examples)]
        return {
            "predicted": predicted,
            "rejected": fields.total(),
            "fields": fields,
            "examples": [json.loads(_line(reject)) for reject in examples],
        }

    def _predict(self, part: Part, found: Scored) -> None:
        key = self._made.key
        ids = ids_at(self._name, self._ms, found.lines)
        keys = [instance.get(key) for instance in found.instances] if key else [None] * len(ids)
        part.add(found.lines, keys, predictions(self._scorer, ids, found.scores))
        for row in zip(ids, found.instances, found.scores, strict=True):
            if self.sample.wants(row[0]):
                self.sample.add(self._record(*row))

    def _record(self, identity: str, instance: dict[str, Any], scored: Any) -> Record:
        """As the endpoint's captures are kept."""
        values = {name: _short(instance.get(name)) for name in self._captured}
        record = {
            "id": identity,
            "time": self._ms,
            "version": self._version,
            "role": ROLE,
            "request": self._name,
            "features": {name: values.get(name) for name in self._spec.features},
            "prediction": scored,
        }
        if self._spec.key and (key := values.get(self._spec.key)) is not None:
            record["key"] = key
        return record


def _short(value: Any) -> Any:
    return f"{value[: _LONGEST - 1]}…" if isinstance(value, str) and value[_LONGEST:] else value


def _line(reject: Reject) -> bytes:
    body = {**asdict(reject), "text": reject.text[:LONGEST_TEXT]}
    if not reject.also:
        del body["also"]
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
