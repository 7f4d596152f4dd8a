"""The rows of a sample in groups by the value of one column, to see another column by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Groups of a number: up to and with each of ``edges``, and one above. Groups of a text: each
    of ``names``, and one of all others."""

    edges: Floats | None = None
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return (len(self.names) if self.edges is None else len(self.edges)) + 1

    def assign(self, values: Array) -> Ints:
        """The group of each value (float64 or str); -1 where it is missing."""
        if self.edges is not None:
            place = np.searchsorted(self.edges, values, side="left")
            return np.where(np.isnan(values), -1, place).astype(np.int64)
        known: dict[str | None, int] = {name: i for i, name in enumerate(self.names)}
        known[None] = -1
        other = len(self.names)
        return np.array([known.get(v, other) for v in values.tolist()], np.int64)


def by_value(values: Array, weights: Array, most: int) -> Groups:
    """At most ``most`` groups of about the same weight, or of the most frequent texts."""
    if values.dtype == object:
        names, total = _totals(values, weights)
        order = sorted(range(len(names)), key=lambda i: (-total[i], names[i]))
        return Groups(names=tuple(names[i] for i in order[: most - 1]))
    seen = ~np.isnan(values)
    found, place = np.unique(values[seen], return_inverse=True)
    if len(found) <= most:
        return Groups(edges=found[:-1].astype(np.float64))
    share = np.cumsum(np.bincount(place, weights[seen]))
    cuts = np.searchsorted(share, share[-1] * np.arange(1, most) / most, side="left")
    edges = np.unique(found[cuts])
    return Groups(edges=edges[edges < found[-1]])


def beyond(groups: Groups, values: Array) -> Groups:
    """The same, and a group for numbers below and one for those above all of ``values``."""
    if groups.edges is None or np.isnan(values).all():
        return groups
    ends = np.array([np.nextafter(np.nanmin(values), -np.inf), np.nanmax(values)])
    return Groups(edges=np.unique(np.concatenate([ends, groups.edges])))


def outcomes(target: Array, classes: Sequence[str] | None = None) -> tuple[Floats, list[str]]:
    """A target as numbers: a column of 0 and 1 for each class (n, classes), or the number itself
    divided by its :func:`size` (n, 1)."""
    if target.dtype != object:
        return (target / size(target))[:, None], []
    names = list(classes) if classes is not None else sorted({v for v in target.tolist() if v})
    return np.column_stack([target == name for name in names]).astype(np.float64), names


def size(values: Array) -> float:
    """The largest absolute value, or 1: divided by it, no square or sum is out of range."""
    if values.dtype == object:
        return 1.0
    return float(np.nanmax(np.abs(values), initial=0.0)) or 1.0


def means(codes: Ints, size: int, values: Floats, weights: Array) -> tuple[Floats, Floats]:
    """Weight of each group, ``(size,)``, and weighted means of the columns of ``values`` in it,
    ``(size, columns)``; NaN in an empty one. Rows of group -1 are left out."""
    inside = codes >= 0
    codes, values, weights = codes[inside], values[inside], weights[inside]
    total = np.bincount(codes, weights, minlength=size)
    sums = [np.bincount(codes, weights * column, minlength=size) for column in values.T]
    with np.errstate(invalid="ignore"):
        return total.astype(np.float64), np.column_stack(sums) / total[:, None]


def _totals(values: Array, weights: Array) -> tuple[list[str], list[float]]:
    total: dict[str, float] = {}
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        if value is not None:
            total[value] = total.get(value, 0.0) + weight
    return list(total), list(total.values())
