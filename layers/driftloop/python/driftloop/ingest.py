"""Uploads → parts, a dataset and quarantine. Law 1: accepted + quarantined = input.

An upload is refused whole (unreadable, wrong columns, too many bad rows, broken expectations) or
taken in, row by row. Uploads are settled in their order. A small one is checked at once; from the
first large one on they are divided, their pieces checked elsewhere, and what was found is merged
here, in rounds, until no piece needs to be told more about the whole. The rows fare the same
either way. Every write is idempotent, so a run that died anywhere is repeated as if it had not
begun.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.checking.late import Late, late_of
from driftloop.data import dataset
from driftloop.errors import DataError, NotFound
from driftloop.ids import canonical
from driftloop.profiling import dataset_profile
from driftloop.spec import Spec
from driftloop.uploads.division import Division, batches, divide, stamp
from driftloop.uploads.pieces import PIECE, Found, TooMuch, check_here, collect, tell
from driftloop.uploads.settle import Refusal, named, settle
from driftloop.uploads.upload import File, Upload, files

MOST_ROUNDS = 8  # a few for categories, two for repeats; more would be a mistake of ours
Settled = tuple[Division, Sequence[Found], Refusal | None]
MOST_NAMED = 200
"""Parts that the answer names; the reports name all. It goes through every state, and what goes
through these is bounded (256 KiB)."""
Told = Mapping[str, Mapping[int, str]]
"""Upload → piece → name of what it was told."""


def ingest(
    store: Blobs,
    landing: Blobs,
    spec: Spec,
    uploads: Sequence[Upload],
    now: str,
    folder: Path,
    run: str,
    code: str = "",
    piece: int = PIECE,
) -> dict[str, Any]:
    """Take in every upload and resolve the dataset, or say what is to be checked first.

    ``now``: of the event that started the ``run``; ``folder``: for files while it lasts; ``code``:
    names this code; ``piece``: bytes of text that one process checks.

    Returns ``{"accepted", "new", "rejected", "refused": [{"key", "error", "message"}], "parts",
    "dataset": digest or None, "pieces": 0}``, ``new`` being accepted rows of uploads that brought
    parts not seen before; or, with ``pieces`` above 0, ``items``: the key of a
    list of work for :func:`driftloop.uploads.pieces.check`, after which :func:`merge` goes on. With
    several uploads a refused one is reported and the others go on; when all are, the first refusal
    is raised.
    """
    for position, upload in enumerate(uploads):
        try:
            _settle_here(store, landing, spec, upload, position, now, folder, piece)
        except TooMuch:
            mark = stamp(spec, code, now)
            divided = [
                divide(store, landing, spec, later, place, mark, piece)
                for place, later in enumerate(uploads[position:], position)
            ]
            work = {made.upload.name: list(range(len(made.pieces))) for made in divided}
            if not any(work.values()):
                nothing: list[Settled] = [(made, [], _refused(made)) for made in divided]
                return _settle(store, spec, uploads, nothing, now)
            return _work(store, spec, run, divided, {}, work, 0, piece)
    return _answer(store, spec, uploads)


def merge(
    store: Blobs,
    spec: Spec,
    uploads: Sequence[Upload],
    now: str,
    folder: Path,
    run: str,
    number: int,
    piece: int = PIECE,
) -> dict[str, Any]:
    """Go on after the pieces of round ``number`` were checked; answers as :func:`ingest` does."""
    said = json.loads(store.get(keys.pieces(spec.name, run, f"round-{number}.json")))
    told: dict[str, dict[int, str]] = {
        name: {int(n): late for n, late in pieces.items()} for name, pieces in said["told"].items()
    }
    divided = [
        Division.load(store, spec, upload, said["stamp"])
        for upload in uploads
        if upload.name in said["uploads"]
    ]
    settled: list[Settled] = []
    work = {}
    for made in divided:
        name, refused = made.upload.name, _refused(made)
        found = collect(store, spec, made, told.get(name, {}), folder)
        try:
            if late := _late(spec, found):
                told[name] = {**told.get(name, {}), **tell(store, spec, made, late)}
                work[name] = sorted(late)
        except DataError as error:
            refused = error
        settled.append((made, found, refused))
    if not work:
        return _settle(store, spec, uploads, settled, now)
    if number >= MOST_ROUNDS:
        raise RuntimeError(f"run {run}: its pieces are not settled after {number} rounds")
    return _work(store, spec, run, divided, told, work, number + 1, piece)


def _settle_here(
    store: Blobs, landing: Blobs, spec: Spec, upload: Upload, position: int, now: str,
    folder: Path, room: int,
) -> None:  # fmt: skip
    """Check and settle one upload. Raises TooMuch."""
    chosen: list[File] = []
    found: list[Found] = []
    refused: Refusal | None = None
    with TemporaryDirectory(dir=folder) as name:
        own = Path(name)
        try:
            chosen = files(landing, spec.name, upload)
            found = check_here(landing, spec, chosen, now, own, room, {})
            while late := _late(spec, found):
                found = check_here(landing, spec, chosen, now, own, room, late, found)
        except (DataError, NotFound) as error:
            refused = error
        settle(store, spec, upload, position, now, chosen, found, refused)


def _late(spec: Spec, found: Sequence[Found]) -> dict[int, Late]:
    """What pieces are to be told; nothing when one cannot be read, and all is refused."""
    checked = [one.checked for one in found if one.checked]
    return late_of(spec, checked) if checked and len(checked) == len(found) else {}


def _settle(
    store: Blobs,
    spec: Spec,
    uploads: Sequence[Upload],
    settled: Sequence[Settled],
    now: str,
) -> dict[str, Any]:
    for made, found, refused in settled:
        settle(store, spec, made.upload, made.position, now, made.files, found, refused)
    return _answer(store, spec, uploads)


def _refused(made: Division) -> Refusal | None:
    """Why it could not be divided."""
    return named(made.error["name"])(made.error["message"]) if made.error else None


def _work(
    store: Blobs,
    spec: Spec,
    run: str,
    divided: Sequence[Division],
    told: Told,
    work: Mapping[str, Sequence[int]],
    number: int,
    piece: int,
) -> dict[str, Any]:
    """Keep what round ``number`` has to check, and say where it lies."""
    items = [
        item
        for made in divided
        if made.upload.name in work
        for item in batches(made, work[made.upload.name], told.get(made.upload.name, {}), piece)
    ]
    names = [made.upload.name for made in divided]
    said = {"uploads": names, "stamp": divided[0].stamp, "told": told}
    store.put(keys.pieces(spec.name, run, f"round-{number}.json"), canonical(said).encode())
    listed = keys.pieces(spec.name, run, f"items-{number}.json")
    store.put(listed, canonical(items).encode())
    return {"pieces": sum(len(i["pieces"]) for i in items), "items": listed, "round": number}


def _answer(store: Blobs, spec: Spec, uploads: Sequence[Upload]) -> dict[str, Any]:
    """What became of all uploads, from their reports. Raises the first refusal if all are."""
    reports = [json.loads(store.get(keys.ingest_report(spec.name, u.name))) for u in uploads]
    refused = [
        {"key": r["upload"]["key"], "error": r["error"]["name"],
         "message": r["error"]["message"][:1000]}
        for r in reports if r["error"]
    ]  # fmt: skip
    if uploads and len(refused) == len(uploads):
        first = refused[0]
        more = f" (and {len(refused) - 1} more uploads refused)" if len(refused) > 1 else ""
        raise named(first["error"])(f"{first['key']}: {first['message']}{more}")
    found = dataset.current(store, spec)
    if found:
        dataset_profile.keep(store, spec, found)
    return {
        "accepted": sum(r["accepted"] for r in reports),
        "new": sum(r["accepted"] for r in reports if set(r["parts"]) - set(r["known"])),
        "rejected": sum(r["rejected"] for r in reports if not r["error"]),
        "refused": refused,
        "parts": list(dict.fromkeys(part for r in reports for part in r["parts"]))[:MOST_NAMED],
        "dataset": found.digest if found else None,
        "pieces": 0,
    }
