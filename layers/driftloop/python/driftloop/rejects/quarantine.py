"""Rejected rows, kept with line, field, rule, value and their original text."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST_TEXT = 16 * 1024
LONGEST_VALUE = 256
MOST_VALUES = 20


@dataclass(frozen=True)
class Rejected:
    """``line`` counts the physical lines from 1 (of Parquet: the rows) of ``file``, which is named
    where an upload has several; ``text`` is what stood there."""

    line: int
    field: str
    rule: str
    value: Any
    text: str
    file: str = ""


class Writer:
    """Rejected rows, streamed in the order they are given into ``path`` (``.jsonl.gz``). The same
    rows give the same bytes; such files, one behind the other, are such a file."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self.reasons: Counter[str] = Counter()  # "rule|field" → rows
        self._file = path.open("wb")
        self._packed = gzip.GzipFile("", "wb", 6, self._file, mtime=0)

    def add(self, rejected: Rejected) -> None:
        self._packed.write(_line(rejected))
        self.reasons[f"{rejected.rule}|{rejected.field}"] += 1
        self.count += 1

    def close(self) -> None:
        self._packed.close()
        self._file.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def upload_name(bucket: str, key: str, version_id: str | None) -> str:
    """One name per pinned object: 16 hex digits."""
    return hashlib.sha256(f"{bucket}\n{key}\n{version_id or ''}".encode()).hexdigest()[:16]


def lines(rejected: Iterable[Rejected]) -> bytes:
    """``.jsonl.gz``; same rows, same bytes."""
    return gzip.compress(b"".join(map(_line, rejected)), mtime=0)


def _line(rejected: Rejected) -> bytes:
    """JSON; what is long is cut, and a value that is no scalar is shown as text."""
    body = {**vars(rejected), "text": rejected.text[:LONGEST_TEXT], "value": _shown(rejected.value)}
    if not rejected.file:
        del body["file"]
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _shown(value: Any) -> Any:
    if (
        value is None
        or isinstance(value, (bool, int))
        or (isinstance(value, float) and math.isfinite(value))
    ):
        return value
    if isinstance(value, dict):
        return {_shown(name): _shown(part) for name, part in list(value.items())[:MOST_VALUES]}
    # JSON may hold half a character, which can be written nowhere
    return str(value)[:LONGEST_VALUE].encode("utf-8", "backslashreplace").decode()


def by_rules(reasons: Mapping[str, int]) -> dict[str, int]:
    """Rows by rule from rows by ``rule|field``, most frequent first."""
    counts: Counter[str] = Counter()
    for reason, rows in reasons.items():
        counts[reason.split("|")[0]] += rows
    return dict(sorted(counts.items(), key=lambda i: (-i[1], i[0])))


def reasons_in_words(reasons: Mapping[str, int]) -> str:
    """``not_a_number in hour ×12, null in temp ×3``: the ten most frequent reasons, from rows by
    ``rule|field``."""
    ranked = sorted(reasons.items(), key=lambda i: (-i[1], i[0]))[:10]
    pairs = [(*reason.split("|", 1), rows) for reason, rows in ranked]
    return ", ".join(f"{rule}{f' in {field}' if field else ''} ×{n}" for rule, field, n in pairs)
