"""What the check of each piece of an upload found.

A small upload is checked where it is met, each file a piece. The pieces of a large one are checked
by as many processes as there are, which leave what they found in the store under names that hold
all that decides of it: the piece, spec, code, moment, and what the whole upload told it. So a
result is looked for before it is made, and partial failure costs only what failed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from driftloop.blobs import READERS, Blobs, get_all
from driftloop.checking.check import Checked, check_source
from driftloop.checking.late import Late
from driftloop.data.rows import kinds
from driftloop.errors import DataError, NotFound, TooLarge
from driftloop.ids import canonical, digest
from driftloop.profiling.profile import Profile
from driftloop.reading import Block, Limits, Source, open_source
from driftloop.spec import Spec
from driftloop.uploads.division import Division, others, told
from driftloop.uploads.upload import File, Upload
from driftloop.when import parse, to_ms

PIECE = 64 << 20  # bytes of text
MOST_HERE = 100  # files that are checked where the upload is met


class TooMuch(Exception):
    """More than one process should check."""


@dataclass(frozen=True)
class Found:
    """What the check of a piece of file number ``file`` gave: ``checked``, or the ``error`` (name,
    message) for which it cannot be read. ``staged``: where its files lie in the store; empty when
    they lie in ``checked.folder``."""

    file: int
    checked: Checked | None = None
    error: dict[str, str] | None = None
    shape: dict[str, Any] | None = None
    staged: str = ""

    def part(self, store: Blobs, key: str) -> None:
        """Put the accepted rows where they belong."""
        assert self.checked is not None
        if self.staged:
            store.copy_from(key, f"{self.staged}.parquet")
        else:
            with self.checked.part_file.open("rb") as file:
                store.put_file(key, file)

    def profile(self, store: Blobs) -> Profile:
        """Of the accepted rows, and of why others were rejected."""
        assert self.checked is not None
        if self.staged:
            return Profile.from_json(json.loads(store.get(f"{self.staged}.profile.json")))
        return self.checked.profile

    def rejected(self, store: Blobs) -> BinaryIO:
        """The rejected rows (``.jsonl.gz``)."""
        assert self.checked is not None
        if self.staged:
            return store.open(f"{self.staged}.jsonl.gz")
        return self.checked.rejected_file.open("rb")


def check_here(
    landing: Blobs,
    spec: Spec,
    files: Sequence[File],
    now: str,
    folder: Path,
    room: int,
    late: Mapping[int, Late],
    before: Sequence[Found] = (),
) -> list[Found]:
    """Check each file in this process; with ``before``, only those again that ``late`` speaks of.

    Raises TooMuch for more than ``room`` bytes of text, or too many files.
    """
    if len(files) > MOST_HERE or sum(file.size for file in files) > room:
        raise TooMuch
    found = list(before)
    for number, file in enumerate(files):
        if before and number not in late:
            continue
        here = folder / str(number)
        here.mkdir(exist_ok=True)
        mark = file.key if len(files) > 1 else ""
        with landing.open(file.key, file.version_id) as stream:
            one, room = _check_here(stream, spec, now, here, room, late.get(number), mark)
        found[number : number + 1] = [replace(one, file=number)]
        if one.error:
            break
    return found


def _check_here(
    stream: BinaryIO, spec: Spec, now: str, folder: Path, room: int, late: Late | None, mark: str
) -> tuple[Found, int]:
    try:
        source = open_source(stream, kinds(spec), others(spec), Limits(text=room))
        bounded = _Bounded(replace(source, whole=not mark), room)
        checked = check_source(cast(Source, bounded), spec, until(spec, now), folder, late, mark)
    except TooLarge as error:
        raise TooMuch from error  # whether it is that, or a bomb, is seen when it is cut
    except DataError as error:
        return Found(0, error=told(error)), room
    return Found(0, checked, shape=source.shape), bounded.room


class _Bounded:
    """A source that holds no more than ``room`` bytes, a cell counted as eight."""

    def __init__(self, source: Source, room: int) -> None:
        self._source, self.room = source, room

    def blocks(self) -> Iterator[Block]:
        """Raises TooMuch."""
        for block in self._source.blocks():
            self.room -= 8 * len(block) * len(block.columns)
            if self.room < 0:
                raise TooMuch
            yield block


# --- pieces of a large upload ---------------------------------------------------------------------


def check(
    store: Blobs, landing: Blobs, spec: Spec, item: Mapping[str, Any], now: str, folder: Path
) -> int:
    """Check the pieces of one item (see :func:`uploads.division.batches`) that have not been;
    returns how many that were. That a piece cannot be read is a result as well."""
    made = Division.load(store, spec, Upload(**item["upload"]), item["stamp"])
    done = 0
    for number, name in item["pieces"]:
        staged = _staged(spec, made, number, name)
        if not store.exists(f"{staged}.json"):
            late = _late(store, staged) if name else None
            _keep(store, _check(store, landing, spec, made, number, now, folder, late), staged)
            done += 1
    return done


def _check(
    store: Blobs, landing: Blobs, spec: Spec, made: Division, number: int, now: str, folder: Path,
    late: Late | None,
) -> Found:  # fmt: skip
    piece = made.pieces[number]
    mark = made.files[piece.file].key if len(made.files) > 1 else ""
    try:
        stream, source = made.open(store, landing, spec, piece)
        with stream:
            checked = check_source(source, spec, until(spec, now), folder, late, mark)
    except (DataError, NotFound) as error:
        return Found(piece.file, error=told(error))
    return Found(piece.file, checked, shape=source.shape)


def _keep(store: Blobs, found: Found, staged: str) -> None:
    """The files first: what is said of them last. A profile is large, and wanted one by one."""
    checked = found.checked
    document: dict[str, Any] = {"file": found.file, "error": found.error, "shape": found.shape}
    if checked:
        plain = checked.to_json()
        store.put(f"{staged}.profile.json", canonical(plain["profile"]).encode())
        document["checked"] = plain | {"profile": Profile({}).to_json()}
        kept = {"marks": checked.marks_file}
        kept |= {"parquet": checked.part_file} if checked.part else {}
        kept |= {"jsonl.gz": checked.rejected_file} if checked.rejected else {}
        for suffix, path in kept.items():
            with path.open("rb") as file:
                store.put_file(f"{staged}.{suffix}", file)
    store.put(f"{staged}.json", canonical(document).encode())


def collect(
    store: Blobs, spec: Spec, made: Division, late: Mapping[int, str], folder: Path
) -> list[Found]:
    """What the checks of all pieces found, told ``late``. Raises NotFound while one is missing."""
    staged = [_staged(spec, made, n, late.get(n, "")) for n in range(len(made.pieces))]
    found = []
    marks: dict[str, Path] = {}
    for number, (_, data) in enumerate(get_all(store, [f"{name}.json" for name in staged])):
        body, checked = json.loads(data), None
        if "checked" in body:
            here = folder / f"{made.upload.name}-{number}"
            here.mkdir(exist_ok=True)
            checked = Checked.from_json(body.pop("checked"), here)
            marks[f"{staged[number]}.marks"] = checked.marks_file
        found.append(Found(checked=checked, staged=staged[number], **body))
    if len(marks) > 1:  # one has nothing to be compared with
        with ThreadPoolExecutor(READERS) as pool:
            list(pool.map(lambda key: _download(store, key, marks[key]), marks))
    return found


def tell(store: Blobs, spec: Spec, made: Division, late: Mapping[int, Late]) -> dict[int, str]:
    """Keep what some pieces are to be told; returns its name by piece."""
    names = {}
    for number, what in late.items():
        document = canonical(what.to_json())
        names[number] = digest(document)[:12]
        store.put(f"{_staged(spec, made, number, names[number])}.late.json", document.encode())
    return names


def until(spec: Spec, now: str) -> int:
    """The latest event time to believe, epoch milliseconds: clocks differ, and so do ideas of a
    time zone. One row from the far future would push all others out of ``data.window``."""
    return to_ms(parse(now) + spec.data.future)


def _late(store: Blobs, staged: str) -> Late:
    return Late.from_json(json.loads(store.get(f"{staged}.late.json")))


def _staged(spec: Spec, made: Division, number: int, name: str) -> str:
    """Where the result of a piece lies, but for the suffix."""
    return made.key(spec, f"{number:05d}{f'-{name}' if name else ''}")


def _download(store: Blobs, key: str, path: Path) -> None:
    with store.open(key) as stream, path.open("wb") as file:
        while data := stream.read(1 << 20):
            file.write(data)
