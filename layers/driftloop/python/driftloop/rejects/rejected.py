"""What quarantine holds: what ingest said of each upload, its rejected rows, what went in again.

Of an upload at any time: ``total == accepted + held + readmitted``; a row that was re-admitted is
accounted for by the upload it went in with. Where that could not be read at all, its rows are back.
"""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs, get_all
from driftloop.rejects.quarantine import Rejected

DUPLICATE = "duplicate"
Place = tuple[str, int]
"""File (empty where the upload is one) and line."""


@dataclass(frozen=True)
class Readmission:
    """Rows of an upload that went in again with the object ``key``: those of ``lines`` (by file),
    or with ``whole`` all of it. ``bodies``: where the store keeps what went in; ``reasons``: rows
    by ``rule|field``; ``number`` counts the re-admissions of the upload from 1."""

    upload: str
    number: int
    key: str
    bodies: list[str]
    rows: int
    time: str
    lines: dict[str, list[int]] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True)
class Held:
    """The report of one upload (see ingest) beside its re-admissions.

    ``reasons``: rejected rows by ``rule|field``; ``refused``: the other rows of an upload that was
    refused whole; ``error``: why it was; ``originals``: where its files are kept then; ``shapes``:
    how each file is read (format, header, delimiter), by name, or under the empty name;
    ``returned``: numbers of the re-admissions that came to nothing.
    """

    upload: str
    key: str
    time: str
    total: int
    accepted: int
    rejected: int
    refused: int
    reasons: dict[str, int]
    error: dict[str, str] | None
    originals: tuple[str, ...]
    shapes: dict[str, dict[str, Any]]
    readmissions: tuple[Readmission, ...] = ()
    returned: frozenset[int] = frozenset()

    @property
    def _went_in(self) -> list[Readmission]:
        return [r for r in self.readmissions if r.number not in self.returned]

    @property
    def readmitted(self) -> int:
        return sum(r.rows for r in self._went_in)

    @property
    def held(self) -> int:
        """Rows that are in quarantine now."""
        return self.rejected + self.refused - self.readmitted

    @property
    def whole(self) -> bool:
        """Whether all of it went in again."""
        return any(r.whole for r in self.readmissions)

    @property
    def reasons_now(self) -> Counter[str]:
        """Rows in quarantine by ``rule|field``."""
        if self.whole:
            return Counter()
        now = Counter(self.reasons)
        for readmission in self._went_in:
            now.subtract(readmission.reasons)
        return +now

    @property
    def gone(self) -> set[Place]:
        """Where the rows stood that were re-admitted."""
        return {
            (file, line)
            for readmission in self._went_in
            for file, lines in readmission.lines.items()
            for line in lines
        }

    def shape(self, file: str) -> Mapping[str, Any]:
        return self.shapes.get(file) or self.shapes.get("") or {}


def holdings(store: Blobs, model: str) -> list[Held]:
    """Every upload there was, oldest first."""
    prefix = keys.quarantine(model)
    wanted = [
        key for key in store.list(prefix)
        if key.endswith(".report.json") or (".readmitted/" in key and key.endswith(".json"))
    ]  # fmt: skip
    reports: dict[str, dict[str, Any]] = {}
    readmissions: dict[str, list[Readmission]] = {}
    for key, data in get_all(store, wanted):
        body = json.loads(data)
        if ".readmitted/" in key:
            readmissions.setdefault(body["upload"], []).append(Readmission(**body))
        elif "upload" in body:  # others are of label files
            reports[key.removeprefix(prefix).removesuffix(".report.json")] = body
    found = [_held(name, body, readmissions.get(name, [])) for name, body in reports.items()]
    found.sort(key=lambda held: (held.time, held.key, held.upload))
    unread = {held.key for held in found if held.error and not held.total}
    returned = {
        r.key for held in found for r in held.readmissions if r.key in unread and not r.whole
    }
    return [
        replace(
            held,
            originals=() if held.key in returned else held.originals,  # nothing of its own
            returned=frozenset(r.number for r in held.readmissions if r.key in returned),
        )
        for held in found
    ]


def rows(store: Blobs, model: str, held: Held) -> Iterator[Rejected]:
    """Rejected rows of an upload that are in quarantine now, in the order of their lines."""
    key = keys.quarantine(model, held.upload)
    if not held.reasons_now:
        return
    gone = held.gone
    with store.open(key) as packed, gzip.open(packed) as lines:
        for line in io.TextIOWrapper(lines, "utf-8", errors="surrogatepass", newline="\n"):
            row = Rejected(**json.loads(line))
            if (row.file, row.line) not in gone:
                yield row


def grouped(found: Iterable[Held], by: Iterable[str]) -> list[dict[str, Any]]:
    """Rows in quarantine by some of ``rule``, ``field``, ``upload``, most first."""
    names = list(by)
    counts: Counter[tuple[str, ...]] = Counter()
    uploads: dict[tuple[str, ...], set[str]] = {}
    for held in found:
        for reason, number in held.reasons_now.items():
            rule, _, column = reason.partition("|")
            facts = {"rule": rule, "field": column, "upload": held.upload}
            group = tuple(facts[name] for name in names)
            counts[group] += number
            uploads.setdefault(group, set()).add(held.upload)
    ranked = sorted(counts.items(), key=lambda i: (-i[1], i[0]))
    return [
        {**dict(zip(names, group, strict=True)), "rows": n, "uploads": len(uploads[group])}
        for group, n in ranked
    ]


def _held(name: str, body: Mapping[str, Any], readmissions: list[Readmission]) -> Held:
    shapes = {f["key"]: f["shape"] for f in body["files"] if f["shape"]}
    if body["shape"]:
        shapes = {"": body["shape"]}
    return Held(
        upload=name,
        key=body["upload"]["key"],
        time=body["now"],
        total=body["total"],
        accepted=body["accepted"],
        rejected=body["rejected"],
        refused=body["refused_rows"],
        reasons=body["reasons"],
        error=body["error"],
        originals=tuple(body["originals"]),
        shapes=shapes,
        readmissions=tuple(sorted(readmissions, key=lambda r: r.number)),
    )
