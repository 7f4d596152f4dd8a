"""The peers' conventions, computed on our sketches: what they say of a column follows from what we
keep of it, up to the width of a bucket.

Evidently (``legacy/calculations/stattests``): PSI over Sturges' edges of both sets together (or
over the values, where the reference has no more than 20), empty bins filled with a share of 1e-4;
Jensen-Shannon to base e over the same; the p-value of Kolmogorov-Smirnov; Wasserstein in
deviations. NannyML (``drift/univariate/methods.py``): Jensen-Shannon to base 2 over Doane's edges
of the reference, what lies outside them in a bin of its own; Kolmogorov-Smirnov over 10,000 equal
bins; Wasserstein in the values' unit, shown here in deviations.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from driftloop import drift
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch

FEW = 20


def loaded(file: Path) -> dict[str, Sketch]:
    """By column."""
    return {name: Sketch.from_json(one) for name, one in json.loads(file.read_text()).items()}


def evidently(one: Sketch, other: Sketch) -> dict[str, float]:
    p, q = (counts / counts.sum() for counts in _sturges(one, other))
    found = {"jensen_shannon": math.sqrt(math.log(2)) * float(drift.jensen_shannon(p, q))}
    p, q = _filled(p), _filled(q)
    found["psi"] = float(((p - q) * np.log(p / q)).sum())
    if isinstance(one, NumberSketch) and isinstance(other, NumberSketch):
        borders, counts, others = one.buckets.beside(other.buckets)
        apart = float(drift.kolmogorov_smirnov(counts, others))
        size = one.present * other.present / (one.present + other.present)
        found["kolmogorov_smirnov"] = float(stats.kstwo.sf(apart, round(size)))
        found["wasserstein"] = float(drift.wasserstein(counts, others, borders))
    return found


def nannyml(one: Sketch, other: Sketch) -> dict[str, float]:
    if not isinstance(one, NumberSketch) or not isinstance(other, NumberSketch):
        return {"jensen_shannon": float(drift.jensen_shannon(*_by_name(one, other)))}
    assert one.min is not None and one.max is not None
    borders, p, q = one.buckets.beside(other.buckets)
    edges = np.linspace(one.min, one.max, _doane(borders, p) + 1)
    sides = []
    for sketch in (one, other):
        counts = _between(sketch, edges)
        sides.append(np.append(counts, sketch.present - counts.sum()))
    return {
        "jensen_shannon": float(drift.jensen_shannon(*sides)),
        "kolmogorov_smirnov": float(drift.kolmogorov_smirnov(p, q)),
        "wasserstein": float(drift.wasserstein(p, q, borders)),
    }


def _sturges(one: Sketch, other: Sketch) -> tuple[Any, Any]:
    if not isinstance(one, NumberSketch) or not isinstance(other, NumberSketch):
        return _by_name(one, other)
    if one.distinct <= FEW:
        _, p, q = one.buckets.beside(other.buckets)
        return p[p + q > 0], q[p + q > 0]
    ends = [end for side in (one, other) for end in (side.min, side.max) if end is not None]
    bins = math.ceil(math.log2(one.present + other.present) + 1)
    edges = np.linspace(min(ends), max(ends), bins + 1)
    return _between(one, edges), _between(other, edges)


def _doane(borders: Any, counts: Any) -> int:
    """Bins by Doane's rule (numpy's), the skewness told by the buckets' middles."""
    middle, n = (borders[1:] + borders[:-1]) / 2, counts.sum()
    apart = middle - counts @ middle / n
    skew = (counts @ apart**3 / n) / (counts @ apart**2 / n) ** 1.5
    error = math.sqrt(6.0 * (n - 2) / ((n + 1.0) * (n + 3)))
    return math.ceil(1.0 + math.log2(n) + math.log2(1.0 + abs(skew) / error))


def _between(sketch: NumberSketch, edges: Any) -> Any:
    """Values in each bin as numpy's histogram counts them: the last one has its upper edge too."""
    upper = np.append(edges[:-1], np.nextafter(edges[-1], np.inf))
    return np.diff(sketch.buckets.below(upper))


def _by_name(one: Sketch, other: Sketch) -> tuple[Any, Any]:
    assert isinstance(one, TextSketch) and isinstance(other, TextSketch)
    names = sorted({name for side in (one, other) for name, _ in side.top(side.distinct)})
    return np.array(one.counts(names)), np.array(other.counts(names))


def _filled(shares: Any) -> Any:
    least = shares[shares > 0].min()
    return np.where(shares > 0, shares, least / 1e6 if least <= 1e-4 else 1e-4)
