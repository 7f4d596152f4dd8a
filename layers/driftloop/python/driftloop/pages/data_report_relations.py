"""What lies between columns: which go together, and which are missing together."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from driftloop.pages import drawings
from driftloop.pages.look import table
from driftloop.pages.readable import listed, share
from driftloop.profiling.association import correlation_ratio, cramers_v, rank_correlations
from driftloop.profiling.groups import Array, Floats
from driftloop.profiling.profile import Profile

MOST_COLUMNS = 24
MOST_PAIRS = 12
NOTABLE = 0.3


def together(profile: Profile, names: Sequence[str]) -> str:
    """A square of associations between ``names`` (the most telling first; the square shows so many
    as can be read) and the strongest pairs. Nothing for a sample too small to say."""
    shown = [name for name in names if profile.sketches[name].distinct > 1][:MOST_COLUMNS]
    found = associations(profile, shown)
    if len(shown) < 2 or not np.isfinite(found[np.triu_indices(len(shown), 1)]).any():
        return ""
    cells = [[None if v != v else v for v in row] for row in found.tolist()]
    pairs = sorted(
        ((i, j) for i in range(len(shown)) for j in range(i) if abs(found[i, j]) >= NOTABLE),
        key=lambda p: -abs(found[p]),
    )[:MOST_PAIRS]
    rows = [
        (a, b, f"{found[i, j]:.2f}".replace("-", "−"), _measure(profile, a, b))
        for a, b, i, j in ((shown[j], shown[i], i, j) for i, j in pairs)
    ]
    left = f"; the {len(shown)} that say most of the target" if len(shown) < len(names) else ""
    listing = table(("column", "and", "#strength", "measure"), rows) if rows else ""
    return (
        f"<h2>What goes together</h2><p class=soft>0 is nothing, 1 is all; orange falls as the "
        f"other rises. From a sample of {len(profile.sample):,} rows{left}.</p>"
        f"<div class=square>{drawings.matrix(shown, cells, 'associations')}</div>{listing}"
    )


def associations(profile: Profile, names: Sequence[str]) -> Floats:
    """Strength between all pairs, (p, p): see :mod:`profiling.association` for the measures."""
    sample = profile.sample
    weights = sample.counts.astype(np.float64)
    values: dict[str, Array] = {}
    for name in names:
        text = profile.kinds[name] == "text"
        values[name] = sample.codes(name)[0] if text else sample.columns[name]
    found = np.full((len(names), len(names)), np.nan)
    numbers = [i for i, name in enumerate(names) if profile.kinds[name] == "number"]
    if numbers:
        matrix = np.column_stack([values[names[i]] for i in numbers])
        found[np.ix_(numbers, numbers)] = rank_correlations(matrix, weights)
    for i, first in enumerate(names):
        for j, second in enumerate(names[:i]):
            texts = profile.kinds[first] == "text", profile.kinds[second] == "text"
            if all(texts):
                found[i, j] = cramers_v(values[first], values[second], weights)
            elif texts[0]:
                found[i, j] = correlation_ratio(values[first], values[second], weights)
            elif texts[1]:
                found[i, j] = correlation_ratio(values[second], values[first], weights)
            found[j, i] = found[i, j]
    np.fill_diagonal(found, 1.0)
    return found


def missing_together(profile: Profile, names: Sequence[str]) -> str:
    """The most frequent sets of columns that lack a value in the same rows."""
    sample = profile.sample
    gaps = {name: _missing(sample.columns[name]) for name in names}
    gaps = {name: lacks for name, lacks in gaps.items() if lacks.any()}
    if not gaps:
        return ""
    patterns, place = np.unique(np.column_stack([*gaps.values()]), axis=0, return_inverse=True)
    total = np.bincount(place.reshape(-1), sample.counts)
    order = [int(i) for i in np.argsort(-total) if patterns[i].any()][:8]
    columns = list(gaps)
    rows = []
    for i in order:
        lacking = [name for name, lacks in zip(columns, patterns[i], strict=True) if lacks]
        rows.append((listed(lacking, 8), share(float(total[i]), float(total.sum()))))
    return (
        "<h2>Missing together</h2><p class=soft>Columns without a value in the same rows, and in "
        f"how many; no value is missing in {escape(_whole(patterns, total))} of the rows.</p>"
        f"{table(('columns', '#rows'), rows)}"
    )


def _whole(patterns: Array, total: Array) -> str:
    return share(float(total[~patterns.any(axis=1)].sum()), float(total.sum()))


def _missing(values: Array) -> Array:
    return np.array([v is None or v != v for v in values.tolist()])


def _measure(profile: Profile, first: str, second: str) -> str:
    texts = [profile.kinds[n] == "text" for n in (first, second)]
    if all(texts):
        return "Cramér’s V"
    return "correlation ratio" if any(texts) else "rank correlation"
