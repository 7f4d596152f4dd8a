"""Rejected rows, kept with line, field, rule, value and their original text."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_TEXT = 16 * 1024


@dataclass(frozen=True)
class Rejected:
    """``line`` counts the file's physical lines from 1; ``text`` is what stood there."""

    line: int
    field: str
    rule: str
    value: Any
    text: str


def upload_name(bucket: str, key: str, version_id: str | None) -> str:
    """One name per pinned object: 16 hex digits."""
    return hashlib.sha256(f"{bucket}\n{key}\n{version_id or ''}".encode()).hexdigest()[:16]


def lines(rejected: Iterable[Rejected]) -> bytes:
    """``.jsonl.gz``; same rows, same bytes."""
    text = "".join(
        json.dumps(
            {**asdict(r), "text": r.text[:LONGEST_TEXT]}, ensure_ascii=False, default=str
        ) + "\n"
        for r in rejected
    )  # fmt: skip
    return gzip.compress(text.encode("utf-8", "surrogatepass"), mtime=0)


def by_rule(rejected: Iterable[Rejected]) -> dict[str, int]:
    """Counts, most frequent first."""
    return dict(sorted(Counter(r.rule for r in rejected).items(), key=lambda i: (-i[1], i[0])))


def in_words(counts: dict[str, int], rejected: Iterable[Rejected]) -> str:
    """``not_a_number in hour ×12, null in temp ×3``: the ten most frequent reasons."""
    pairs = Counter((r.rule, r.field) for r in rejected if r.rule in counts)
    ranked = sorted(pairs.items(), key=lambda i: (-i[1], i[0]))[:10]
    return ", ".join(f"{rule}{f' in {field}' if field else ''} ×{n}" for (rule, field), n in ranked)
