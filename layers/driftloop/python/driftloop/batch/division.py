"""How a file is divided: which columns are read, and into which chunks it is cut.

Kept in the store before anything is scored, under a name that holds all that decides of a chunk's
result: the object, the version that scores, spec, code and the size of chunks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from driftloop import keys
from driftloop.batch.asked import Batch
from driftloop.batch.table import Form, columns
from driftloop.blobs import Blobs
from driftloop.data.rows import Kind
from driftloop.ids import canonical, digest
from driftloop.plan import Scorer
from driftloop.reading import Source, open_source
from driftloop.reading.columns import check_columns
from driftloop.reading.limits import LIMITS
from driftloop.spec import Spec
from driftloop.uploads.cutting import Piece, Wanted, cut_file, open_cut

CHUNK = 16 << 20  # bytes of text; some 250,000 rows, scored in less than a minute
MOST_CHUNKS = 1024


@dataclass(frozen=True)
class Division:
    """``folder``: where the chunks' results lie; ``kinds``: the columns that are read, of which
    ``key`` is the user's own (None: the file has none); ``columns``: those of the predictions, with
    their kind."""

    folder: str
    form: Form
    kinds: dict[str, Kind]
    others: bool
    key: str | None
    columns: dict[str, str]
    shape: dict[str, Any] | None
    pieces: list[Piece]

    @classmethod
    def load(cls, store: Blobs, folder: str) -> Division:
        """Raises NotFound."""
        body = json.loads(store.get(f"{folder}division.json"))
        return cls(**{**body, "pieces": [Piece(**piece) for piece in body["pieces"]]})

    def chunk(self, number: int) -> str:
        """Where the result of a chunk lies, but for the suffix."""
        return f"{self.folder}{number:05d}"

    def open(
        self, store: Blobs, landing: Blobs, batch: Batch, number: int
    ) -> tuple[BinaryIO, Source]:
        """A chunk, and the stream to be closed after it. Raises DataError."""
        wanted = Wanted(self.kinds, self.others)
        return open_cut(store, landing, batch.file, wanted, self.shape, self.pieces[number])


def divide(
    store: Blobs, landing: Blobs, spec: Spec, batch: Batch, scorer: Scorer, code: str, size: int
) -> dict[str, Any]:
    """Cut the file into chunks of ``size`` bytes of text, unless it was. Returns ``{"folder",
    "chunks", "items"}``; ``items``: the key of a list of ``{"chunk": number}``. Raises DataError
    for a file that cannot be scored at all, NotFound when it is gone."""
    settled = digest(batch.served.sha256, spec.to_json().decode(), code, batch.now, str(size))[:16]
    folder = keys.pieces(spec.name, batch.name, f"{settled}/")
    if store.exists(f"{folder}division.json"):
        made = Division.load(store, folder)
    else:
        made = _divide(store, landing, spec, batch, scorer, folder, size)
        # The columns keep their order.
        store.put(f"{folder}division.json", json.dumps(asdict(made)).encode())
    items = [{"chunk": number} for number in range(len(made.pieces))]
    listed = keys.pieces(spec.name, batch.name, f"items-{settled}.json")
    store.put(listed, canonical(items).encode())
    return {"folder": folder, "chunks": len(items), "items": listed}


def _divide(
    store: Blobs, landing: Blobs, spec: Spec, batch: Batch, scorer: Scorer, folder: str, size: int
) -> Division:
    inputs: dict[str, Kind] = {
        i.name: "number" if i.type == "number" else "text" for i in scorer.inputs
    }
    with landing.open(batch.file.key, batch.file.version_id) as stream:
        source = open_source(stream, inputs, others=True)
    found = _wanted(source, spec, inputs)
    key = spec.key if spec.key in found.kinds else None
    shape, pieces = cut_file(
        store, landing, batch.file, found, 0, size, MOST_CHUNKS, lambda name: folder + name
    )
    return Division(
        folder, source.format, dict(found.kinds), found.others, key, columns(scorer, key), shape,
        pieces,
    )  # fmt: skip


def _wanted(source: Source, spec: Spec, inputs: dict[str, Kind]) -> Wanted:
    """The inputs of the version and the user's key. What else the spec names (the target, say) may
    be there and is not looked at; further columns may as ``data.other_columns`` says. Raises
    WrongColumns."""
    known: dict[str, Kind] = {**spec.kinds, **inputs}
    others = spec.data.other_columns == "ignore"
    if source.format == "jsonl":  # each object has fields of its own
        return Wanted(known, others)
    there = [name for name in known if name in inputs or name in source.header]
    check_columns(source.header, there, others, LIMITS)
    kinds = inputs | ({spec.key: known[spec.key]} if spec.key in source.header else {})
    return Wanted(kinds, others=True)
