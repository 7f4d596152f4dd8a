"""Ground truth → labelled captures.

A claim's id leads straight to its hour; a key is looked for within a day of the claim's time, or,
without one, in the last ``SEARCH_DAYS``. What is found is written beside the captures, for the
monitor, and gathered into parts to learn from (:mod:`driftloop.gathering`): of a file at once, of
requests, which may come one by one, when a window closes. What is not found is kept and tried again
as windows close, ever less often.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from driftloop import captured, keys
from driftloop.blobs import Blobs, get_all
from driftloop.captured import Record, pack
from driftloop.checking.contract import as_text
from driftloop.claims import Claim, Claims, from_file
from driftloop.data import dataset
from driftloop.errors import DataError
from driftloop.gathering import gather
from driftloop.ids import digest, id_ms
from driftloop.rejects.quarantine import lines, upload_name
from driftloop.spec import Spec
from driftloop.when import from_ms, parse, to_ms
from driftloop.withheld import DAY

SEARCH_DAYS = 62  # two months: the labels of a month, sent when the next one is over
OLDEST_DAYS = 400  # predictions older than this are not labelled any more
MOST_RETRIED = 2_000  # files and requests with unmatched claims looked at again by one call

Found = Mapping[Claim, Sequence[Record]]


def take_in(
    store: Blobs,
    spec: Spec,
    origin: Mapping[str, Any],
    data: bytes,
    versions: Sequence[int],
    now: str,
) -> dict[str, Any]:
    """Join the claims of a label file, gather the days they are of, and keep a report of it, which
    is returned: ``joined`` (see :func:`join`) and ``gathered`` (see :func:`gather`), or the
    ``error`` (name, message) for which the file is refused; trying it again would not mend it.
    ``origin``: ``{"bucket", "key", "version_id"}``."""
    name = upload_name(origin["bucket"], origin["key"], origin["version_id"])
    report: dict[str, Any] = {"labels": dict(origin), "now": now, "error": None}
    try:
        joined, days = join(store, spec, from_file(spec, data, name, now), versions, now)
        report |= {"joined": joined, "gathered": gather(store, spec, versions, days, now)}
    except DataError as error:
        report["error"] = {"name": type(error).__name__, "message": str(error)}
    store.put(keys.ingest_report(spec.name, name), dataset.dump(report))
    return report


def join(
    store: Blobs, spec: Spec, given: Claims, versions: Sequence[int], now: str
) -> tuple[dict[str, int], set[str]]:
    """Join claims to captures of ``versions``.

    Returns ``{"labels", "duplicates", "rejected", "matched", "unmatched", "predictions"}``: claims
    given, how they fared, predictions labelled; and the days that are to be gathered.
    """
    if given.rejected:
        store.put(keys.quarantine(spec.name, given.name), lines(given.rejected))
    last = {(c.id, c.key, c.near): place for place, c in enumerate(given.claims)}
    distinct = [given.claims[place] for place in sorted(last.values())]  # the last one counts
    found = _find(store, spec, distinct, versions, to_ms(parse(now)))
    predictions, days = _say(store, spec, given.name, found)
    unmatched = [claim for claim in distinct if claim not in found]
    held = keys.unmatched_labels(spec.name, _day(to_ms(parse(now))), f"{given.name}.jsonl.gz")
    if unmatched or store.exists(held):
        _keep(store, held, unmatched)
    counts = {
        "labels": len(given.claims) + len(given.rejected),
        "duplicates": len(given.claims) - len(distinct),
        "rejected": len(given.rejected),
        "matched": len(distinct) - len(unmatched),
        "unmatched": len(unmatched),
        "predictions": predictions,
    }
    return counts, days


def look_again(
    store: Blobs, spec: Spec, versions: Sequence[int], now: str, window: int
) -> dict[str, Any]:
    """As a window (of ``window`` milliseconds) closes: try claims that found nothing so far, and
    gather what is not gathered yet: labels of requests, windows that are held back since or no
    longer.

    Returns ``{"tried", "matched", "gathered"}``: claims, and reports of days.
    """
    moment = to_ms(parse(now))
    kept = dict(_kept(store, spec.name, moment, window))
    tried = [claim for claims in kept.values() for claim in claims]
    found = _find(store, spec, tried, versions, moment)
    for key, claims in kept.items():
        own = {claim: found[claim] for claim in claims if claim in found}
        if own:
            _say(store, spec, key.rsplit("/", 1)[-1].removesuffix(".jsonl.gz"), own)
            _keep(store, key, [claim for claim in claims if claim not in own])
    days = _labelled_days(store, spec.name, moment)
    return {
        "tried": len(tried),
        "matched": sum(1 for claim in tried if claim in found),
        "gathered": gather(store, spec, versions, days, now),
    }


def _say(store: Blobs, spec: Spec, name: str, found: Found) -> tuple[int, set[str]]:
    """Write down what became of the predictions found: how many, and of which days."""
    pairs = {record["id"]: claim for claim, records in found.items() for record in records}
    by_day: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for identity, claim in sorted(pairs.items()):
        label = {"id": identity, "label": claim.label, "time": claim.said}
        by_day[_day(id_ms(identity))].append(
            label if claim.at is None else label | {"at": claim.at}
        )
    # Named by what it holds: claims kept for later give a second file, not another first one.
    file = f"{name}-{digest(*sorted(pairs))[:8]}.jsonl.gz"
    for day, entries in by_day.items():
        store.put(keys.labels(spec.name, day, file), pack(entries))
    return len(pairs), set(by_day)


def _find(
    store: Blobs, spec: Spec, claims: Sequence[Claim], versions: Sequence[int], now: int
) -> dict[Claim, list[Record]]:
    """The captures each claim is about, in the order of ``claims``; one that finds none is left
    out."""
    latest = now // captured.HOUR + 24  # clocks differ; ids from further ahead are made up
    possible = range(latest - OLDEST_DAYS * 24, latest + 1)
    spans = {_hours(claim, latest) for claim in claims}  # most claims share one
    hours = {hour for span in spans for hour in span if hour in possible}
    if not hours:
        return {}
    by_id: dict[str, list[Claim]] = defaultdict(list)
    by_key: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        (by_id[claim.id] if claim.id else by_key[claim.key]).append(claim)

    def of(record: Record) -> Iterator[Claim]:
        hour = id_ms(record["id"]) // captured.HOUR
        keyed = by_key.get(as_text(record.get("key")) or "", ())
        for claim in (*by_id.get(record["id"], ()), *keyed):
            if hour in _hours(claim, latest):
                yield claim

    objects = captured.object_keys(store, spec.name, versions, hours)
    # A label is about an answer; what a shadow made of the same row shares its id and so its label.
    answered = (r for r in captured.read(store, objects) if r.get("role") != captured.SHADOW)
    found: dict[Claim, list[Record]] = defaultdict(list)
    for record in captured.once(r for r in answered if any(of(r))):
        for claim in of(record):
            found[claim].append(record)
    return {claim: found[claim] for claim in claims if claim in found}


def _hours(claim: Claim, latest: int) -> range:
    """Where the prediction may lie, in hours since the epoch."""
    if claim.id:
        hour = id_ms(claim.id) // captured.HOUR
        return range(hour, hour + 1)
    if claim.near is not None:
        hour = claim.near // captured.HOUR
        return range(hour - 24, hour + 25)
    return range(claim.said // captured.HOUR - SEARCH_DAYS * 24, latest + 1)


def _keep(store: Blobs, key: str, claims: Sequence[Claim]) -> None:
    store.put(key, pack(asdict(claim) for claim in claims))


def _kept(store: Blobs, model: str, now: int, window: int) -> Iterator[tuple[str, list[Claim]]]:
    """Claims of earlier calls that found nothing and whose turn it is, by the object they are in:
    at most ``MOST_RETRIED``, others at every call."""
    prefix = keys.unmatched_labels(model)
    turn = {_day(day) for day in _days(now) if due(day, now, window)}
    found = [key for key in store.list(prefix) if key.removeprefix(prefix)[3:13] in turn]
    found.sort(key=lambda key: digest(str(now), key))
    for key, data in get_all(store, found[:MOST_RETRIED]):
        if claims := [Claim(**json.loads(line)) for line in gzip.decompress(data).splitlines()]:
            yield key, claims


def due(day: int, now: int, window: int) -> bool:
    """Whether claims of the day that began at ``day`` are to be tried at ``now``, as a window of
    ``window`` closes (epoch milliseconds): always until the end of the next day, then when they
    are 2, 4, 8, 16 and 32 days old."""
    age, before = ((moment - day) // DAY for moment in (now, now - window))
    return age <= 1 or age.bit_length() > max(before, 0).bit_length()


def _labelled_days(store: Blobs, model: str, now: int) -> set[str]:
    """Days of the last ``SEARCH_DAYS`` of whose predictions labels are known."""
    days = {_day(day) for day in _days(now)}
    prefix = keys.labels(model) + "dt="
    months = sorted({day[:7] for day in days})
    seen = (key for month in months for key in store.list(prefix + month))
    return days & {key.removeprefix(prefix)[:10] for key in seen}


def _days(now: int) -> range:
    """The starts of the last ``SEARCH_DAYS`` and of tomorrow (clocks differ)."""
    today = now // DAY * DAY
    return range(today - SEARCH_DAYS * DAY, today + DAY + 1, DAY)


def _day(ms: int) -> str:
    return f"{from_ms(ms):%Y-%m-%d}"
