"""What lies between two datasets: parts, rows, columns, and how each column is distributed.

Rows are compared by 64-bit hashes of the columns that both have (see rowhash for the odds), those
of parts that both have not at all. With a key, what the second says otherwise of a key that the
first has is a change, whether the first statement went or stands beside it (the later one counts).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.blobs import Blobs
from driftloop.data import dataset, parquet, rowhash
from driftloop.data.dataset import Dataset, Part
from driftloop.drift import psi
from driftloop.profiling.profile import Profile
from driftloop.sketches.bins import bins_of
from driftloop.sketches.sketch import Sketch, TextSketch

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Shift:
    """One column on both sides; pairs are (first, second). ``psi``: population stability index
    over the first one's bins (see ``sketches.bins``); ``new``, ``gone``: texts of one side."""

    name: str
    kind: str
    psi: float
    missing: tuple[float, float]
    distinct: tuple[int, int]
    mean: tuple[float | None, float | None]
    median: tuple[float | None, float | None]
    new: list[str]
    gone: list[str]


@dataclass(frozen=True)
class Diff:
    """Rows, and ``changed`` keys: None without a key, when a changed row is one removed and one
    added."""

    added: int
    removed: int
    changed: int | None
    same: int
    parts_added: list[str]
    parts_removed: list[str]
    parts_same: int
    columns_added: dict[str, str]
    columns_removed: dict[str, str]
    columns_changed: dict[str, tuple[str, str]]
    shifts: list[Shift]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def diff(
    store: Blobs, model: str, first: Dataset, second: Dataset, profiles: tuple[Profile, Profile]
) -> Diff:
    """From ``first`` to ``second``. ``profiles``: theirs (see ``profile_of``)."""
    ours, theirs = ({p.sha256: p for p in side.parts} for side in (first, second))
    removed = [p for name, p in ours.items() if name not in theirs]
    added = [p for name, p in theirs.items() if name not in ours]
    common = {n: k for n, k in first.columns.items() if second.columns.get(n) == k}
    key = first.key if first.key == second.key and first.key in common else None
    before = _Side(store, model, first, removed, common, key)
    after = _Side(store, model, second, added, common, key)
    gone, new = before.left_over(after.rows), after.left_over(before.rows)
    left, changed = len(gone), None
    if key:
        both = [p for name, p in ours.items() if name in theirs]
        kept = [rowhash.values(parquet.canonical_of(batch.column(key)))
                for batch in dataset.scan(store, model, first, both, only=key)]  # fmt: skip
        said = np.isin(new, np.concatenate([*kept, before.keys]))
        changed = int(np.unique(new[said]).size)
        new, gone = new[~said], gone[~np.isin(gone, np.concatenate([*kept, after.keys]))]
    return Diff(
        added=len(new),
        removed=len(gone),
        changed=changed,
        same=first.rows - left,
        parts_added=[p.sha256 for p in added],
        parts_removed=[p.sha256 for p in removed],
        parts_same=len(ours) - len(removed),
        columns_added=_without(second.columns, first.columns),
        columns_removed=_without(first.columns, second.columns),
        columns_changed={
            n: (k, second.columns[n]) for n, k in first.columns.items()
            if n in second.columns and second.columns[n] != k
        },
        shifts=shifts(*profiles),
    )  # fmt: skip


def profile_of(store: Blobs, model: str, found: Dataset) -> Profile:
    """The profile of a dataset, from its rows."""
    profile = Profile({n: k for n, k in found.columns.items() if n != found.key})  # type: ignore[misc]
    for batch in dataset.scan(store, model, found):
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        hashed = {n: rowhash.values(parquet.canonical_of(c)) for n, c in columns.items()}
        profile.update(columns, rowhash.rows(hashed))
    return profile


def shifts(first: Profile, second: Profile) -> list[Shift]:
    """Of every column that both have, those that moved most first."""
    found = [
        _shift(name, kind, first.sketches[name], second.sketches[name])
        for name, kind in first.kinds.items()
        if second.kinds.get(name) == kind and name in first.sketches
    ]
    return sorted(found, key=lambda shift: (-shift.psi, shift.name))


def _shift(name: str, kind: str, first: Sketch, second: Sketch) -> Shift:
    over = bins_of(first)
    sides = (first, second)
    new: list[str] = []
    gone: list[str] = []
    if isinstance(first, TextSketch) and first.exact and second.exact:
        ours, theirs = ({text for text, _ in side.top(side.distinct)} for side in sides)
        new, gone = sorted(theirs - ours), sorted(ours - theirs)
    return Shift(
        name=name,
        kind=kind,
        psi=float(psi(over.counts(first), over.counts(second))),
        missing=(first.missing_share, second.missing_share),
        distinct=(first.distinct, second.distinct),
        mean=(first.mean, second.mean),
        median=(first.quantile(0.5), second.quantile(0.5)),
        new=new,
        gone=gone,
    )


class _Side:
    """Hashes of rows that only one side has as parts: ``rows``: of what both have as columns;
    ``keys``: of their keys (without a key: of the rows)."""

    def __init__(
        self,
        store: Blobs,
        model: str,
        found: Dataset,
        parts: list[Part],
        columns: dict[str, str],
        key: str | None,
    ) -> None:
        rows: list[Hashes] = [np.empty(0, np.uint64)]
        names: list[Hashes] = [np.empty(0, np.uint64)]
        for batch in dataset.scan(store, model, found, parts) if columns else ():
            hashed = {n: rowhash.values(parquet.canonical_of(batch.column(n))) for n in columns}
            rows.append(rowhash.rows(hashed))
            names.append(hashed[key] if key else rows[-1])
        self.rows, self.keys = np.concatenate(rows), np.concatenate(names)

    def left_over(self, other: Hashes) -> Hashes:
        """Keys of the rows that ``other`` has not, or not as often."""
        order = np.argsort(self.rows, kind="stable")
        values, starts, counts = np.unique(self.rows[order], return_index=True, return_counts=True)
        nth = np.arange(len(order)) - np.repeat(starts, counts)  # which of its equals a row is
        known, times = np.unique(other, return_counts=True)
        at = np.searchsorted(known, values)
        hit = at < len(known)
        hit[hit] = known[at[hit]] == values[hit]
        there = np.zeros(len(values), np.int64)
        there[hit] = times[at[hit]]
        return self.keys[order][nth >= np.repeat(there, counts)]


def _without(columns: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in columns.items() if name not in others}
