"""Categories that training never saw."""

from __future__ import annotations

from dataclasses import dataclass

from driftloop.diagnosis.column import Column
from driftloop.drift import psi

FEWEST = 0.005
"""Of the rows: a rarer newcomer is not what moved a column."""


@dataclass(frozen=True)
class Newcomers:
    """``names``: the most frequent first, five at most; ``count``: of all of them; ``share``: of
    the rows."""

    names: list[str]
    count: int
    share: float


def newcomers(column: Column) -> Newcomers | None:
    """None unless new categories are the larger part of what moved the column."""
    new = column.new
    share = sum(new.values()) / max(column.seen.rows, 1)
    if share < FEWEST:
        return None
    known = column.trained.bins.counts(column.seen)
    known[-1] -= sum(new.values())  # the bin of any other category held them
    rest = float(psi(column.trained.counts, known))
    if rest > column.divergence / 2:
        return None
    names = sorted(new, key=lambda name: (-new[name], name))
    return Newcomers(names[:5], len(new), share)
