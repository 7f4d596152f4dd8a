"""One chunk scored: its predictions, rejects and captures in the store, and last what they are.

What is said of a chunk is looked for before it is made, so a chunk is scored once, however often
its batch is tried. That it cannot be read is a result as well.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from driftloop.batch.asked import Batch
from driftloop.batch.division import Division
from driftloop.batch.rows import Reject, Scored, score
from driftloop.batch.sample import Sample
from driftloop.batch.table import Part, document
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
        self._spec, self._batch, self._scorer, self._made = spec, batch, scorer, made
        self._captured = columns([i.name for i in scorer.inputs], spec.key, spec.capture.redact)
        self.sample = Sample(spec.capture.sample)
        self.rejects, self.predictions = folder / "rejects.jsonl.gz", folder / "predictions"

    def score(self, source: Source) -> dict[str, Any]:
        made = self._made
        examples: list[Reject] = []
        fields: Counter[str] = Counter()
        predicted = 0
        with (
            Part(self.predictions, made.form, made.columns) as part,
            gzip.GzipFile(self.rejects, "wb", 1, mtime=0) as rejects,
        ):
            for block in source.blocks():
                found = score(self._scorer, block, made.form, made.kinds, made.key)
                part.add(list(self._documents(found)))
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

    def _documents(self, found: Scored) -> Iterator[dict[str, Any]]:
        batch, key, version = self._batch, self._made.key, self._batch.served.version
        ids = ids_at(batch.name, batch.ms, found.lines)
        answers = predictions(self._scorer, ids, found.scores)
        rows = zip(found.lines, found.instances, answers, found.scores, strict=True)
        for line, instance, answer, scored in rows:
            if self.sample.wants(answer["id"]):
                self.sample.add(self._record(answer["id"], instance, scored))
            yield document(line, key, instance.get(key) if key else None, answer, version)

    def _record(self, identity: str, instance: dict[str, Any], scored: Any) -> Record:
        """As the endpoint's captures are kept."""
        spec, batch = self._spec, self._batch
        values = {name: _short(instance.get(name)) for name in self._captured}
        key = values.get(spec.key) if spec.key else None
        return {
            "id": identity,
            "time": batch.ms,
            "version": batch.served.version,
            "role": ROLE,
            "request": batch.name,
            "features": {name: values.get(name) for name in spec.features},
            "prediction": scored,
            **({} if key is None else {"key": key}),
        }


def _short(value: Any) -> Any:
    return f"{value[: _LONGEST - 1]}…" if isinstance(value, str) and value[_LONGEST:] else value


def _line(reject: Reject) -> bytes:
    body = {**asdict(reject), "text": reject.text[:LONGEST_TEXT]}
    if not reject.also:
        del body["also"]
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
