"""What becomes of an upload, once all its pieces are checked: taken in, or refused whole.

Law 1: ``total == accepted + rejected + refused_rows``. Accepted rows are in parts, rejected ones in
quarantine with their own reason; the other rows of a refused upload are in the copy of its
original objects. Every write is idempotent, and the intake, which makes the parts count, is last.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any, cast

from driftloop import errors, keys
from driftloop.blobs import READERS, Blobs, joined
from driftloop.checking import expectations
from driftloop.data import dataset
from driftloop.errors import DataError, ExpectationFailed, TooManyRejected, UnreadableFile
from driftloop.profiling import dataset_profile, profiles
from driftloop.profiling.profile import Profile, merge
from driftloop.rejects.quarantine import by_rules, reasons_in_words
from driftloop.spec import Spec
from driftloop.uploads import intake
from driftloop.uploads.intake import Kept
from driftloop.uploads.pieces import Found
from driftloop.uploads.upload import File, Upload
from driftloop.when import iso, parse

DROPPED = "duplicate"  # a dropped duplicate is no bad row: it does not count for reject_above
_SHOWN = 5  # rejected rows of each reason on the upload's page
_SEARCHED = 20_000  # rejected rows looked through for them
Refusal = DataError | errors.NotFound


@dataclass(frozen=True)
class Sum:
    """All pieces of an upload together. ``profile``: of the rows that pass; None of nothing."""

    total: int
    accepted: int
    reasons: dict[str, int]
    profile: Profile | None

    @property
    def rejected(self) -> int:
        return self.total - self.accepted


def add_up(store: Blobs, found: Sequence[Found]) -> Sum:
    """The sum of what was checked; nothing, when a piece could not be read."""
    checked = [f.checked for f in found if f.checked]
    if not checked or len(checked) < len(found):
        return Sum(0, 0, {}, None)
    reasons: Counter[str] = Counter()
    for piece in checked:
        reasons.update(piece.reasons)
    return Sum(
        sum(piece.total for piece in checked),
        sum(piece.accepted for piece in checked),
        dict(sorted(reasons.items())),
        reduce(merge, (one.profile(store) for one in found)),
    )


def judge(
    spec: Spec, upload: Upload, files: Sequence[File], found: Sequence[Found], whole: Sum
) -> Refusal | None:
    """Why the upload is refused whole, if it is. Rows that go in again are not held against what is
    asked of an upload: the one that they complete was. Pure."""
    for one in found:
        if one.error:
            where = f"{files[one.file].key}: " if len(files) > 1 else ""
            return named(one.error["name"])(where + one.error["message"])
    if not whole.total:
        return UnreadableFile("no file of the upload has rows")
    if keys.readmitted_from(upload.key):
        return None
    bad = {r: n for r, n in whole.reasons.items() if not r.startswith(f"{DROPPED}|")}
    count = sum(bad.values())
    if count > spec.data.reject_above * whole.total:
        return TooManyRejected(
            f"{count} of {whole.total} rows are bad ({count / whole.total:.1%}; allowed: "
            f"{spec.data.reject_above:.1%}): {reasons_in_words(bad)}"
        )
    assert whole.profile is not None
    broken = expectations.broken(spec, whole.accepted, whole.profile)
    return ExpectationFailed("\n".join(broken)) if broken else None


def settle(
    store: Blobs,
    spec: Spec,
    upload: Upload,
    position: int,
    now: str,
    files: Sequence[File],
    found: Sequence[Found],
    refused: Refusal | None = None,
) -> dict[str, Any]:
    """Keep all there is to keep of an upload, and return its report. ``position``: its place among
    the uploads of its run; ``refused``: why there are no pieces. Of an upload that was taken in and
    is gone since nothing changes."""
    if isinstance(refused, errors.NotFound) and store.exists(keys.facts(spec.name, upload.name)):
        return cast(
            dict[str, Any], json.loads(store.get(keys.ingest_report(spec.name, upload.name)))
        )
    whole = add_up(store, found)
    refused = refused or judge(spec, upload, files, found, whole)
    if whole.rejected:
        rejected = (f.rejected(store) for f in found if f.checked and f.checked.rejected)
        store.put_file(keys.quarantine(spec.name, upload.name), joined(rejected))
    originals, parts = [], []
    if refused is None:
        with ThreadPoolExecutor(READERS) as pool:
            passed = [f for f in found if f.checked and f.checked.part]
            parts = list(pool.map(lambda f: _part(store, spec, f), passed))
    elif not isinstance(refused, errors.NotFound):
        originals = _originals(store, spec, upload, files)
    every = intake.intakes(store, spec.name)
    known = intake.known(every, upload.name, now, position)
    before = dataset.resolve(_earlier(every, upload, position, now), spec)
    report = {
        "upload": {"bucket": upload.bucket, "key": upload.key, "version_id": upload.version_id},
        "now": now,
        **_shapes(files, found),
        "pieces": len(found),
        "total": whole.total,
        "accepted": 0 if refused else whole.accepted,
        "rejected": whole.rejected,
        "refused_rows": whole.accepted if refused else 0,
        "rules": by_rules(whole.reasons),
        "reasons": whole.reasons,
        "parts": [part.sha256 for part in parts],
        "known": {p.sha256: known[p.sha256] for p in parts if p.sha256 in known},
        "originals": originals,
        "error": {"name": type(refused).__name__, "message": str(refused)} if refused else None,
    }
    if whole.profile:
        report["profile"] = keys.profile(spec.name, "uploads", upload.name, "json")
        report["findings"] = profiles.keep(
            store, spec, "uploads", upload.name, whole.profile, report,
            _examples(store, keys.quarantine(spec.name, upload.name)) if whole.rejected else [],
            dataset_profile.profile_of(store, spec, before) if before else None,
        )  # fmt: skip
    store.put(keys.ingest_report(spec.name, upload.name), dataset.dump(report))
    if parts or store.exists(keys.facts(spec.name, upload.name)):  # which another spec brought in
        origin = report["upload"]
        intake.enter(store, spec, upload.name, parts, now, "upload", origin, position)
    return report


def named(error: str) -> type[DataError]:
    """The error of that name."""
    return cast(type[DataError], getattr(errors, error))


def _part(store: Blobs, spec: Spec, found: Found) -> Kept:
    checked = found.checked
    assert checked is not None and checked.part is not None
    key = keys.part(spec.name, checked.part)
    if not store.exists(key):
        found.part(store, key)
    dataset_profile.keep_part(store, spec, checked.part, found.profile(store))
    return Kept(checked.part, checked.accepted, checked.first, checked.last)


def _originals(store: Blobs, spec: Spec, upload: Upload, files: Sequence[File]) -> list[str]:
    """Bit for bit copies of a refused upload; of several files each for itself."""
    key = keys.original(spec.name, upload.name)
    names = [key] if len(files) == 1 else [f"{key}/{n:05d}" for n in range(len(files))]
    for name, file in zip(names, files, strict=True):
        store.copy_from(name, file.key, file.version_id, upload.bucket)
    return names


def _shapes(files: Sequence[File], found: Sequence[Found]) -> dict[str, Any]:
    """The files, and how each is read; of the one file also at the top."""
    shapes = {f.file: f.shape for f in reversed(found)}
    every = [asdict(file) | {"shape": shapes.get(i)} for i, file in enumerate(files)]
    forms = sorted({shape["format"] for shape in shapes.values() if shape})
    return {
        "files": every,
        "shape": shapes.get(0) if len(files) == 1 else None,
        "format": ", ".join(forms) or None,
    }


def _earlier(
    every: Sequence[intake.Intake], upload: Upload, position: int, now: str
) -> list[intake.Intake]:
    """Intakes before this one's: the same whenever one asks."""
    moment = (iso(parse(now)), position, upload.name)
    return [i for i in every if i.order < moment]


def _examples(store: Blobs, key: str) -> list[dict[str, Any]]:
    """The first rejected rows of each reason."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with store.open(key) as packed, gzip.open(packed) as rows:
        for _, line in zip(range(_SEARCHED), rows, strict=False):
            row = json.loads(line)
            same = found.setdefault((row["rule"], row["field"]), [])
            if len(same) < _SHOWN:
                same.append(row)
    return [row for same in found.values() for row in same]
