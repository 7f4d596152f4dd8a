"""CSV → checked Parquet, profile and row-level quarantine, by the check of ingest: in one pass, or
above ``LARGE`` bytes in pieces as ingest cuts them, here one after the other in one process."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import as_in_a_function  # noqa: F401
import ingest_clock
from ingest_data import CARRIERS, DESTINATIONS, NUMBERS, ORIGINS

from driftloop.checking.check import Checked, check_source
from driftloop.checking.late import Late, late_of
from driftloop.data.rows import kinds
from driftloop.profiling.profile import Profile, merge
from driftloop.reading import cut, open_piece, open_source
from driftloop.spec import Spec
from driftloop.uploads.pieces import PIECE

SPEC = Spec.parse(
    {
        "name": "bench",
        "task": "classification",
        "target": "late",
        "time": "at",
        "key": "id",
        "features": {
            **{name: {"type": "number", "min": -100, "max": 200} for name in NUMBERS},
            "hour": {"type": "number", "min": 0, "max": 23},
            "carrier": {"type": "category", "categories": CARRIERS},
            "origin": {"type": "category", "categories": ORIGINS},
            "dest": {"type": "category", "categories": DESTINATIONS},
        },
    }
)
LARGE = 256 << 20
UNTIL = 2_000_000_000_000


def work(source: Path, folder: Path) -> dict[str, Any]:
    large = source.stat().st_size > LARGE
    with source.open("rb") as file:
        pieces = list(cut(file, kinds(SPEC), PIECE)) if large else [None]

    def check(number: int, late: Late | None) -> Checked:
        own, piece = folder / str(number), pieces[number]
        own.mkdir(exist_ok=True)
        with source.open("rb") as file:
            if piece is None:
                opened = open_source(file, kinds(SPEC))
            else:
                file.seek(piece.start or 0)
                opened = open_piece(_Range(file, piece.end), piece.to_json(), kinds(SPEC))
            checked = check_source(opened, SPEC, UNTIL, own, late)
        # A profile is large; as ingest does, they are kept outside and added up one by one.
        (own / "profile.json").write_text(json.dumps(checked.profile.to_json()))
        return replace(checked, profile=Profile({}))

    found = [check(number, None) for number in range(len(pieces))]
    while again := late_of(SPEC, found):
        for number, late in again.items():
            found[number] = check(number, late)
    each = (json.loads((c.folder / "profile.json").read_text()) for c in found)
    profile = reduce(merge, map(Profile.from_json, each))
    assert profile.rows == sum(checked.accepted for checked in found)
    total, accepted = sum(c.total for c in found), sum(c.accepted for c in found)
    return {"rows": total, "rejected": total - accepted}


class _Range:
    """A file up to ``end``."""

    def __init__(self, file: Any, end: int | None) -> None:
        self._file, self._end = file, end

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._file.tell()
        return self._file.read(left if size < 0 else min(size, left))


ingest_clock.run(work)
