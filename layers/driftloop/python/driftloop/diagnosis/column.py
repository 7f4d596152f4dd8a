"""One column of a window beside training's: what every sign looks at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftloop.diagnosis.found import Floats
from driftloop.drift import psi
from driftloop.reference import Reference
from driftloop.sketches.sketch import NumberSketch, Sketch, TextSketch


@dataclass(frozen=True)
class Column:
    """``ratio``: the window's largest statistic ÷ threshold; above 1 it has moved."""

    name: str
    trained: Reference
    seen: Sketch
    ratio: float

    @property
    def moved(self) -> bool:
        return self.ratio > 1.0

    @cached_property
    def values(self) -> tuple[Floats, Floats]:
        """A window's numbers, ascending, and how often each stands there: one for each bucket of
        its sketch. Both empty for texts."""
        if not isinstance(self.seen, NumberSketch):
            return np.empty(0), np.empty(0)
        buckets, counts = self.seen.buckets.filled()
        return np.array(self.seen.buckets.named(buckets), np.float64), counts.astype(np.float64)

    @cached_property
    def new(self) -> dict[str, int]:
        """Texts that training never saw, and how often each stands there; empty where training
        saw more of them than its sketch can tell apart."""
        before = self.trained.sketch
        if not isinstance(self.seen, TextSketch) or not isinstance(before, TextSketch):
            return {}
        if not before.exact:
            return {}
        found = self.seen.top(self.seen.distinct)
        known = before.counts([name for name, _ in found])
        return {name: n for (name, n), was in zip(found, known, strict=True) if not was}

    @property
    def divergence(self) -> float:
        """Its population stability index with the missing values and the new texts as bins of
        their own. It is Jeffreys' divergence, which of independent columns adds up."""
        new = sum(self.new.values())
        before = [*self.trained.counts, self.trained.sketch.missing, 0]
        after = [*self.trained.bins.counts(self.seen), self.seen.missing, new]
        after[-3] -= new  # the last bin of texts, "any other", had them; of numbers there are none
        return float(psi(before, after))
