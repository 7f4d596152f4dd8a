"""Claims of ground truth: "this prediction (by id), or this thing of mine (by key), turned out so".

They come as a file (row by row: what is no claim is quarantined) or as a request (whole or not at
all).
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftloop.captured import is_prediction_id
from driftloop.checking.contract import as_text, check_column
from driftloop.errors import BadRequest, RequestTooLarge, WrongColumns
from driftloop.ids import digest
from driftloop.reading import Limits, open_source
from driftloop.rejects.quarantine import Rejected
from driftloop.spec import Spec
from driftloop.when import from_ms, parse, to_ms

MOST_POSTED = 10_000
MOST_MISTAKES = 10  # said of one request
LARGEST = 64 * 1024 * 1024  # bytes of a file's text; its claims are held

Fault = tuple[str, str, Any]  # field, rule, value


@dataclass(frozen=True)
class Claim:
    """``id`` or ``key`` is set; ``said``: when the claim arrived; ``near``: when it was
    predicted, ``at``: its event time, if known. All in epoch milliseconds."""

    label: str | float
    said: int
    id: str = ""
    key: str = ""
    near: int | None = None
    at: int | None = None


@dataclass(frozen=True)
class Claims:
    """Claims of one file or request, and what of it is no claim."""

    name: str
    claims: list[Claim]
    rejected: list[Rejected]


def from_file(spec: Spec, data: bytes, name: str, now: str) -> Claims:
    """Read a label file (CSV, JSON Lines or Parquet): the target column, and ``id`` (prediction
    ids) or the spec's key.

    A column ``time`` (of the prediction) narrows the search by key; the spec's own time column is
    kept for training. Other columns are ignored. Raises UnreadableFile, WrongColumns, TooLarge.
    """
    source = open_source(io.BytesIO(data), None, others=True, limits=Limits(text=LARGEST))
    named = {*source.header}
    if spec.target not in named or not {"id", spec.key} & named:
        wanted = "'id' (of the prediction)" + (
            f" or {spec.key!r}" if spec.key not in (None, "id") else ""
        )
        raise WrongColumns(
            f"a label file names its predictions by a column {wanted}, and what became of them in "
            f"{spec.target!r}; this one has {', '.join(map(repr, source.header[:20]))}"
        )
    used = {spec.target, spec.key, spec.time, "id", "time"}
    columns = [column for column in source.header if column in used]
    said = to_ms(parse(now))
    kept: list[Claim] = []
    rejected: list[Rejected] = []
    for block in source.blocks():
        rejected += [Rejected(b.line, "", "unreadable_row", b.fault, b.text) for b in block.broken]
        values = [_values(block.columns[column]) for column in columns]
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
        claims = _claims(spec, [_entry(spec, row) for row in rows], said)
        for row, claim in enumerate(claims):
            if isinstance(claim, Claim):
                kept.append(claim)
            else:
                rejected.append(Rejected(int(block.lines[row]), *claim, block.text(row)))
    return Claims(name, kept, sorted(rejected, key=lambda r: r.line))


def _values(column: Any) -> list[Any]:
    """Times of Parquet as text: a claim comes as JSON."""
    values = column if isinstance(column, list) else column.to_pylist()
    return [v.isoformat() if isinstance(v, datetime) else v for v in values]


def _entry(spec: Spec, values: dict[str, Any]) -> dict[str, Any]:
    """A row of a file in the form of a request's entry; ``id`` is an id unless it is the key."""
    entry: dict[str, Any] = {"label": values[spec.target]}
    if spec.time != "time":
        entry["time"] = values.get("time") or None
    if spec.time:
        entry["at"] = values.get(spec.time) or None
    identity, key = values.get("id", ""), values.get(spec.key or "", "")
    if is_prediction_id(identity) or (identity and spec.key != "id" and not key):
        return {**entry, "id": identity}
    return {**entry, "key": key}


def from_request(spec: Spec, document: Any, now: str) -> Claims:
    """Read ``{"labels": [{"id" | "key", "time"?, "label"}]}``, the parsed body.

    Raises BadRequest with the paths of the first mistakes: a request is taken whole or not at
    all. RequestTooLarge for more than :data:`MOST_POSTED`.
    """
    entries = _entries(document)
    mistakes: list[BadRequest] = []
    claims: list[Claim] = []
    shaped = [_misshapen(spec, entry) for entry in entries]
    sound = [entry for entry, wrong in zip(entries, shaped, strict=True) if wrong is None]
    judged = map(_worded, _claims(spec, sound, to_ms(parse(now))))
    for position, wrong in enumerate(shaped):
        claim = wrong or next(judged)
        if isinstance(claim, Claim):
            claims.append(claim)
            continue
        field, problem = claim
        path = f"labels[{position}]" + (f".{field}" if field else "")
        mistakes.append(BadRequest(f"{path}: {problem}", path))
        if len(mistakes) == MOST_MISTAKES:
            break
    if mistakes:
        first, *also = mistakes
        raise BadRequest(str(first), first.field, also)
    return Claims(digest(json.dumps(document, sort_keys=True), now)[:16], claims, [])


def _entries(document: Any) -> list[Any]:
    wanted = 'an object like {"labels": [{"id": "…", "label": 1}]}'
    entries = document.get("labels") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadRequest(f"labels: the body should be {wanted}", "labels")
    for name in (name for name in document if name != "labels"):
        raise BadRequest(f"{name:.60}: unknown key beside labels", f"{name:.60}")
    if len(entries) > MOST_POSTED:
        raise RequestTooLarge(
            f"labels: {len(entries):,} of them; at most {MOST_POSTED:,} in one request", "labels"
        )
    return entries


def _misshapen(spec: Spec, entry: Any) -> tuple[str, str] | None:
    """What is wrong with an entry before its values are looked at: field and problem."""
    if not isinstance(entry, dict) or ("id" in entry) == ("key" in entry):
        return "", "should be an object of either an id or a key, and a label"
    if "key" in entry and not spec.key:
        return "key", "the model has no key; send the id"
    for name, value in entry.items():
        if name not in ("id", "key", "time", "label"):
            return f"{name:.60}", "no such field; there are id, key, label and time"
        if isinstance(value, float) and value - value != 0.0:
            return name, f"should be a finite number, not {value}"
    return None


def _worded(claim: Claim | Fault) -> Claim | tuple[str, str]:
    """A fault as field and problem, as the caller reads it: ``is 'x' (not a number)``."""
    if isinstance(claim, Claim):
        return claim
    field, rule, value = claim
    said = f"is {value!r:.100} ({rule.replace('_', ' ')})"
    return field, "is required" if rule == "null" else said


def _claims(spec: Spec, entries: list[dict[str, Any]], said: int) -> list[Claim | Fault]:
    """Each entry as a claim, or as (field, rule, value)."""
    values, faults = check_column(spec, spec.target, [e.get("label") for e in entries])
    result: list[Claim | Fault] = []
    for position, (entry, label) in enumerate(zip(entries, values, strict=True)):
        identity, key = entry.get("id"), as_text(entry.get("key"))
        try:
            near, at = _moment(entry.get("time")), _moment(entry.get("at"))
        except (ValueError, TypeError, OverflowError):
            result.append(("time", "not_a_time", entry.get("time") or entry.get("at")))
            continue
        if position in faults:
            result.append(("label", *faults[position]))
        elif identity is not None and not is_prediction_id(identity):
            result.append(("id", "not_a_prediction_id", identity))
        elif identity is None and not key:
            result.append(("id" if "id" in entry else "key", "null", None))
        else:
            result.append(Claim(label, said, identity or "", key or "", near, at))
    return result


def _moment(value: Any) -> int | None:
    if value is None:
        return None
    return to_ms(from_ms(value) if type(value) is int else parse(str(value).strip()))
