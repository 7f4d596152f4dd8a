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
from driftloop.errors import BadRequest, WrongColumns
from driftloop.ids import digest
from driftloop.reading import Limits, open_source
from driftloop.rejects.quarantine import Rejected
from driftloop.spec import Spec
from driftloop.when import from_ms, parse, to_ms

MOST_POSTED = 10_000
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
        wanted = "'id' (of the prediction)" + (f" or {spec.key!r}" if spec.key else "")
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


def from_request(spec: Spec, text: str | bytes, now: str) -> Claims:
    """Read the JSON ``{"labels": [{"id" | "key", "time"?, "label"}]}``.

    Raises BadRequest with the path of the first mistake: a request is taken whole or not at all.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}", "body") from None
    entries = body.get("labels") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadRequest("should be a list of {id or key, label}", "labels")
    if len(entries) > MOST_POSTED:
        raise BadRequest(f"holds {len(entries)} labels; at most {MOST_POSTED} a request", "labels")
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict) or ("id" in entry) == ("key" in entry):
            raise BadRequest("needs either an id or a key, and a label", f"labels[{position}]")
        if "key" in entry and not spec.key:
            raise BadRequest("the spec names no key; use the id", f"labels[{position}].key")
        if unknown := sorted(set(entry) - {"id", "key", "time", "label"}):
            raise BadRequest("unknown field", f"labels[{position}].{unknown[0]}")
    claims = _claims(spec, entries, to_ms(parse(now)))
    kept = []
    for position, claim in enumerate(claims):
        if not isinstance(claim, Claim):
            field, rule, value = claim
            raise BadRequest(f"{rule}: {value!r:.100}", f"labels[{position}].{field}")
        kept.append(claim)
    return Claims(digest(json.dumps(body, sort_keys=True), now)[:16], kept, [])


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
            result.append(("key", "null", entry.get("key")))
        else:
            result.append(Claim(label, said, identity or "", key or "", near, at))
    return result


def _moment(value: Any) -> int | None:
    if value is None:
        return None
    return to_ms(from_ms(value) if type(value) is int else parse(str(value).strip()))
