"""Rejected rows go in again: as they stood, once the spec was mended, or mended themselves.

They become a new upload, which the loop takes in like any other. First the record of which rows
they are is written, under the next number of their upload, so that no row goes in twice whoever
else asks; then the object. Who dies in between, or finds such a half, repeats the command:
``unfinished`` are delivered first. What a row was goes on being told by quarantine.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from driftloop import keys
from driftloop.blobs import Blobs
from driftloop.errors import BadRequest, RegistryConflict
from driftloop.ids import canonical
from driftloop.rejects.mending import Mended, as_cell, csv_line, own_columns
from driftloop.rejects.quarantine import LONGEST_TEXT, Rejected
from driftloop.rejects.rejected import DUPLICATE, Held, Readmission
from driftloop.uploads.upload import MARKER

LARGEST = 64 * 1024 * 1024  # characters of one object


@dataclass(frozen=True)
class Again:
    """A rejected row as it goes in: ``text``, under ``header`` in a file of ``form`` ("csv" and its
    delimiter, or "jsonl")."""

    rejected: Rejected
    form: str
    delimiter: str
    header: tuple[str, ...]
    text: str


def as_they_stood(held: Held, rows: Iterable[Rejected], rule: str | None = None) -> Iterator[Again]:
    """The rows that may go in as they were: of one rule, or all but dropped duplicates. What could
    not be read would not be read now either, and alone might join its neighbours; of a text that
    was cut the rest is not there. Both want mending."""
    for r in rows:
        wanted = r.rule == rule if rule else r.rule != DUPLICATE
        shape = held.shape(r.file)
        if not wanted or r.rule == "unreadable_row" or len(r.text) >= LONGEST_TEXT or not shape:
            continue
        if shape["format"] == "csv":
            yield Again(r, "csv", shape["delimiter"], tuple(shape["header"]), r.text)
        else:
            yield Again(r, "jsonl", "", (), r.text)


def mended(held: Held, rows: Iterable[Rejected], given: Iterable[Mended]) -> Iterator[Again]:
    """The rows of ``held`` that ``given`` mends. Columns that another upload brought into the file,
    and which are empty here, are left out. Raises BadRequest for a row that is not in quarantine
    (any more), is given twice, says nothing, or has a column whose name was mistyped: refused for
    that behind the door, the rows would count as gone in and could not be mended again."""
    if held.error:
        raise BadRequest(
            f"upload {held.upload} was refused whole; re-admit it whole, or mend the file itself"
        )
    wanted: dict[tuple[str, int], Mended] = {}
    for row in given:
        file, line = row.place
        place = ("" if file == held.key else file, line)
        if place in wanted:
            raise BadRequest(f"line {row.at}: line {line} of {held.upload} is given twice")
        if not any(value not in (None, "") for value in row.row.values()):
            raise BadRequest(f"line {row.at}: nothing is filled in; mend the row or leave it out")
        wanted[place] = row
    known = {name for shape in held.shapes.values() for name in shape["header"]}
    used = {n for m in wanted.values() for n, v in m.row.items() if v not in (None, "")}
    for r in rows:
        found = wanted.pop((r.file, r.line), None)
        if found is None:
            continue
        _named_as_before(found, held.shape(r.file), known)
        said = {n: v for n, v in found.row.items() if n in known or n in used}
        shape = held.shape(r.file)
        if shape.get("format", "csv") == "csv":
            yield Again(r, "csv", ",", tuple(said), csv_line(map(as_cell, said.values()), ","))
        else:
            stood = own_columns(r, shape) or {}
            typed = {name: _as_before(value, stood.get(name)) for name, value in said.items()}
            yield Again(r, "jsonl", "", (), json.dumps(typed, ensure_ascii=False))
    for row in wanted.values():
        raise BadRequest(
            f"line {row.at}: line {row.place[1]} of upload {held.upload} is not in quarantine; "
            "it was never rejected, or went in again already"
        )


def send(
    store: Blobs,
    landing: Blobs,
    bucket: str,
    model: str,
    held: Held,
    rows: Iterable[Again],
    now: str,
) -> Iterator[Readmission]:
    """Let rows of one upload go in again, as one object for each kind of file (more if they are
    large). ``bucket``: the store's own. Raises RegistryConflict when somebody else does so at the
    same moment."""
    number = len(held.readmissions)
    for again in _batches(rows):
        number += 1
        record = _record(model, held, number, again, now)
        store.put(record.bodies[0], _body(again))
        _claim(store, model, record)
        deliver(store, landing, record, bucket)
        yield record


def send_whole(
    store: Blobs, landing: Blobs, bucket: str, model: str, held: Held, now: str
) -> Readmission:
    """Let an upload that was refused whole go in again as it was. ``bucket``: the store's own.
    Raises RegistryConflict, NotFound."""
    root = keys.readmitted_from(held.key)
    suffix = str(held.shape("").get("format", "data"))
    if len(held.originals) > 1:
        key = keys.incoming(model, f"readmitted-{held.upload}/{MARKER}")
    elif root:  # it goes on completing what it was cut from
        content = hashlib.sha256(held.upload.encode()).hexdigest()
        key = keys.readmitted(model, root, content, suffix)
    else:
        key = keys.incoming(model, f"readmitted-{held.upload}.{suffix}")
    record = Readmission(
        upload=held.upload,
        number=len(held.readmissions) + 1,
        key=key,
        bodies=list(held.originals),
        rows=held.held,
        time=now,
        whole=True,
    )
    _claim(store, model, record)
    deliver(store, landing, record, bucket)
    return record


def unfinished(found: Sequence[Held], landing: Blobs) -> list[Readmission]:
    """Those whose record was written and whose rows never arrived."""
    arrived = {held.key for held in found}
    records = (record for held in found for record in held.readmissions)
    return [r for r in records if r.key not in arrived and not landing.exists(r.key)]


def deliver(store: Blobs, landing: Blobs, record: Readmission, bucket: str) -> None:
    """Put the objects of a recorded re-admission where uploads land; that which makes them an
    upload is the last. Repeating it changes nothing. ``bucket``: the store's own."""
    if landing.exists(record.key):
        return
    if len(record.bodies) == 1:
        landing.copy_from(record.key, record.bodies[0], bucket=bucket)
        return
    for number, body in enumerate(record.bodies):
        landing.copy_from(record.key.replace(MARKER, f"{number:05d}"), body, bucket=bucket)
    landing.put(record.key, b"")


def _claim(store: Blobs, model: str, record: Readmission) -> None:
    key = keys.readmission(model, record.upload, f"{record.number:06d}.json")
    if not store.put_if_absent(key, canonical(asdict(record)).encode()):
        raise RegistryConflict(
            f"rows of upload {record.upload} were re-admitted by somebody else meanwhile; repeat "
            "the command for what is left"
        )


def _record(model: str, held: Held, number: int, rows: Sequence[Again], now: str) -> Readmission:
    lines: dict[str, list[int]] = defaultdict(list)
    for again in rows:
        lines[again.rejected.file].append(again.rejected.line)
    content = hashlib.sha256(canonical([held.upload, lines]).encode() + _body(rows)).hexdigest()
    root = keys.readmitted_from(held.key) or held.upload
    key = keys.readmitted(model, root, content, rows[0].form)
    body = keys.readmission(model, held.upload, f"{content[:12]}.{rows[0].form}")
    reasons = Counter(f"{a.rejected.rule}|{a.rejected.field}" for a in rows)
    return Readmission(held.upload, number, key, [body], len(rows), now, dict(lines), dict(reasons))


def _batches(rows: Iterable[Again]) -> Iterator[list[Again]]:
    """Rows that can stand in one file."""
    groups: dict[tuple[Any, ...], list[Again]] = defaultdict(list)
    sizes: Counter[tuple[Any, ...]] = Counter()
    for again in rows:
        group = (again.form, again.delimiter, again.header)
        groups[group].append(again)
        sizes[group] += len(again.text)
        if sizes[group] > LARGEST:
            yield groups.pop(group)
            sizes[group] = 0
    yield from groups.values()


def _body(rows: Sequence[Again]) -> bytes:
    first = rows[0]
    head = [csv_line(first.header, first.delimiter)] if first.form == "csv" else []
    text = "\n".join([*head, *(again.text for again in rows), ""])
    return text.encode("utf-8", "surrogatepass")


def _named_as_before(row: Mended, shape: Mapping[str, Any], known: set[str]) -> None:
    """Raises BadRequest where a column of the row's own file is gone and a new one is nearly it."""
    strange = [name for name in row.row if name not in known]
    for name in shape.get("header", ()) if strange else ():
        near = difflib.get_close_matches(name, strange, 1, 0.75) if name not in row.row else []
        if near:
            raise BadRequest(f"line {row.at}: there is a column {near[0]!r}, and none of the "
                             f"name {name!r}, which it had before")  # fmt: skip


def _as_before(value: Any, stood: Any) -> Any:
    """A mended value of JSON: a cell that says what stood there is that; a number stays one."""
    if not isinstance(value, str):
        return value
    if value == as_cell(stood):
        return stood
    if isinstance(stood, (int, float)):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value or None
