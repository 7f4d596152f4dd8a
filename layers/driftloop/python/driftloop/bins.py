"""Counts over fixed bins: all that drift needs to know of a column, in O(bins) numbers.

A *sketch* is a JSON-ready dict::

    {"type": "number",   "edges": [e0 … ek],      "counts": [k+2 ints], "missing": m, "rows": n}
    {"type": "category", "categories": [c0 … ck], "counts": [k+2 ints], "missing": m, "rows": n}

A number's bins are: below what training saw, ``(e[i-1], e[i]]`` …, above what training saw. The two
outer bins are empty in the sketch the edges come from, so a value from another world (a unit bug,
a stuck sensor) shows even where training was constant. A category's last count is "any other".
Two sketches over the same bins add up, whatever the order: ``merge`` is associative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Sketch = dict[str, Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_BINS = 10
MOST_CATEGORIES = 30


def number_bins(values: Floats, most: int = MOST_BINS) -> Sketch:
    """Empty sketch with quantile edges of ``values`` (float64, NaN = missing)."""
    seen = values[np.isfinite(values)]
    if seen.size == 0:
        return _empty("number", "edges", [])
    distinct = np.unique(seen)
    inner = (
        distinct
        if distinct.size <= most
        else np.unique(np.quantile(seen, np.linspace(0, 1, most + 1)[1:], method="inverted_cdf"))
    )
    lowest = np.nextafter(distinct[0], -np.inf)  # so that the minimum itself is not "below"
    return _empty("number", "edges", [float(lowest), *(float(e) for e in inner)])


def category_bins(names: Sequence[str], counts: Ints, most: int = MOST_CATEGORIES) -> Sketch:
    """Empty sketch over the ``most`` frequent names (ties: first named first)."""
    order = sorted((i for i in range(len(names)) if counts[i] > 0), key=lambda i: -int(counts[i]))
    return _empty("category", "categories", [names[i] for i in order[:most]])


def assign_numbers(bins: Sketch, values: Floats) -> Ints:
    """The bin of each value; -1 where it is missing."""
    index = np.searchsorted(np.asarray(bins["edges"], dtype=np.float64), values, side="left")
    return np.where(np.isnan(values), -1, index).astype(np.int64)


def assign_codes(bins: Sketch, codes: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> Ints:
    """The bin of each category code (-1 = missing); ``names[code]`` is its category."""
    place = {name: i for i, name in enumerate(bins["categories"])}
    other = len(place)
    table = np.array([*(place.get(name, other) for name in names), -1], dtype=np.int64)
    return np.asarray(table[codes])


def assign_names(bins: Sketch, values: Sequence[str | None]) -> Ints:
    """The bin of each category given as text (None = missing)."""
    place: dict[str | None, int] = {name: i for i, name in enumerate(bins["categories"])}
    place[None] = -1
    other = len(bins["categories"])
    return np.fromiter((place.get(v, other) for v in values), dtype=np.int64, count=len(values))


def tally(bins: Sketch, assigned: Ints) -> Sketch:
    """Count assigned bins into a new sketch over the same bins."""
    size = _size(bins)
    counts = np.bincount(assigned[assigned >= 0], minlength=size)
    missing = int((assigned < 0).sum())
    return {
        **bins,
        "counts": [int(c) for c in counts],
        "missing": missing,
        "rows": int(assigned.size),
    }


def merge(first: Sketch, second: Sketch) -> Sketch:
    """The sketch of both together. Raises ValueError when their bins differ."""
    for key in ("type", "edges", "categories"):
        if first.get(key) != second.get(key):
            raise ValueError("sketches over different bins cannot be added")
    counts = [a + b for a, b in zip(first["counts"], second["counts"], strict=True)]
    return {
        **first,
        "counts": counts,
        "missing": first["missing"] + second["missing"],
        "rows": first["rows"] + second["rows"],
    }


def _size(bins: Sketch) -> int:
    return len(bins["edges"] if bins["type"] == "number" else bins["categories"]) + 1


def _empty(kind: str, key: str, cuts: list[Any]) -> Sketch:
    return {"type": kind, key: cuts, "counts": [0] * (len(cuts) + 1), "missing": 0, "rows": 0}
