"""Captures as they are kept: their form, which objects hold a span of time, each row once."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs, get_all
from driftloop.ids import id_ms
from driftloop.when import from_ms, parse, to_ms

HOUR = 3_600_000
MANY_DAYS = 8  # of a month: from here on, listing all of it takes fewer requests
SHADOW = "shadow"  # the role of what was scored beside an answer, under the answer's id
Record = dict[str, Any]
_UUID7 = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
).fullmatch
_LATEST = 2**47  # epoch ms; an id beyond the year 6400 is no id of ours
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_PLACE = re.compile(r"/dt=(\d{4}-\d\d-\d\d)/hour=(\d\d)/").search


def is_prediction_id(value: object) -> bool:
    """Whether it is a UUIDv7 of a believable time."""
    return isinstance(value, str) and bool(_UUID7(value)) and id_ms(value) < _LATEST


def pack(records: Iterable[Record]) -> bytes:
    """``.jsonl.gz``; same records, same bytes."""
    text = "".join(_encode(record) + "\n" for record in records)
    return gzip.compress(text.encode("utf-8", "surrogatepass"), 5, mtime=0)


def hour_of(key: str) -> int:
    """The hour (whole hours since the epoch) a capture object belongs to."""
    place = _PLACE(key)
    if place is None:
        raise ValueError(f"{key} is no capture object")
    return to_ms(parse(f"{place[1]}T{place[2]}:00:00")) // HOUR


def object_keys(
    store: Blobs, model: str, versions: Iterable[int], hours: Collection[int]
) -> dict[str, int]:
    """Capture objects of ``versions`` in ``hours`` (whole hours since the epoch): key → hour.

    One listing per version and day that ``hours`` touch, or per month where these are many.
    """
    months: dict[str, set[str]] = defaultdict(set)
    for day in {hour // 24 for hour in hours}:
        date = f"{from_ms(day * 24 * HOUR):%Y-%m-%d}"
        months[date[:8]].add(f"dt={date}/")
    spans = [
        span
        for month, days in sorted(months.items())
        for span in ([f"dt={month}"] if len(days) > MANY_DAYS else sorted(days))
    ]
    found: dict[str, int] = {}
    for version in versions:
        for span in spans:
            for key in store.list(keys.captures(model, version) + span):
                hour = hour_of(key)
                if hour in hours:
                    found[key] = hour
    return found


def read(store: Blobs, objects: Iterable[str]) -> Iterator[Record]:
    """Every record of every object, doubles included, in order of key and line."""
    for _, data in get_all(store, sorted(objects)):
        for line in gzip.decompress(data).splitlines():
            yield json.loads(line)


def once(records: Iterable[Record], most: int | None = None) -> list[Record]:
    """Each id once, sorted by id: the same list for any batching and repetition. Of more than
    ``most`` those whose ids have the smallest random bits (bottom-k sampling)."""
    held: dict[str, Record] = {}
    for record in records:
        held[record["id"]] = record
        if most is not None and len(held) >= 2 * most:
            held = _smallest(held, most)
    if most is not None and len(held) > most:
        held = _smallest(held, most)
    return [record for _, record in sorted(held.items())]


def _smallest(held: dict[str, Record], most: int) -> dict[str, Record]:
    return {name: held[name] for name in sorted(held, key=lambda name: (name[-8:], name))[:most]}
