"""Typed rows: what a part holds, with a name that depends on nothing but the rows.

Kinds of columns: ``number`` (float64, NaN = missing), ``text`` (str, None = missing) and ``time``
(int64, epoch milliseconds UTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.data import canonical, rowhash
from driftloop.spec import Kind as Kind
from driftloop.spec import Spec

Column = npt.NDArray[Any]


def kinds(spec: Spec) -> dict[str, Kind]:
    """Every column of the spec and its kind, in the spec's order."""
    return spec.kinds


@dataclass(frozen=True)
class Rows:
    """``n`` rows as columns of equal length."""

    kinds: dict[str, Kind]
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, picked: npt.NDArray[Any]) -> Rows:
        """The rows of a mask or of positions."""
        return Rows(self.kinds, {name: values[picked] for name, values in self.columns.items()})

    def canonical(self) -> dict[str, canonical.Column]:
        """The columns as names and hashes are taken from."""
        return {name: _canonical(kind, self.columns[name]) for name, kind in self.kinds.items()}

    def digest(self) -> str:
        """SHA-256 over names, kinds and values of the rows in order, free of any file format and
        of the order of columns."""
        form = canonical.Digest(self.kinds)
        form.update(self.canonical())
        return form.hexdigest()

    def hashes(self, *names: str) -> rowhash.Hashes:
        """uint64[n]: equal for rows that are equal (in the columns named; none: in all)."""
        picked = names or tuple(self.columns)
        return rowhash.rows(
            {n: rowhash.values(_canonical(self.kinds[n], self.columns[n])) for n in picked}
        )

    def tuples(self) -> list[tuple[Any, ...]]:
        """Rows as comparable tuples: None for missing."""
        return list(zip(*(plain(values) for values in self.columns.values()), strict=True))


def plain(values: Column) -> list[Any]:
    """A column as Python values, None for missing."""
    if values.dtype.kind == "f" and np.isnan(values).any():
        return [None if v != v else v for v in values.tolist()]
    return list(values.tolist())


def concatenate(parts: list[Rows]) -> Rows:
    """All rows of several parts with the same columns."""
    first = parts[0]
    return Rows(
        first.kinds,
        {name: np.concatenate([p.columns[name] for p in parts]) for name in first.columns},
    )


def event_times(rows: Rows, spec: Spec) -> npt.NDArray[np.int64] | None:
    """Epoch milliseconds of each row; None when the spec names no time."""
    if not spec.time:
        return None
    return rows.columns[spec.time].astype(np.int64)


def row_keys(rows: Rows, spec: Spec) -> list[Any]:
    """What makes a row itself: the user's key, or all it says."""
    return plain(rows.columns[spec.key]) if spec.key else rows.tuples()


def _canonical(kind: Kind, values: Column) -> canonical.Column:
    if kind == "text":
        return canonical.texts(values.tolist())
    return values.astype(np.int64) if kind == "time" else canonical.numbers(values)
