"""What is known of a champion and its challenger since a step of a release began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from driftloop.releasing.bounds import Floats
from driftloop.releasing.distance import Distance
from driftloop.traffic import Traffic

NONE: Floats = np.empty(0)


@dataclass(frozen=True)
class Answered:
    """Captured answers of one version, a row each: the score (``(n,)``, or ``(n, classes)``), the
    request it came with, and its loss (NaN where no label arrived)."""

    scores: Floats = field(default_factory=lambda: NONE)
    requests: Sequence[str] = ()
    losses: Floats = field(default_factory=lambda: NONE)

    def labelled(self) -> tuple[Floats, list[str]]:
        known = np.flatnonzero(~np.isnan(self.losses)).tolist()
        return self.losses[known], [self.requests[i] for i in known]


@dataclass(frozen=True)
class Seen:
    """Of one version."""

    traffic: Traffic = field(default_factory=Traffic)
    answered: Answered = field(default_factory=Answered)


@dataclass(frozen=True)
class Evidence:
    """``paired``: both answered the same rows, in the same order (a shadow). ``before``: the
    champion's is from before the challenger took over (blue/green). ``expected``: how far apart
    the two were at validation; None if it did not compare these two. ``sample``: the share of rows
    that is captured at all. ``metric``: of the losses."""

    champion: Seen = field(default_factory=Seen)
    challenger: Seen = field(default_factory=Seen)
    expected: Distance | None = None
    paired: bool = False
    before: bool = False
    sample: float = 1.0
    metric: str = "loss"
