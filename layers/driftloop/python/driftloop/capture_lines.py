"""What was served, as log lines for the capture function: one JSON object a line. Pure.

A line stays under 32 KiB; more rows go to numbered parts. Text is pure ASCII, so characters are
bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from driftloop.ids import sampled

MAX_LINE = 32 * 1024 - 1
_LENGTHS = (256, 16, 1)  # characters kept of a value: the first that makes the row short enough
WHOLE = 2**64  # a larger whole number is scored as a float, and captured as that

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
    kept = [i for i, name in enumerate(captured.ids) if sampled(name, share)]
    if not kept:
        return []
    head: dict[str, Any] = {
        "capture": 1,
        "model": captured.model,
        "version": captured.version,
        "time": captured.time,
        "request": captured.request,
        "role": captured.role,
        "columns": captured.columns,
    }
    start = _encode(head)[:-1]
    room = MAX_LINE - len(start) - 80  # the names of the keys below, and the part's numbers
    chunks = list(_chunks(captured, kept, room))
    return [
        f'{start},"part":{part},"parts":{len(chunks)},"ids":[{ids}],"rows":[{rows}],'
        f'"predictions":[{predictions}]}}'
        for part, (ids, rows, predictions) in enumerate(chunks)
    ]


def _chunks(captured: Captured, kept: list[int], room: int) -> Iterator[tuple[str, str, str]]:
    """Encoded ids, rows and predictions, as many in a chunk as there is room for."""
    chunk: list[tuple[str, str, str]] = []
    size = 0
    for i in kept:
        entry = (
            f'"{captured.ids[i]}"',
            _row(captured.rows[i], room),
            _encode(captured.predictions[i]),
        )
        cost = sum(map(len, entry)) + 3
        if chunk and size + cost > room:
            yield _joined(chunk)
            chunk, size = [], 0
        chunk.append(entry)
        size += cost
    yield _joined(chunk)


def _joined(chunk: list[tuple[str, str, str]]) -> tuple[str, str, str]:
    ids, rows, predictions = zip(*chunk, strict=True)
    return ",".join(ids), ",".join(rows), ",".join(predictions)


def _row(row: Sequence[Any], room: int) -> str:
    text = _encode(row)
    for length in _LENGTHS:
        if len(text) <= min(_LENGTHS[0], room // 2):
            break
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
