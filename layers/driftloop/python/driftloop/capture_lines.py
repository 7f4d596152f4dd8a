"""What was served, as log lines for the capture function: one JSON object a line. Pure.

A line stays under 32 KiB; more rows go to numbered parts. A spec keeps the names that every line
holds to half of that. Text is pure ASCII, so characters are bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text
from typing import Any

from driftloop.ids import sampled

MAX_LINE = 32 * 1024 - 1
MAX_NAMES = 16 * 1024  # of the columns; what is left is enough for 500 numbers and 50 classes
_LENGTHS = (256, 16, 1)  # characters kept of a value: the first; fewer where the row is too long
WHOLE = 2**64  # a larger whole number is captured as a float, where the row is too long

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True)
class Captured:
    """One answered request. ``rows`` are the values of ``columns``, as they were sent."""

    model: str
    version: int
    role: str
    time: int
    request: str
    columns: Sequence[str]
    ids: Sequence[str]
    rows: Sequence[Sequence[Any]]
    predictions: Sequence[Any]


def lines(captured: Captured, share: float) -> list[str]:
    """The capture lines of the sampled ``share`` of the rows; none if none fell into it."""
    ids, rows, predictions = captured.ids, captured.rows, captured.predictions
    if share < 1:
        kept = [i for i, name in enumerate(ids) if sampled(name, share)]
        ids = [ids[i] for i in kept]
        rows, predictions = [rows[i] for i in kept], [predictions[i] for i in kept]
    if not ids:
        return []
    start = (
        f"{_head(captured.model, captured.version, captured.role, tuple(captured.columns))}"
        f',"time":{captured.time},"request":{_text(captured.request)}'
    )
    room = MAX_LINE - len(start) - 80  # the names of the keys below, and the part's numbers
    chunks = list(_chunks(ids, rows, predictions, room))
    return [
        f'{start},"part":{part},"parts":{len(chunks)},"ids":["{names}"],"rows":{values},'
        f'"predictions":{answers}}}'
        for part, (names, values, answers) in enumerate(chunks)
    ]


@lru_cache(maxsize=64)
def _head(model: str, version: int, role: str, names: tuple[str, ...]) -> str:
    """How every line of a version begins."""
    head = {"capture": 1, "model": model, "version": version, "role": role, "columns": names}
    return _encode(head)[:-1]


def _chunks(
    ids: Sequence[str], rows: Sequence[Sequence[Any]], predictions: Sequence[Any], room: int
) -> Iterator[tuple[str, str, str]]:
    """Encoded ids, rows and predictions, nearly as many in a chunk as there is room for: how many
    that are is guessed from the chunk before, and tried again with fewer if it was too many."""
    start, count = 0, 100
    while start < len(ids):
        count = min(count, len(ids) - start)
        part = slice(start, start + count)
        chunk = '","'.join(ids[part]), _rows(rows[part], room), _encode(predictions[part])
        size = sum(map(len, chunk))
        if size <= room or count == 1:
            yield chunk
            start += count
        count = max(1, int(count * 0.95 * room / size))


def _rows(rows: Sequence[Sequence[Any]], room: int) -> str:
    if not _any_long(rows):
        text = _encode(rows)
        if len(rows) > 1 or len(text) <= room // 2:
            return text
    return f"[{','.join([_row(row, room) for row in rows])}]"


def _any_long(rows: Sequence[Sequence[Any]]) -> bool:
    for row in rows:
        for value in row:
            if value.__class__ is str and len(value) > _LENGTHS[0]:
                return True
    return False


def _row(row: Sequence[Any], room: int) -> str:
    """Cut as little as makes the row short enough."""
    text = ""
    for length in _LENGTHS:
        text = _encode([_cut(value, length) for value in row])
        if len(text) <= room // 2:
            break
    return text


def _cut(value: Any, length: int) -> Any:
    if isinstance(value, str) and len(value) > length:
        return value[: length - 1] + "…"
    if isinstance(value, int) and not -WHOLE <= value <= WHOLE:
        return float(value)
    return value


def columns(features: Sequence[str], key: str | None, redact: Sequence[str]) -> list[str]:
    """What is captured: the features and the user's key, less what the spec keeps out of logs."""
    wanted = [*features, *([key] if key and key not in features else [])]
    return [name for name in wanted if name not in redact]
