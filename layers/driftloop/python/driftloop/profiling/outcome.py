"""The target, by the value of another column: what a profile's sample says of it."""

from __future__ import annotations

import numpy as np

from driftloop.profiling.association import correlation_ratio
from driftloop.profiling.groups import Floats, Groups, Ints, by_value, means, outcomes, size
from driftloop.profiling.profile import Profile

FEWEST = 20
"""Rows below which nothing is said of their target; of a small sample, a hundredth of it."""


class Outcome:
    """``classes`` (sorted; empty for a number), ``usual``: each class's share, or the mean."""

    def __init__(self, profile: Profile, target: str) -> None:
        self.target, self.sample = target, profile.sample
        self._truth, self.classes = outcomes(self.sample.columns[target])
        self._size = size(self.sample.columns[target])
        self._weights = self.sample.counts.astype(np.float64)
        self.usual: Floats = np.average(self._truth, axis=0, weights=self._weights) * self._size

    @property
    def shown(self) -> str:
        """What one number per group is: of two classes, the share of the second."""
        if len(self.classes) == 2:
            return f"share of {self.target} = {self.classes[1]}"
        return f"shares of {self.target}" if self.classes else f"mean of {self.target}"

    @property
    def single(self) -> bool:
        """Whether one number per group says all."""
        return len(self.classes) in (0, 2)

    @property
    def level(self) -> float:
        return float(self.usual[-1])

    def by(self, name: str, groups: Groups) -> list[list[float] | None]:
        """By group of a column: shares of all classes, or the mean alone; None where hardly any
        row is."""
        return self.by_codes(groups.assign(self.sample.columns[name]), groups.size)

    def by_codes(self, codes: Ints, groups: int) -> list[list[float] | None]:
        _, mean = means(codes, groups, self._truth, self._weights)
        rows = np.bincount(codes[codes >= 0], minlength=groups)
        found, enough = (mean * self._size).tolist(), max(5, min(FEWEST, len(self.sample) // 100))
        return [m if n >= enough else None for m, n in zip(found, rows.tolist(), strict=True)]

    def strength(self, name: str) -> float:
        """How much a column says of the target: the largest correlation ratio of its values (in
        ten groups, and missing ones) and a class or the number."""
        groups = by_value(self.sample.columns[name], self.sample.counts, 10)
        codes = groups.assign(self.sample.columns[name])
        codes = np.where(codes < 0, groups.size, codes)
        told = [correlation_ratio(codes, column, self._weights) for column in self._truth.T]
        return float(np.nan_to_num(np.array(told)).max(initial=0.0))
