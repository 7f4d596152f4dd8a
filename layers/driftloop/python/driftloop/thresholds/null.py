"""The null distribution of a version's drift statistics, and the thresholds that come of it.

For each block of training data that stands for a window (``thresholds.blocks``), every statistic of
every column is computed against the data without that block, at each of a few sizes. On its scale
(``thresholds.statistics``) each is standardised by its own mean and deviation over the *other*
blocks, as a new window's is. A window to come is no neighbour of the training data, so a block's
neighbours, which may be like it, are left out of both as well: h-block cross-validation (Burman,
Chow & Nolan, "A cross-validatory method for dependent data", Biometrika 81(2), 1994).

The largest of all of a block is what decides whether that window would have raised an alarm: taking
it block by block keeps all dependence between columns and between statistics. One level for the
largest (``thresholds.tail``), turned back into the scale of each statistic, gives every one its
threshold: the family meets the budget, however many they are.

What is kept is the means and deviations and the largest of each block, so a version's budget and
its alarm can be changed without training it anew. In between two sizes, thresholds are interpolated
in the logarithms; a window larger than any block keeps the largest blocks' thresholds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop.spec import Monitor
from driftloop.spec_words import of
from driftloop.thresholds import budget, tail
from driftloop.thresholds.blocks import Blocks
from driftloop.thresholds.statistics import STATISTICS, Counts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

APART = 8.0
"""Most deviations a block counts for, or as many as one among n can have: what happened once in
training is in the deviation of its own column, and should not raise the level of all others."""
EVEN = 0.02  # least deviation, of the mean: no null is a point
BY_FLOOR = 4.0  # and a null that lies below the floor has one at which the floor is so many up


@dataclass(frozen=True)
class Marginal:
    """Of one statistic of one column, on its scale: by size of window."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class Null:
    """``how``: what the blocks were; ``seconds``: a window's length; ``windows``: as many windows'
    worth of training data; ``support``: windows to read a level from; ``rows``: sizes, ascending;
    ``maxima``: for each size, the largest of each block in order."""

    how: str
    seconds: int
    windows: int
    support: int
    rows: tuple[int, ...]
    maxima: tuple[tuple[float, ...], ...]

    @property
    def window(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def rate(self, monitor: Monitor) -> float:
        """False alarms per window, within the budget as far as the data tell."""
        return budget.granted(monitor.false_alarms, self.window, self.support)

    def levels(self, monitor: Monitor) -> Floats:
        """For each size, what the largest standardised statistic of a window may be."""
        return _levels(self, self.rate(monitor), *of(monitor.alarm))

    def threshold(
        self, name: str, marginal: Marginal, levels: Floats, reference: Counts, window: Counts
    ) -> Floats:
        """Of a statistic, for one window or for each of many."""
        statistic = STATISTICS[name]
        most, floor = statistic.most(reference, window), statistic.floors(window)
        in_reach = np.where(most > 0, 0.999 * most, 1.0)
        if not self.rows:  # nothing is known of it: only what is wholly apart is drift
            return np.asarray(np.maximum(floor, in_reach))
        sizes = np.log(self.rows)
        size = np.log(np.maximum(statistic.size(reference, window), 1.0))
        place = np.clip(np.interp(size, sizes, np.arange(sizes.size)), 0, sizes.size - 1)
        below = np.minimum(place.astype(np.int64), max(sizes.size - 2, 0))
        scaled = np.array(marginal.mean) + levels * np.array(marginal.deviation)
        limits = np.log(np.maximum(statistic.unscaled(scaled, most[..., None]), 1e-300))
        at = np.take_along_axis(limits, below[..., None], -1)[..., 0]
        following = np.minimum(below + 1, sizes.size - 1)[..., None]
        limit = at + (place - below) * (np.take_along_axis(limits, following, -1)[..., 0] - at)
        limit += np.maximum(sizes[0] - size, 0) * statistic.fall  # as independent rows scatter
        return np.asarray(np.maximum(floor, np.minimum(np.exp(limit), in_reach)))

    def to_json(self) -> dict[str, Any]:
        return {
            "how": self.how,
            "seconds": self.seconds,
            "windows": self.windows,
            "support": self.support,
            "rows": list(self.rows),
            "maxima": [list(found) for found in self.maxima],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Null:
        lists = {
            "rows": tuple(document["rows"]),
            "maxima": tuple(tuple(found) for found in document["maxima"]),
        }
        return cls(**{**document, **lists})


@lru_cache(maxsize=64)
def _levels(null: Null, rate: float, enough: int, windows: int) -> Floats:
    return np.array([tail.level(found, rate, enough, windows) for found in null.maxima])


class Family:
    """Collects the null distributions of all columns over the same blocks."""

    def __init__(self, blocks: Blocks | None, window: timedelta) -> None:
        self.blocks, self._window = blocks, window
        count = 0 if blocks is None else blocks.count
        sizes = 0 if blocks is None else len(blocks.sizes)
        self._maxima = np.full((sizes, count), -np.inf)

    def meet(
        self,
        asked: Sequence[str],
        codes: tuple[Ints, Ints],
        widths: tuple[int, int],
        borders: Floats,
        reference: Ints | None = None,
    ) -> dict[str, Marginal]:
        """The statistics of one column. ``codes``: of each row the coarse and the fine bin (-1 is
        missing), of which there are ``widths``; ``reference``: the rows windows will be compared
        with, if not all. Where these are the last blocks, each block is compared with as many
        others in a row, since few days differ more from others than all do."""
        blocks = self.blocks
        if blocks is None:
            return {name: Marginal((), ()) for name in asked}
        tallies = [_Tally(code, width, blocks) for code, width in zip(codes, widths, strict=True)]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
        stretch = None if reference is None else blocks.stretches(reference)
        rest = _counts([tally.rest(stretch) for tally in tallies], borders)
        for i, (rows, block) in enumerate(blocks.taken()):
            window = _counts([tally.of(rows, block) for tally in tallies], borders)
            for name in asked:
                statistic = STATISTICS[name]
                most = statistic.most(rest, window)
                scaled = statistic.scaled(statistic.between(rest, window), most)
                floor = statistic.scaled(np.minimum(statistic.floors(window), most), most)
                mean, deviation, apart = _standardised(scaled, float(np.median(floor)), blocks.near)
                found[name].append((mean, deviation))
                self._maxima[i] = np.maximum(self._maxima[i], apart)
        return {name: Marginal(*zip(*pairs, strict=True)) for name, pairs in found.items()}

    def null(self) -> Null:
        blocks, seconds = self.blocks, round(self._window.total_seconds())
        if blocks is None:
            return Null("too few rows", seconds, 0, 0, (), ())
        maxima = tuple(tuple(found) for found in self._maxima.round(6).tolist())
        support = blocks.count if blocks.drawn else blocks.windows
        return Null(blocks.how, seconds, blocks.windows, support, blocks.sizes, maxima)


class _Tally:
    """Rows in each bin, the first of which is that of missing values."""

    def __init__(self, codes: Ints, width: int, blocks: Blocks) -> None:
        self._codes, self._width, self._blocks = codes + 1, width + 1, blocks
        self._all = np.bincount(self._codes, minlength=self._width).astype(np.float64)

    def of(self, rows: Ints, block: Ints) -> Floats:
        """float64[blocks, bins + 1]"""
        at = block * self._width + self._codes[rows]
        found = np.bincount(at, minlength=self._blocks.count * self._width)
        return found.reshape(self._blocks.count, self._width).astype(np.float64)

    def rest(self, stretch: npt.NDArray[np.bool_] | None) -> Floats:
        whole = self.of(self._blocks.rows, self._blocks.block)
        if stretch is not None:
            return stretch.astype(np.float64) @ whole
        return self._all - around(whole, self._blocks.near)


def _counts(tallied: Sequence[Floats], borders: Floats) -> Counts:
    coarse, fine = tallied
    return Counts(coarse[..., 1:], fine[..., 1:], borders, np.asarray(coarse.sum(-1)))


def _standardised(scaled: Floats, floor: float, near: int) -> tuple[float, float, Floats]:
    """Mean and deviation; and how many deviations of those not ``near`` each lies above their
    mean."""
    mean = float(scaled.mean())
    apart = scaled - mean
    square = float(apart @ apart)
    others = scaled.size - around(np.ones(scaled.size), near)
    theirs = -around(apart, near) / others
    spread = square - around(apart**2, near) - others * theirs**2
    spread = np.sqrt(np.maximum(spread, 0.0) / np.maximum(others - 1, 1))
    spread = _least(spread, mean + theirs, floor)
    most = min(APART, (scaled.size - 1) / scaled.size**0.5)
    deviation = _least(np.array((square / (scaled.size - 1)) ** 0.5), np.array(mean), floor)
    return mean, float(deviation), np.minimum((apart - theirs) / spread, most)


def around(values: Floats, near: int) -> Floats:
    """Sums over each row and ``near`` of its neighbours on either side (first axis)."""
    if not near:
        return values
    n = len(values)
    total = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    each = np.arange(n)
    return np.asarray(total[np.minimum(each + near + 1, n)] - total[np.maximum(each - near, 0)])


def _least(deviation: Floats, mean: Floats, floor: float) -> Floats:
    by_floor = (floor - mean) / BY_FLOOR
    return np.asarray(np.maximum.reduce([deviation, by_floor, EVEN * mean, mean * 0 + 1e-9]))
