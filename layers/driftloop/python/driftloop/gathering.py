"""Labelled captures → parts to learn from: what the endpoint really saw, with what really happened.

All that is labelled of one day (the prediction ids' own) is one part, made anew whenever a label of
the day comes or is restated, so that it follows from the day's captures and labels alone, whatever
came when and how often: each prediction once, with its newest label; where ``duplicates: drop``, of
a key predicted several times the last prediction. Rows that break the contract, and those of
windows the policy holds back, go to quarantine with the reason; together they are all there are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftloop import captured, keys, truth, withheld
from driftloop.blobs import Blobs
from driftloop.captured import Record, pack
from driftloop.checking.contract import as_text, check
from driftloop.data import dataset, parquet
from driftloop.data.rows import Rows, event_times
from driftloop.errors import NotFound
from driftloop.ids import digest, id_ms
from driftloop.rejects.quarantine import Rejected, lines
from driftloop.spec import Spec
from driftloop.truth import Entry
from driftloop.uploads.intake import Intake, Kept
from driftloop.when import from_ms, iso, parse, to_ms
from driftloop.withheld import Mark

HELD_BACK = "window_held_back"  # the rule by which a row of a quarantined window is rejected
_TRIES = 5


@dataclass(frozen=True)
class Labelled:
    """A prediction, its newest label, and the label object that says so."""

    record: Record
    entry: Entry
    file: str

    def within(self, marks: Sequence[Mark]) -> bool:
        return withheld.within(self.record["id"], self.record["version"], marks)

    def text(self) -> str:
        return json.dumps({**self.record, "label": self.entry["label"]})


def gather(
    store: Blobs, spec: Spec, versions: Sequence[int], days: Iterable[str], now: str
) -> list[dict[str, Any]]:
    """Make the parts of ``days`` (``2013-02-01``) anew where labels or marks changed.

    Returns the reports of these, as they are kept: ``{"day", "now", "labelled", "accepted",
    "rejected", "reasons", "part", "new"}``: ``new`` counts the accepted rows that did not stand
    so before.
    """
    marks, reports = withheld.quarantined(store, spec.name), []
    for day in sorted(set(days)):
        tries = 0  # another call may have seen fewer labels and written last: look again
        while tries < _TRIES and _renewed(store, spec, versions, day, marks, now):
            tries += 1
        standing = _standing(store, spec.name, keys.joined(day))
        if standing and standing.origin["now"] == now:  # or a try before this one did it, and died
            reports.append(json.loads(store.get(keys.ingest_report(spec.name, standing.name))))
    return reports


def _renewed(
    store: Blobs, spec: Spec, versions: Sequence[int], day: str, marks: Sequence[Mark], now: str
) -> bool:
    """Make one day's part; False if it stands already. The intake, which makes it count, is
    written last."""
    name, start = keys.joined(day), to_ms(parse(day))
    files = sorted(store.list(keys.labels(spec.name, day)))
    near = withheld.touching(marks, day)
    stamp = digest(*files, json.dumps(near))[:16]
    before = _standing(store, spec.name, name)
    if not files or (before and before.origin["stamp"] == stamp):
        return False
    every = _labelled(store, spec, versions, start, files)
    rows, taken, rejected = _checked(spec, every, near)
    quarantine = keys.quarantine(spec.name, name)
    if rejected or store.exists(quarantine):
        store.put(quarantine, lines(rejected))
    parts = [_part(store, spec, rows, taken)] if taken else []
    said = max((one.entry["time"] for one in taken), default=start)
    new = _new(store, spec, rows, before)
    if before and before.origin["now"] == now:
        new += before.origin["new"]
    report = {
        "day": day,
        "now": now,
        "labelled": len(every),
        "accepted": len(taken),
        "rejected": len(rejected),
        "reasons": dict(sorted(Counter(f"{r.rule}|{r.field}" for r in rejected).items())),
        "part": parts[0].sha256 if parts else None,
        "new": new,
    }
    store.put(keys.ingest_report(spec.name, name), dataset.dump(report))
    origin = {"labels": day, "files": len(files), "stamp": stamp, "now": now, "new": new}
    when = iso(from_ms(said))  # of rows with one key, those said last are learned from
    intake = Intake(name, when, 0, "labels", origin, dict(rows.kinds), tuple(parts))
    store.put(keys.facts(spec.name, name), intake.dump())
    return True


def _labelled(
    store: Blobs, spec: Spec, versions: Sequence[int], start: int, files: Sequence[str]
) -> list[Labelled]:
    """Every labelled prediction of the day that was answered, by id."""
    claims = truth.newest(store, files)
    hour = start // captured.HOUR
    objects = captured.object_keys(store, spec.name, versions, range(hour, hour + 24))
    records = captured.once(
        record
        for record in captured.read(store, objects)
        if record["id"] in claims and record.get("role") != captured.SHADOW
    )
    found = ((record, *claims[record["id"]]) for record in records)
    return [Labelled(record, entry, file.rsplit("/", 1)[-1]) for record, file, entry in found]


def _checked(
    spec: Spec, every: Sequence[Labelled], marks: Sequence[Mark]
) -> tuple[Rows, list[Labelled], list[Rejected]]:
    """The rows that may be learned from, whose they are, and the others."""
    order = range(len(every))[::-1]  # the last prediction first: of a key, the first row stays
    aside = {i for i in order if every[i].within(marks)}
    kept = [i for i in order if i not in aside]
    rows, faults = check(spec, _columns(spec, [every[i] for i in kept]))
    wrong = {kept[fault.row]: (fault.field, fault.rule, fault.value) for fault in faults}
    wrong |= {i: ("", HELD_BACK, every[i].record["version"]) for i in aside}
    rejected = [Rejected(i + 1, *wrong[i], every[i].text(), every[i].file) for i in sorted(wrong)]
    taken = [one for i, one in enumerate(every) if i not in wrong]
    return rows.take(np.arange(len(rows))[::-1]), taken, rejected


def _columns(spec: Spec, every: Sequence[Labelled]) -> Mapping[str, list[Any]]:
    """As an upload would say it."""
    columns: dict[str, list[Any]] = {column: [] for column in spec.columns}
    for one in every:
        record, entry = one.record, one.entry
        for feature in spec.features:
            columns[feature].append(record["features"].get(feature))
        columns[spec.target].append(entry["label"])
        if spec.time:
            at = entry.get("at") or record.get("at")
            columns[spec.time].append(id_ms(record["id"]) if at is None else at)
        if spec.key and spec.key not in spec.features:
            columns[spec.key].append(as_text(record.get("key")) or record["id"])
    return columns


def _part(store: Blobs, spec: Spec, rows: Rows, whose: Sequence[Labelled]) -> Kept:
    """Keep the rows, and where each came from."""
    name, times = rows.digest(), event_times(rows, spec)
    store.put_if_absent(keys.part(spec.name, name), parquet.write(rows))
    sources = (
        {"id": one.record["id"], "version": one.record["version"], "labels": one.file}
        for one in whose
    )
    store.put(keys.joined_sources(spec.name, name), pack(sources))
    if times is None:
        return Kept(name, len(rows))
    return Kept(name, len(rows), int(times.min()), int(times.max()))


def _standing(store: Blobs, model: str, name: str) -> Intake | None:
    try:
        return Intake.parse(store.get(keys.facts(model, name)))
    except NotFound:
        return None


def _new(store: Blobs, spec: Spec, rows: Rows, before: Intake | None) -> int:
    """How many of the rows did not stand so before."""
    if before is None or before.columns != rows.kinds or not before.parts:
        return len(rows)
    old = parquet.read(store.get(keys.part(spec.name, before.parts[0].sha256)), rows.kinds)
    return int((~np.isin(rows.hashes(), old.hashes())).sum())
