"""How a large upload is divided: into pieces that begin at record boundaries, each checked alone.

The division is kept in the store before anything is checked, so that every process, and every
repetition, has the same pieces in mind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, BinaryIO

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.data.rows import kinds
from driftloop.errors import DataError, NotFound
from driftloop.ids import canonical, digest
from driftloop.reading import Source
from driftloop.spec import Spec
from driftloop.uploads.cutting import Piece, Wanted, cut_file, open_cut, too_large
from driftloop.uploads.upload import File, Upload, files

MOST_PIECES = 256
"""16 GiB of text in pieces of the usual size: what repeats among the rows of all pieces is looked
for in one process, on a disk that holds some 16 to 24 bytes of each row."""
_AT_ONCE = 200  # small files that one process checks at most


@dataclass(frozen=True)
class Division:
    """``position``: the upload's place among those of its run; ``stamp``: names spec, code and
    moment; ``shapes``: of each file that was cut; ``error``: why it cannot be (name, message)."""

    upload: Upload
    position: int
    stamp: str
    files: list[File] = field(default_factory=list)
    shapes: list[dict[str, Any] | None] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    error: dict[str, str] | None = None

    @classmethod
    def load(cls, store: Blobs, spec: Spec, upload: Upload, stamp: str) -> Division:
        """Raises NotFound."""
        body = json.loads(store.get(cls(upload, 0, stamp).key(spec, "division.json")))
        body["upload"] = Upload(**body["upload"])
        body["files"] = [File(**file) for file in body["files"]]
        body["pieces"] = [Piece(**piece) for piece in body["pieces"]]
        return cls(**body)

    def key(self, spec: Spec, name: str) -> str:
        """Where something lies that belongs to this division."""
        return keys.pieces(spec.name, self.upload.name, f"{self.stamp}/{name}")

    def open(
        self, store: Blobs, landing: Blobs, spec: Spec, piece: Piece
    ) -> tuple[BinaryIO, Source]:
        """A piece, and the stream to be closed after it. Raises DataError."""
        file, shape = self.files[piece.file], self.shapes[piece.file]
        stream, source = open_cut(store, landing, file, wanted(spec), shape, piece)
        if piece.cut is None:
            source = replace(source, whole=len(self.files) == 1)
        return stream, source


def divide(
    store: Blobs,
    landing: Blobs,
    spec: Spec,
    upload: Upload,
    position: int,
    stamp: str,
    size: int,
) -> Division:
    """Cut every file that is larger than a piece of ``size`` bytes of text, stage what was packed,
    and keep the division, unless there is one. A file that cannot be cut makes one that says so."""
    made = Division(upload, position, stamp)
    if store.exists(made.key(spec, "division.json")):
        return Division.load(store, spec, upload, stamp)
    try:
        made = replace(made, files=files(landing, spec.name, upload))
        shapes: list[dict[str, Any] | None] = []
        pieces: list[Piece] = []
        text = 0
        for number in range(len(made.files)):
            shape, own = cut_file(
                store, landing, made.files[number], wanted(spec), number, size, MOST_PIECES,
                lambda name: made.key(spec, name),
            )  # fmt: skip
            shapes.append(shape)
            pieces += own
            text += len(own) * size if shape else made.files[number].size
            if text > MOST_PIECES * size:
                raise too_large(MOST_PIECES * size)
        made = replace(made, shapes=shapes, pieces=pieces)
    except (DataError, NotFound) as error:
        made = replace(made, error=told(error))
    store.put(made.key(spec, "division.json"), canonical(asdict(made)).encode())
    return made


def batches(
    made: Division, numbers: Sequence[int], late: Mapping[int, str], size: int
) -> Iterator[dict[str, Any]]:
    """Items of work, each for one process: pieces as (number, name of what it is told)."""
    batch: list[tuple[int, str]] = []
    weight = 0
    for number in numbers:
        piece = made.pieces[number]
        own = size if piece.cut else made.files[piece.file].size
        if batch and (weight + own > size or len(batch) >= _AT_ONCE):
            yield {"upload": asdict(made.upload), "stamp": made.stamp, "pieces": batch}
            batch, weight = [], 0
        batch, weight = [*batch, (number, late.get(number, ""))], weight + own
    if batch:
        yield {"upload": asdict(made.upload), "stamp": made.stamp, "pieces": batch}


def stamp(spec: Spec, code: str, now: str) -> str:
    """Names all that decides of a piece besides the piece."""
    return digest(spec.to_json().decode(), code, now)[:16]


def wanted(spec: Spec) -> Wanted:
    """What is read of a file of labelled rows."""
    return Wanted(kinds(spec), others(spec))


def others(spec: Spec) -> bool:
    """Whether a file may hold columns that the spec does not name."""
    return spec.data.other_columns == "ignore"


def told(error: Exception) -> dict[str, str]:
    """An error as it is kept."""
    return {"name": type(error).__name__, "message": str(error)}
