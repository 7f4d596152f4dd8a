"""A column in another unit or writing: undo it, and the window looks like training again.

A number may be off in some of the rows only (one of several sources changed). Their share is the
likeliest mixture of training's distribution and the changed one (by expectation-maximisation; A.
P. Dempster, N. M. Laird, D. B. Rubin, J. Royal Statistical Society B 39, 1977), and each value is
undone by as much as it belongs to the changed ones. Texts may come in another case, with spaces or
zeros around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driftloop.diagnosis.column import Column
from driftloop.diagnosis.found import Floats
from driftloop.diagnosis.units import CHANGES, Change
from driftloop.drift import psi
from driftloop.sketches.bins import NumberBins
from driftloop.sketches.sketch import NumberSketch, TextSketch

SLIGHT = 0.1
"""A PSI below this is no shift worth the name (Siddiqi, *Credit Risk Scorecards*, 2006, ch. 6)."""
LEAST = 0.25  # a PSI that is not even a large shift needs no such explanation
FINE = 64
FEWEST = 0.02  # of the rows
_STEPS = 30


@dataclass(frozen=True)
class Bug:
    """``text``: what is off ("100 times too large"); ``repair``: what makes it match ("divided by
    100"); ``share``: of the values."""

    text: str
    repair: str
    share: float


def bug(column: Column) -> Bug | None:
    """None unless undoing one known change leaves little of the column's drift."""
    if isinstance(column.trained.sketch, NumberSketch):
        return _of_numbers(column)
    return _of_texts(column)


def _of_numbers(column: Column) -> Bug | None:
    trained = column.trained
    assert isinstance(trained.bins, NumberBins)
    before = float(psi(trained.counts, trained.bins.counts(column.seen)))
    if before < LEAST or not trained.sketch.present:
        return None
    values, counts = column.values
    density = _Density.of(trained.sketch)
    best: tuple[float, Bug] | None = None
    for change in CHANGES:
        undone = change.undo(values)
        undone = np.where(np.isfinite(undone), undone, values)
        belongs = _belongs(change, values, undone, counts, density)
        share = float(belongs @ counts / counts.sum())
        if share < FEWEST:
            continue
        whole = np.concatenate([undone * (1 + 1e-12), values])  # 36.99… was 37
        weights = np.concatenate([belongs * counts, (1 - belongs) * counts])
        after = _divergence(trained.counts, trained.bins, whole, weights)
        most = before / 4 if change.far else min(SLIGHT, before / 4)
        if after <= most and (best is None or after < 0.9 * best[0] - 0.01):
            best = after, Bug(change.text, change.repair, share)
    return best[1] if best else None


def _divergence(expected: list[int], over: NumberBins, values: Floats, weights: Floats) -> float:
    place = over.assign(values)
    return float(psi(expected, np.bincount(place, weights, len(expected))))


def _belongs(
    change: Change, values: Floats, undone: Floats, counts: Floats, density: _Density
) -> Floats:
    """The probability that each value is a changed one."""
    as_is, changed = density(values), density(undone) * change.stretch(values)
    changed = np.where(np.isfinite(changed), changed, 0.0)
    share, total = 0.5, counts.sum()
    belongs = np.full(values.size, share)
    for _ in range(_STEPS):
        both = share * changed + (1 - share) * as_is
        belongs = np.divide(share * changed, both, out=np.full(values.size, share), where=both > 0)
        share = float(belongs @ counts / total)
    return belongs


@dataclass(frozen=True)
class _Density:
    """Training's distribution, as a step function."""

    over: NumberBins
    height: Floats

    @classmethod
    def of(cls, sketch: object) -> _Density:
        assert isinstance(sketch, NumberSketch)
        over = NumberBins.of(sketch, FINE)
        edges = np.array(over.edges)
        wide = max(float(edges[-1] / 2 - edges[0] / 2) * 2, 1e-300)
        widths = np.maximum(np.concatenate([[wide * 1e6], np.diff(edges), [wide * 1e6]]), 1e-300)
        shares = (np.array(over.counts(sketch)) + 0.01) / (sketch.present + 0.01 * widths.size)
        return cls(over, shares / widths)

    def __call__(self, values: Floats) -> Floats:
        return np.asarray(self.height[self.over.assign(values)])


# --- texts --------------------------------------------------------------------------------------

_WRITINGS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("with spaces around them", "stripped", str.strip),
    ("in another case", "whatever their case", lambda text: text.strip().casefold()),
    ("with zeros or a decimal point added or lost", "as plain numbers",
     lambda text: re.sub(r"^0+(?=\d)|\.0+$", "", text.strip())),
)  # fmt: skip


def _of_texts(column: Column) -> Bug | None:
    """New texts that are known ones in another writing."""
    new, before = column.new, column.trained.sketch
    assert isinstance(before, TextSketch)
    share = sum(new.values()) / max(column.seen.present, 1)
    if share < FEWEST:
        return None
    known = [name for name, _ in before.top(before.distinct)]
    for text, repair, written in _WRITINGS:
        plain = {written(name) for name in known}
        found = sum(n for name, n in new.items() if written(name) in plain)
        if found >= 0.8 * sum(new.values()):
            return Bug(text, repair, found / max(column.seen.present, 1))
    return None
