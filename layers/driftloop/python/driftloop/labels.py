"""Ground truth → labelled captures and a new training part.

A claim's id leads straight to its hour; a key is looked for within a day of the claim's time, or,
without one, in the last ``SEARCH_DAYS``. What is not found is kept and tried again by later calls.
What is found is written beside the captures (for the monitor) and, contract-checked like any
upload, as a part (for the next training): what the endpoint really saw, with what really happened.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from driftloop import captured, keys
from driftloop.blobs import Blobs, get_all
from driftloop.captured import pack
from driftloop.checking.contract import as_text, check
from driftloop.claims import Claim, Claims, from_file
from driftloop.data import dataset
from driftloop.errors import DataError
from driftloop.ids import digest, id_ms
from driftloop.rejects.quarantine import Rejected, lines, upload_name
from driftloop.spec import Spec
from driftloop.when import from_ms, iso, parse, to_ms

SEARCH_DAYS = 62  # two months: the labels of a month, sent when the next one is over
OLDEST_DAYS = 400  # predictions older than this are not labelled any more
MOST_RETRIED = 20  # files of unmatched claims looked at again by one call


def take_in(
    store: Blobs,
    spec: Spec,
    origin: Mapping[str, Any],
    data: bytes,
    versions: Sequence[int],
    now: str,
) -> dict[str, Any]:
    """Join the claims of a label file and keep a report of it, which is returned: what ``join``
    says, or the ``error`` (name, message) for which the file is refused; trying it again would
    not mend it. ``origin``: ``{"bucket", "key", "version_id"}``."""
    name = upload_name(origin["bucket"], origin["key"], origin["version_id"])
    report: dict[str, Any] = {"labels": dict(origin), "now": now, "error": None}
    try:
        report |= {"joined": join(store, spec, from_file(spec, data, name, now), versions, now)}
    except DataError as error:
        report["error"] = {"name": type(error).__name__, "message": str(error)}
    store.put(keys.ingest_report(spec.name, name), dataset.dump(report))
    return report


def join(
    store: Blobs,
    spec: Spec,
    given: Claims,
    versions: Sequence[int],
    now: str,
    retry: bool = True,
) -> dict[str, Any]:
    """Join claims (and with ``retry`` those kept by earlier calls) to captures of ``versions``.

    Returns ``{"labels", "matched", "unmatched", "duplicates", "rejected", "predictions", "rows",
    "part"}``: claims given, how they fared, predictions labelled, rows of the new part.
    """
    if given.rejected:
        store.put(keys.quarantine(spec.name, given.name), lines(given.rejected))
    distinct = list(
        {(c.id, c.key, c.near): c for c in given.claims}.values()
    )  # the last one counts
    answer = _join(store, spec, given.name, distinct, versions, now)
    for name, kept in _kept(store, spec, given.name) if retry else ():
        _join(store, spec, name, kept, versions, now)
    return {
        "labels": len(given.claims) + len(given.rejected),
        "duplicates": len(given.claims) - len(distinct),
        "rejected": len(given.rejected),
        **answer,
    }


def _join(
    store: Blobs,
    spec: Spec,
    name: str,
    claims: list[Claim],
    versions: Sequence[int],
    now: str,
) -> dict[str, Any]:
    found = _find(store, spec, claims, versions, to_ms(parse(now)))
    pairs: dict[str, tuple[Claim, captured.Record]] = {}
    unmatched = [claim for claim in claims if claim not in found]
    for claim in claims:
        for record in found.get(claim, ()):
            pairs[record["id"]] = (claim, record)
    matched = [pairs[identity] for identity in sorted(pairs)]
    by_day: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for claim, record in matched:
        label = {"id": record["id"], "label": claim.label, "time": claim.said}
        by_day[f"{from_ms(id_ms(record['id'])):%Y-%m-%d}"].append(label)
    # Named by what it holds: claims kept for later give a second file, not another first one.
    file = f"{name}-{digest(*pairs)[:8]}.jsonl.gz" if pairs else ""
    for day, entries in by_day.items():
        store.put(keys.labels(spec.name, day, file), pack(entries))
    part, rows = _part(store, spec, name, matched)
    held = keys.unmatched_labels(spec.name, f"{name}.jsonl.gz")
    if unmatched or store.exists(held):
        store.put(held, pack(asdict(claim) for claim in unmatched))
    return {
        "matched": len(claims) - len(unmatched),
        "unmatched": len(unmatched),
        "predictions": len(matched),
        "rows": rows,
        "part": part,
    }


def _find(
    store: Blobs, spec: Spec, claims: list[Claim], versions: Sequence[int], now: int
) -> dict[Claim, list[captured.Record]]:
    """The captures each claim is about; a claim that finds none is left out."""
    latest = now // captured.HOUR + 24  # clocks differ; ids from further ahead are made up
    possible = range(latest - OLDEST_DAYS * 24, latest + 1)
    spans = {_hours(claim, latest) for claim in claims}  # most claims share one
    hours = {hour for span in spans for hour in span if hour in possible}
    found: dict[Claim, list[captured.Record]] = defaultdict(list)
    if not hours:
        return found
    by_id: dict[str, list[Claim]] = defaultdict(list)
    by_key: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        (by_id[claim.id] if claim.id else by_key[claim.key]).append(claim)
    objects = captured.object_keys(store, spec.name, versions, hours)
    # A label is about an answer; what a shadow made of the same row shares its id and so its label.
    read = (r for r in captured.read(store, objects) if r.get("role") != captured.SHADOW)
    for record in captured.once(read):
        hour = id_ms(record["id"]) // captured.HOUR
        keyed = by_key.get(as_text(record.get("key")) or "", ())
        for claim in (*by_id.get(record["id"], ()), *keyed):
            if hour in _hours(claim, latest):
                found[claim].append(record)
    return found


def _hours(claim: Claim, latest: int) -> range:
    """Where the prediction may lie, in hours since the epoch."""
    if claim.id:
        hour = id_ms(claim.id) // captured.HOUR
        return range(hour, hour + 1)
    if claim.near is not None:
        hour = claim.near // captured.HOUR
        return range(hour - 24, hour + 25)
    return range(claim.said // captured.HOUR - SEARCH_DAYS * 24, latest + 1)


def _part(
    store: Blobs, spec: Spec, name: str, matched: list[tuple[Claim, captured.Record]]
) -> tuple[str | None, int]:
    """Labelled rows as a part; of a key predicted several times, the last prediction's."""
    latest: dict[str, tuple[Claim, captured.Record]] = {}
    for claim, record in matched:
        latest[_row_key(claim, record)] = (claim, record)
    if not latest:
        return None, 0
    columns: dict[str, list[Any]] = {column: [] for column in spec.columns}
    for row, (claim, record) in latest.items():
        for feature in spec.features:
            columns[feature].append(record["features"].get(feature))
        columns[spec.target].append(claim.label)
        if spec.time:
            columns[spec.time].append(claim.at or record.get("at") or id_ms(record["id"]))
        if spec.key and spec.key not in spec.features:
            columns[spec.key].append(row)
    rows, faults = check(spec, columns)
    if faults:
        order = list(latest.values())
        kept = [
            Rejected(f.row + 1, f.field, f.rule, f.value, json.dumps(order[f.row][1]))
            for f in faults
        ]
        store.put(keys.quarantine(spec.name, f"{name}-joined"), lines(kept))
    if not len(rows):
        return None, 0
    said = iso(from_ms(max(claim.said for claim, _ in latest.values())))
    return dataset.add_part(store, spec, rows, said, "labels", {"labels": name}), len(rows)


def _row_key(claim: Claim, record: captured.Record) -> str:
    return as_text(record.get("key")) or claim.key or str(record["id"])


def _kept(store: Blobs, spec: Spec, besides: str) -> Iterable[tuple[str, list[Claim]]]:
    """Claims of earlier calls that found nothing, by file: those that follow the name ``besides``,
    which is a hash, so that every file gets its turn."""
    prefix = keys.unmatched_labels(spec.name)
    own = f"{prefix}{besides}.jsonl.gz"
    names = sorted(store.list(prefix), key=lambda key: (key <= own, key))
    for key, data in get_all(store, [key for key in names if key != own][:MOST_RETRIED]):
        entries = [Claim(**json.loads(line)) for line in gzip.decompress(data).splitlines()]
        if entries:
            yield key.removeprefix(prefix).removesuffix(".jsonl.gz"), entries
