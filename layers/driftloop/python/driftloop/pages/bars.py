"""Which bars a column is drawn with: of the sketch, so that every row counts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from driftloop.pages.readable import number
from driftloop.profiling.groups import Floats, Groups
from driftloop.sketches.sketch import NumberSketch, TextSketch

MOST_BARS = 24
MOST_NAMES = 8
DWARFED = 30


@dataclass(frozen=True)
class Bars:
    """``counts``: rows with a value, by bar; ``labels``: what each bar stands for; ``groups``: the
    same bars, to put rows of a sample into; ``logarithmic``: whether they are equally wide so."""

    counts: Floats
    labels: list[str]
    groups: Groups
    logarithmic: bool = False


def of_numbers(sketch: NumberSketch) -> Bars | None:
    """A bar for each value where they are few; else bars of equal width over all but the outermost
    half percents, which go into the first and the last bar. Where a few values dwarf the others,
    widths are equal on a logarithmic scale. None without values."""
    if sketch.min is None or sketch.max is None:
        return None
    most = min(max(round(2 * sketch.present ** (1 / 3)), 6), MOST_BARS)  # the Rice rule
    top = sketch.top(MOST_BARS + 1)
    if sketch.exact and len(top) == sketch.distinct <= MOST_BARS:
        values = sorted(top)
        edges = np.array([value for value, _ in values[:-1]])
        counts = np.array([count for _, count in values], np.float64)
        return Bars(counts, [number(value) for value, _ in values], Groups(edges=edges))
    low, high = _range(sketch, sketch.min, sketch.max)
    middle = sketch.quantile(0.5) or 0.0
    logarithmic = low > 0 and high / DWARFED > middle
    edges = (np.geomspace if logarithmic else np.linspace)(low, high, most + 1)[1:-1]
    if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        edges = np.array([low])  # wider than a float's range, or narrower than its digits
    below = np.concatenate([[0.0], sketch.buckets.below(edges), [float(sketch.present)]])
    ends = [number(edge) for edge in (low, *edges.tolist(), high)]
    labels = [f"{a} to {b}" for a, b in pairwise(ends)]
    if low > sketch.min:
        labels[0] = f"up to {ends[1]}"
    if high < sketch.max:
        labels[-1] = f"over {ends[-2]}"
    return Bars(np.diff(below), labels, Groups(edges=edges), logarithmic)


def _range(sketch: NumberSketch, least: float, greatest: float) -> tuple[float, float]:
    """What is drawn: from the least to the greatest value, less what lies far out."""
    low, high = sketch.quantile(0.005), sketch.quantile(0.995)
    if low is None or high is None or low >= high:
        return least, greatest
    reach = (high - low) / 5
    return (
        least if least >= low - reach else low,
        greatest if greatest <= high + reach else high,
    )


def of_texts(sketch: TextSketch) -> Bars | None:
    """A bar for each of the most frequent texts, and one for all others."""
    top = sketch.top(MOST_NAMES + 1)
    if not top:
        return None
    if len(top) > MOST_NAMES or not sketch.exact:
        top = top[:MOST_NAMES]
    names = [name for name, _ in top]
    counts = [float(count) for _, count in top]
    others = max(sketch.present - sum(counts), 0.0)
    rest = sketch.distinct - len(names)
    labels = [*names, f"{rest:,} others" if rest > 0 else ""]
    return Bars(np.array([*counts, others]), labels, Groups(names=tuple(names)))


def outliers(sketch: NumberSketch) -> tuple[float, float, int] | None:
    """Tukey's fences (1.5 interquartile ranges beyond the quartiles: *Exploratory Data Analysis*,
    1977) and how many values lie beyond; None where half of the values are one."""
    first, third = sketch.quantile(0.25), sketch.quantile(0.75)
    if first is None or third is None or third <= first:
        return None
    low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
    if not np.isfinite([low, high]).all():
        return None
    below, above = sketch.buckets.below(np.array([low, np.nextafter(high, np.inf)])).tolist()
    return low, high, round(below + sketch.present - above)
