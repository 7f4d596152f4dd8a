"""A source that fell silent: values are missing, or one and the same value stands for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftloop.diagnosis.column import Column
from driftloop.sketches.sketch import NumberSketch

RISE = 0.1  # of the share of rows: a source that is away for a tenth of them is away
STUCK = 0.9  # of the values
_BLANKS = {"", "-", "?", "n/a", "na", "nan", "nil", "none", "null", "undefined", "unknown"}


@dataclass(frozen=True)
class Silence:
    """``share``: of the rows, those without a true value; ``was``: at training; ``stands``: the
    value that stands for them, as text, None where they are just missing."""

    share: float
    was: float
    stands: str | None = None


def silence(column: Column) -> Silence | None:
    """None where the source speaks as ever."""
    before, seen = column.trained.sketch, column.seen
    if seen.missing_share - before.missing_share >= RISE:
        return Silence(seen.missing_share, before.missing_share)
    if not seen.rows:
        return None
    blank = {name: n for name, n in column.new.items() if name.strip().lower() in _BLANKS}
    if sum(blank.values()) >= RISE * seen.rows:
        most = max(blank, key=lambda name: blank[name])
        return Silence(sum(blank.values()) / seen.rows, before.missing_share, repr(most))
    return _stuck(column) if isinstance(before, NumberSketch) else None


def _stuck(column: Column) -> Silence | None:
    """A number that stands for most of the rows, or, where none of training's lay so far out, for
    a tenth of them."""
    before, seen = column.trained.sketch, column.seen
    assert isinstance(seen, NumberSketch)
    if not seen.present or before.min is None or before.max is None:
        return None
    value, count = seen.top(1)[0]
    share = count / seen.present
    low, high = seen.buckets.below(np.array([before.min, np.nextafter(before.max, np.inf)]))
    within = float(high - low) / seen.present
    outside = not before.min <= value <= before.max
    stands_in = outside and share >= RISE and within >= 0.9 * (1 - share) > 0
    was = _share(before, value)
    if stands_in or (share >= STUCK and was < STUCK / 2):
        return Silence(count / seen.rows, was, f"{value:g}")
    return None


def _share(sketch: object, value: float) -> float:
    """Of training's numbers, those in the bucket of ``value``."""
    assert isinstance(sketch, NumberSketch)
    edges = np.array([value, np.nextafter(value * (1 + sketch.width), np.inf)])
    low, high = sketch.buckets.below(edges).tolist()
    return float(max(0.0, high - low) / max(sketch.present, 1))
