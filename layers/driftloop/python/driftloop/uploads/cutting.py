"""One landed file → pieces that begin at record boundaries, each to be opened alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from driftloop.blobs import Blobs
from driftloop.data.rows import Kind
from driftloop.errors import TooLarge
from driftloop.reading import Source, cut, open_piece, open_source
from driftloop.reading.unpack import GZIP, PARQUET
from driftloop.uploads.upload import File

Shape = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """A stretch of file number ``file``: ``cut`` (:class:`driftloop.reading.Cut` but for its
    shape), or all of it when None; ``staged``: the key of its own text, when it was packed."""

    file: int
    cut: dict[str, Any] | None = None
    staged: str = ""


@dataclass(frozen=True)
class Wanted:
    """``kinds``: the columns to be read; ``others``: whether a file may hold further ones."""

    kinds: Mapping[str, Kind]
    others: bool


def cut_file(
    store: Blobs, landing: Blobs, file: File, wanted: Wanted, number: int, size: int, most: int,
    staging: Callable[[str], str],
) -> tuple[Shape | None, list[Piece]]:  # fmt: skip
    """Cut file ``number`` if it is larger than a piece of ``size`` bytes of text; of what was
    packed, stage each piece's own text under the key that ``staging`` gives for its name.

    Returns the shape of a file that was cut (else None), and its pieces. Raises DataError,
    NotFound; TooLarge for more than ``most`` pieces.
    """
    pieces: list[Piece] = []
    shape: Shape | None = None
    with landing.open(file.key, file.version_id) as stream:
        head = stream.read(4)  # of Parquet, the size says nothing of its rows
        small = size // 10 if head.startswith(GZIP) else 0 if head == PARQUET else size
        if file.size <= small:
            return None, [Piece(number)]
        stream.seek(0)
        for found in cut(stream, wanted.kinds, size, others=wanted.others):
            if len(pieces) >= most:
                raise too_large(most * size)
            document, shape, staged = found.to_json(), found.shape, ""
            del document["shape"]
            if found.data is not None:
                staged = staging(f"{number}-{found.number}.text.gz")
                store.put(staged, found.data)
            pieces.append(Piece(number, document, staged))
    if head == PARQUET and len(pieces) == 1:
        return None, [Piece(number)]
    return shape, pieces


def open_cut(
    store: Blobs, landing: Blobs, file: File, wanted: Wanted, shape: Shape | None, piece: Piece
) -> tuple[BinaryIO, Source]:
    """A piece, and the stream to be closed after it. Raises DataError."""
    bounds = piece.cut or {}
    if piece.staged:
        stream = store.open(piece.staged)
    else:
        start, end = bounds.get("start") or 0, bounds.get("end")
        stream = landing.open(file.key, file.version_id, start, end or file.size)
    if piece.cut is None:
        return stream, open_source(stream, wanted.kinds, wanted.others)
    return stream, open_piece(stream, {**piece.cut, "shape": shape}, wanted.kinds)


def too_large(size: int) -> TooLarge:
    """``size``: bytes that are the most one may hold."""
    return TooLarge(f"the upload holds over {size >> 20:,} MiB; make several uploads of it")
