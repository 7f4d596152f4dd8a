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
from driftloop.drift import chi2_quantile, psi
from driftloop.reference import Reference
from driftloop.sketches.bins import NumberBins
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch

LEAST = 0.25
"""A PSI below this is no large shift (Siddiqi, *Credit Risk Scorecards*, 2006, ch. 6), and needs no
such explanation."""
FAR = 20.0  # of training's interquartile ranges: beyond any season
FINE = 64
FEWEST = 0.02  # of the values
CLEAR = 0.8  # the mean probability, of values taken for changed ones, that they are
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
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows was no such change
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
        after = _divergence(trained, values, undone, counts, belongs)
        fits = after <= (before / 4 if change.far else min(before / 4, _chance(trained, counts)))
        fits = fits and _apart(belongs, counts)
        if not fits and change.far and _nearer(trained.sketch, values, undone, counts):
            fits, belongs = True, np.ones(values.size)
            after = _divergence(trained, values, undone, counts, belongs)
        share = float(belongs @ counts / counts.sum())
        if fits and share >= FEWEST and (best is None or after < 0.9 * best[0] - 0.01):
            best = after, Bug(change.text, change.repair, share)
    return best[1] if best else None


def _divergence(
    trained: Reference, values: Floats, undone: Floats, counts: Floats, belongs: Floats
) -> float:
    """From training, of the values undone by as much as they belong to the changed ones."""
    assert isinstance(trained.bins, NumberBins)
    whole = np.concatenate([undone * (1 + 1e-12), values])  # 36.99… was 37
    weights = np.concatenate([belongs * counts, (1 - belongs) * counts])
    place = trained.bins.assign(whole)
    return float(psi(trained.counts, np.bincount(place, weights, len(trained.counts))))


def _apart(belongs: Floats, counts: Floats) -> bool:
    """Whether it is clear which values are the changed ones. Any wider spread can be told as a
    mixture of this and that; then it is not."""
    return float(belongs**2 @ counts) >= CLEAR * float(belongs @ counts)


def _chance(trained: Reference, counts: Floats) -> float:
    """The PSI that as many independent rows of training's distribution rarely exceed (Yurdakul &
    Naranjo, "Statistical properties of the population stability index", 2020)."""
    filled = sum(1 for count in trained.counts if count)
    rows = 1 / max(trained.sketch.present, 1) + 1 / float(counts.sum())
    return rows * chi2_quantile(filled - 1, 0.99)


def _nearer(sketch: Sketch, values: Floats, undone: Floats, counts: Floats) -> bool:
    """Whether all of a window that lies farther off than any season would lie in its reach: in
    a season of its own, say, and in another unit as well."""
    levels = np.arange(1, 10) / 10
    theirs = np.array([sketch.quantile(q) for q in levels], np.float64)
    spread = float((sketch.quantile(0.75) or 0.0) - (sketch.quantile(0.25) or 0.0))

    def distance(ours: Floats) -> float:
        order = np.argsort(ours, kind="stable")
        at = np.searchsorted(np.cumsum(counts[order]), levels * counts.sum())
        return float(np.abs(ours[order][at] - theirs).mean()) / max(spread, 1e-300)

    before, after = distance(values), distance(undone)
    return before > FAR and after < min(before / 20, FAR / 4)


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
