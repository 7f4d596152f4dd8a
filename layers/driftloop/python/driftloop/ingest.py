"""Uploads → parts, a dataset and quarantine. Law 1: accepted + quarantined = input.

An upload is refused whole (unreadable, wrong columns, too many bad rows) or taken in, row by row.
Every write is idempotent and the part's facts come last, so a run that died anywhere is repeated
as if it had not begun.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from driftloop import dataset, keys
from driftloop.blobs import Blobs
from driftloop.contract import check
from driftloop.csvfile import LARGEST, CsvFile, Record, open_csv
from driftloop.errors import DataError, NotFound, TooManyRejected, UnreadableFile
from driftloop.quarantine import Rejected, by_rule, in_words, lines, upload_name
from driftloop.rows import Rows
from driftloop.spec import Spec
from driftloop.when import parse, to_ms

DROPPED = "duplicate"  # a dropped duplicate is no bad row: it does not count for reject_above
REFUSED = "upload_refused"
TOLERANCE = timedelta(days=1)  # clocks differ, and so do ideas of a time zone


@dataclass(frozen=True)
class Upload:
    """One object of the landing bucket, pinned by its version."""

    bucket: str
    key: str
    version_id: str | None = None
    size: int = 0

    @property
    def name(self) -> str:
        return upload_name(self.bucket, self.key, self.version_id)


@dataclass(frozen=True)
class Checked:
    """What one file holds: ``accepted + len(rejected) == total``. With a ``refusal`` nothing of it
    is accepted, and ``rejected`` holds every row."""

    rows: Rows | None
    rejected: list[Rejected]
    total: int
    refusal: DataError | None = None

    @property
    def accepted(self) -> int:
        return len(self.rows) if self.rows else 0


def read(data: bytes, spec: Spec, now: str | None = None) -> Checked:
    """Check every row of a CSV file; above ``data.reject_above`` bad rows it is refused with
    TooManyRejected. A row of over a day after ``now`` is no past event: one of them would push
    all others out of ``data.window``. Raises UnreadableFile, WrongColumns."""
    file = open_csv(data, spec.columns)
    whole: list[Record] = []
    rejected: list[Rejected] = []
    for record in file.records():
        if record.fields is None:
            rejected.append(_reject(file, record, "", "unreadable_row", record.fault))
        else:
            whole.append(record)
    total = len(whole) + len(rejected)
    columns = dict(zip(file.header, zip(*(r.fields or () for r in whole), strict=True)))  # noqa: B905
    until = to_ms(parse(now) + TOLERANCE) if now else None
    rows, faults = check(spec, columns or dict.fromkeys(spec.columns, ()), until)
    for f in faults:
        rejected.append(_reject(file, whole[f.row], f.field, f.rule, f.value))
    rejected.sort(key=lambda r: r.line)
    bad = [r for r in rejected if r.rule != DROPPED]
    if len(bad) > spec.data.reject_above * total:
        refusal = TooManyRejected(
            f"{len(bad)} of {total} rows are bad ({len(bad) / total:.1%}; allowed: "
            f"{spec.data.reject_above:.1%}): {in_words(by_rule(bad), bad)}"
        )
        taken = {r.line for r in rejected}
        good = [_reject(file, r, "", REFUSED, None) for r in whole if r.line not in taken]
        every = sorted([*rejected, *good], key=lambda r: r.line)
        return Checked(None, every, total, refusal)
    return Checked(rows, rejected, total)


def take_in(store: Blobs, spec: Spec, upload: Upload, data: bytes, now: str) -> dict[str, Any]:
    """Keep one upload: quarantine and report, then the part. Returns the report.

    Raises UnreadableFile, WrongColumns, TooManyRejected after having kept the report of why.
    """
    origin = {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id}
    try:
        checked = read(data, spec, now)
    except DataError as unread:
        checked = Checked(None, [], 0, unread)
    if checked.rejected:
        store.put(keys.quarantine(spec.name, upload.name), lines(checked.rejected))
    refusal = checked.refusal
    report = {
        "upload": origin,
        "now": now,
        "total": checked.total,
        "accepted": checked.accepted,
        "rejected": len(checked.rejected),
        "rules": by_rule(checked.rejected),
        "part": checked.rows.digest() if checked.rows else None,
        "error": {"name": type(refusal).__name__, "message": str(refusal)} if refusal else None,
    }
    store.put(keys.ingest_report(spec.name, upload.name), dataset.dump(report))
    if refusal:
        raise refusal
    if checked.rows:
        dataset.add_part(store, spec, checked.rows, now, "upload", origin)
    return report


def ingest(
    store: Blobs,
    spec: Spec,
    uploads: Sequence[Upload],
    fetch: Callable[[Upload], bytes],
    now: str,
) -> dict[str, Any]:
    """Take in every upload and resolve the dataset. ``fetch`` reads the pinned object.

    Returns ``{"accepted", "rejected", "refused": [{"key", "error", "message"}], "parts",
    "dataset": digest or None}``. With several uploads a refused one is reported and the others
    go on; when all are refused, the first refusal is raised.
    """
    refusals: list[tuple[Upload, DataError | NotFound]] = []
    accepted = rejected = 0
    parts: list[str] = []
    for upload in uploads:
        try:
            if upload.size > LARGEST:
                raise UnreadableFile(f"the object has over {LARGEST >> 20} MiB; split it")
            report = take_in(store, spec, upload, fetch(upload), now)
        except (DataError, NotFound) as error:
            refusals.append((upload, error))
            continue
        accepted += report["accepted"]
        rejected += report["rejected"]
        if report["part"] and report["part"] not in parts:
            parts.append(report["part"])
    if uploads and len(refusals) == len(uploads):
        first, why = refusals[0]
        more = f" (and {len(refusals) - 1} more uploads refused)" if len(refusals) > 1 else ""
        raise type(why)(f"{first.key}: {why}{more}")
    found = dataset.current(store, spec)
    return {
        "accepted": accepted,
        "rejected": rejected,
        "refused": [
            {"key": u.key, "error": type(e).__name__, "message": str(e)[:1000]} for u, e in refusals
        ],
        "parts": parts,
        "dataset": found.digest if found else None,
        "pieces": 0,
    }


def _reject(file: CsvFile, record: Record, field: str, rule: str, value: Any) -> Rejected:
    return Rejected(record.line, field, rule, value, file.text(record))
