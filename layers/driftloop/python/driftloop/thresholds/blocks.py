"""Stretches of the training data that stand for windows in which nothing changed.

Consecutive rows resemble each other, and an hour of the night is no sample of the day: so they are
the windows' own spans of time, cut where the monitor's are. A window has as many rows as it has,
so the same stretches are taken at several sizes, thinned by chance.

Where fewer than ``FEWEST`` windows have rows enough, shorter stretches are taken, which scatter
more than windows do, so that thresholds get too high rather than too low; and where rows come too
slowly for that, runs of as many rows as a window needs. Where there is no time column, or there
are too few rows, they are drawn by chance; what drawn windows do not tell is how unlike each other
real ones are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

FEWEST = 8
HALVINGS = 6
NEIGHBOURS = 10  # one in so many blocks, either side
MOST = 4000
RUN = 30  # windows kept in a row when there are more than MOST, for alarms over several
DRAWS, MOST_DRAWS, DRAWN_ROWS = 200, 1000, 4096
STEP = 4  # from one size to the next


@dataclass(frozen=True)
class Blocks:
    """``how``: what they are, in words; ``windows``: as many windows' worth of data they are;
    ``rows``: of all blocks, one behind the other in order of chance; ``block``: of each of these
    rows; ``place``: how manieth it is in its block. ``drawn``: by chance, so that only the rows
    themselves are to be left out of the reference."""

    how: str
    windows: int
    count: int
    rows: Ints
    block: Ints
    place: Ints
    sizes: tuple[int, ...]
    drawn: bool

    @property
    def near(self) -> int:
        """On either side, the blocks that may be alike for being neighbours."""
        return 0 if self.drawn else max(1, self.count // NEIGHBOURS)

    def stretches(self, rows: Ints) -> npt.NDArray[np.bool_] | None:
        """For each block as many other blocks in a row as ``rows`` fill, from here and there; None
        if they fill none, being taken from everywhere."""
        if self.drawn:
            return None
        within = np.bincount(self.block, np.isin(self.rows, rows), self.count)
        length = int((within > 0.9 * np.bincount(self.block, minlength=self.count)).sum())
        if not 0 < length < self.count:
            return None
        each = np.arange(self.count)
        start = each + 1 + each * 7 % (self.count - length)
        return np.asarray((each - start[:, None]) % self.count < length)

    def taken(self) -> Iterator[tuple[Ints, Ints]]:
        """For each size, the rows and their blocks."""
        for size in self.sizes:
            held = self.place < size
            yield self.rows[held], self.block[held]


def blocks(
    time: Ints | None, rows: int, window: timedelta, fewest: int, rate: float
) -> Blocks | None:
    """Of ``rows`` rows at ``time`` (epoch ms); a block has ``fewest`` rows at least. ``rate``:
    that is to be told. None where there are too few rows even to draw from."""
    if time is None:
        return _drawn(rows, fewest, rate, None)
    span = max(1, round(window.total_seconds() * 1000))
    windows = len(_filled(time // span, fewest))
    for halvings in range(HALVINGS + 1):
        spans = time // max(span >> halvings, 1)
        found = _filled(spans, fewest)
        if len(found) >= FEWEST:
            how = "parts of windows" if halvings else "windows"
            return _stretches(how, spans, found, windows, fewest)
    spans = np.argsort(np.argsort(time, kind="stable")) // fewest
    found = _filled(spans, fewest)
    if len(found) >= FEWEST:
        return _stretches("runs of rows", spans, found, len(found), fewest)
    return _drawn(rows, fewest, rate, windows)


def _filled(spans: Ints, fewest: int) -> Ints:
    """The spans that hold so many rows, but for a first or last one that the data's ends cut short;
    of very many, evenly spread runs."""
    found, counts = np.unique(spans, return_counts=True)
    whole = counts >= fewest
    whole[[0, -1]] &= counts[[0, -1]] >= np.median(counts) / 2
    found = found[whole]
    stride = -(-found.size // MOST)
    return np.asarray(found[np.arange(found.size) // RUN % stride == 0] if stride > 1 else found)


def _stretches(how: str, spans: Ints, found: Ints, windows: int, fewest: int) -> Blocks:
    chance = np.random.default_rng(0).permutation(spans.size)
    block = np.searchsorted(found, spans[chance])
    held = found[np.minimum(block, found.size - 1)] == spans[chance]
    rows, block = chance[held], block[held]
    order = np.argsort(block, kind="stable")
    rows, block = rows[order], block[order]
    sizes = np.bincount(block, minlength=found.size)
    place = np.arange(rows.size) - (np.cumsum(sizes) - sizes)[block]
    grid = _grid(fewest, int(np.median(sizes)))
    return Blocks(how, windows, found.size, rows, block, place, grid, drawn=False)


def _drawn(rows: int, fewest: int, rate: float, windows: int | None) -> Blocks | None:
    most = min(rows // 5, DRAWN_ROWS)
    if most < 2:
        return None
    count = min(MOST_DRAWS, max(DRAWS, math.ceil(0.1 / rate)))
    rng, per = np.random.default_rng(0), rows // most
    parts = [rng.permutation(rows)[: per * most] for _ in range(-(-count // per))]
    picked = np.concatenate(parts)[: count * most]
    block, place = np.divmod(np.arange(picked.size), most)
    grid = _grid(min(fewest, most), most)
    worth = count if windows is None else windows
    return Blocks("rows drawn by chance", worth, count, picked, block, place, grid, drawn=True)


def _grid(fewest: int, most: int) -> tuple[int, ...]:
    """Sizes from the fewest rows a window may have to the most, evenly in their logarithm."""
    most = max(fewest, most)
    steps = max(1, math.ceil(math.log(most / fewest, STEP)))
    return tuple(sorted({round(fewest * (most / fewest) ** (i / steps)) for i in range(steps + 1)}))
