"""The dataset before, in stretches of time as long as new rows span: what has been usual so far."""

from __future__ import annotations

import numpy as np

from driftloop.profiling.association import FEWEST
from driftloop.profiling.groups import Array, Floats, Groups
from driftloop.profiling.profile import Profile

MOST_BLOCKS = 62


class Past:
    """``blocks``: masks of the sample of ``profile`` (the dataset before), oldest first, each
    about as long as all of ``new`` is, but at least four and at most 62 (two months of days); none
    without a time column."""

    def __init__(self, profile: Profile, new: Profile) -> None:
        self.profile, self.sample = profile, profile.sample
        self.blocks: list[Array] = []
        name = next((n for n, kind in profile.kinds.items() if kind == "time"), None)
        if name is None or not len(self.sample) or not len(new.sample):
            return
        before, now = self.sample.columns[name], new.sample.columns[name]
        span, wanted = int(before.max() - before.min()) + 1, int(now.max() - now.min()) + 1
        count = min(max(round(span / wanted), 4), MOST_BLOCKS)
        place = (before - before.min()) * count // span
        blocks = [place == i for i in range(count)]
        self.blocks = [block for block in blocks if block.sum() >= FEWEST]

    def counts(self, name: str, groups: Groups) -> tuple[Floats, list[Floats]]:
        """Rows by group of a column (see :func:`counted`): of all, and of each block."""
        values, weights = self.sample.columns[name], self.sample.counts
        codes = groups.assign(values)
        return _rows(codes, groups, weights), [
            _rows(codes[block], groups, weights[block]) for block in self.blocks
        ]

    def knows_constant(self, name: str, value: float | str) -> bool:
        """Whether a column that has this value only is nothing new: most values were so, or some
        block was constant, too."""
        values, weights, present = self._column(name)
        if weights[values == value].sum() > weights[present].sum() / 2:
            return True
        seen = (values[block & present] for block in self.blocks)
        return any(len(v) and bool((v == v[0]).all()) for v in seen)

    def missing(self, name: str) -> float:
        """The largest share of missing values: of all, or of a block."""
        _, weights, present = self._column(name)
        blocks = [np.ones(len(weights), bool), *self.blocks]
        return max(1 - float(weights[b & present].sum() / weights[b].sum()) for b in blocks)

    def _column(self, name: str) -> tuple[Array, Array, Array]:
        values = self.sample.columns[name]
        present = np.array([v is not None and v == v for v in values.tolist()])
        return values, self.sample.counts, present


def counted(groups: Groups, values: Array, weights: Array) -> Floats:
    """Rows by group, ``(groups + 1,)``: the missing ones last."""
    return _rows(groups.assign(values), groups, weights)


def _rows(codes: Array, groups: Groups, weights: Array) -> Floats:
    placed = np.where(codes < 0, groups.size, codes)
    return np.bincount(placed, weights, minlength=groups.size + 1).astype(np.float64)
