"""What lies between two datasets: parts, rows, columns, and how each column is distributed.

Rows are compared by 64-bit hashes of the columns that both have (see rowhash for the odds), those
of parts that both have not at all. With a key, a row that is another under the same key changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import canonical, dataset, parquet, rowhash
from driftloop.blobs import Blobs
from driftloop.dataset import Dataset, Part
from driftloop.drift import psi
from driftloop.profile import Profile
from driftloop.sketch import NumberSketch, Sketch, TextSketch

MOST_BINS = 10
MOST_TEXTS = 30
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Shift:
    """One column on both sides; pairs are (first, second). ``psi``: population stability index
    over tenths of the first (or its most frequent texts); ``new``, ``gone``: texts of one side."""

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
    """``changed`` is None without a key; then a changed row is one removed and one added."""

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
    rows = _rows(
        _hashes(store, model, first, removed, common, key),
        _hashes(store, model, second, added, common, key),
    )
    untouched = sum(p.rows for name, p in ours.items() if name in theirs)
    return Diff(
        added=rows[0],
        removed=rows[1],
        changed=rows[2] if key else None,
        same=rows[3] + untouched,
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
    new: list[str] = []
    gone: list[str] = []
    if isinstance(first, NumberSketch) and isinstance(second, NumberSketch):
        counts = [_tenths(first, side) for side in (first, second)]
    elif isinstance(first, TextSketch) and isinstance(second, TextSketch):
        texts = [text for text, _ in first.top(MOST_TEXTS)]
        counts = [_and_others(side, texts) for side in (first, second)]
        if first.exact and second.exact:
            ours, theirs = ({t for t, _ in side.top(side.distinct)} for side in (first, second))
            new, gone = sorted(theirs - ours), sorted(ours - theirs)
    sides = (first, second)
    return Shift(
        name=name,
        kind=kind,
        psi=psi(*counts),
        missing=_pair(side.missing / max(side.rows, 1) for side in sides),
        distinct=_pair(side.distinct for side in sides),
        mean=_pair(side.mean for side in sides),
        median=_pair(side.quantile(0.5) for side in sides),
        new=new,
        gone=gone,
    )


def _tenths(first: NumberSketch, side: NumberSketch) -> list[int]:
    """Rows of ``side`` below, between and above the tenths of ``first``."""
    if first.min is None or first.max is None:
        return [side.present]
    inner = {first.quantile(i / MOST_BINS) for i in range(1, MOST_BINS)}
    edges = np.array(sorted({first.min, np.nextafter(first.max, np.inf), *inner} - {None}))
    below = side.buckets.below(edges)
    return [round(n) for n in np.diff([0.0, *below, float(side.present)])]


def _and_others(side: TextSketch, texts: list[str]) -> list[int]:
    counts = side.counts(texts)
    return [*counts, max(side.present - sum(counts), 0)]


def _hashes(
    store: Blobs,
    model: str,
    found: Dataset,
    parts: list[Part],
    columns: dict[str, str],
    key: str | None,
) -> tuple[Hashes, Hashes]:
    """Of every row of ``parts``: of its common columns, and of its key."""
    rows: list[Hashes] = [np.empty(0, np.uint64)]
    keys: list[Hashes] = [np.empty(0, np.uint64)]
    for batch in dataset.scan(store, model, found, parts):
        plain: dict[str, canonical.Column] = {
            name: parquet.canonical_of(batch.column(name)) for name in columns
        }
        hashed = {name: rowhash.values(column) for name, column in plain.items()}
        if hashed:
            rows.append(rowhash.rows(hashed))
            keys.append(hashed[key] if key else rows[-1])
    return np.concatenate(rows), np.concatenate(keys)


def _rows(first: tuple[Hashes, Hashes], second: tuple[Hashes, Hashes]) -> tuple[int, int, int, int]:
    """Rows added, removed, changed and the same, counting rows that are there several times."""
    left, right = _left_over(first, second[0]), _left_over(second, first[0])
    changed = int(np.intersect1d(left, right).size)
    return len(right) - changed, len(left) - changed, changed, len(first[0]) - len(left)


def _left_over(side: tuple[Hashes, Hashes], other: Hashes) -> Hashes:
    """Keys of the rows of ``side`` that ``other`` has not, or not as often."""
    rows, keys = side
    order = np.argsort(rows, kind="stable")
    values, starts, counts = np.unique(rows[order], return_index=True, return_counts=True)
    nth = np.arange(len(rows)) - np.repeat(starts, counts)  # which of its equals a row is
    known, times = np.unique(other, return_counts=True)
    at = np.searchsorted(known, values)
    there = np.zeros(len(values), np.int64)
    hit = at < len(known)
    hit[hit] = known[at[hit]] == values[hit]
    there[hit] = times[at[hit]]
    return keys[order][nth >= np.repeat(there, counts)]


def _without(columns: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {name: kind for name, kind in columns.items() if name not in others}


def _pair(values: Iterable[Any]) -> tuple[Any, Any]:
    first, second = values
    return first, second
