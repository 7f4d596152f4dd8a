"""Mean and deviation in one pass, mergeable without loss.

Pooled from sums of squared deviations about the parts' own means: Chan, Golub and LeVeque,
"Updating formulae and a pairwise algorithm for computing sample variances" (Stanford
STAN-CS-79-773, 1979). The order of merging shows in the last digits only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass
class Moments:
    """Of ``n`` values; ``squares``: the sum of squared deviations from the ``_mean``."""

    n: int = 0
    _mean: float = 0.0
    _squares: float = 0.0

    def update(self, values: npt.NDArray[np.float64]) -> None:
        """Add finite values (float64[n], n > 0)."""
        with np.errstate(over="ignore", invalid="ignore"):
            mean = values.mean()
            apart = values - mean
            squares = np.square(apart, out=apart).sum()
        self._pool(len(values), float(mean), float(squares))

    def merge(self, other: Moments) -> Moments:
        """Of the values of both together."""
        merged = Moments(self.n, self._mean, self._squares)
        if other.n:
            merged._pool(other.n, other._mean, other._squares)
        return merged

    @property
    def mean(self) -> float | None:
        """None without values, and where it or the deviation is beyond a float's range."""
        return self._mean if self.n and math.isfinite(self._mean) else None

    @property
    def deviation(self) -> float | None:
        """Of a sample (divided by n − 1); None below two values, and as the mean is."""
        if self.n < 2 or math.isnan(self._squares):
            return None
        return math.sqrt(self._squares / (self.n - 1))

    def to_json(self) -> list[float] | None:
        return None if math.isnan(self._mean) else [self._mean, self._squares]

    @classmethod
    def from_json(cls, n: int, document: Sequence[float] | None) -> Moments:
        return cls(n, *(document or (math.nan, math.nan)))

    def _pool(self, n: int, mean: float, squares: float) -> None:
        share, apart = n / (self.n + n), mean - self._mean
        self._mean += apart * share
        self._squares += squares + apart * apart * self.n * share
        self.n += n
        if not (math.isfinite(self._mean) and math.isfinite(self._squares)):
            self._mean = self._squares = math.nan
