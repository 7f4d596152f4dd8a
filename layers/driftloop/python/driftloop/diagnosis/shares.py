"""Each feature's part in the drift, and in what that does to the loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from driftloop.diagnosis.column import Column
from driftloop.diagnosis.misses import Along, Misses
from driftloop.diagnosis.relation import Changed


def of_drift(columns: Iterable[Column]) -> dict[str, float]:
    """Of the sum of the columns' divergences: Jeffreys' divergence of independent columns adds
    up, so the parts make the whole as far as the columns are independent."""
    return _parts({c.name: c.divergence for c in columns})


def of_loss(columns: Iterable[Column], misses: Misses | None) -> dict[str, float]:
    """Of the loss that moved inputs are estimated to bring by themselves: for each feature its
    bins' mean losses on the holdout, times how much larger the bin has become. Where it has
    become smaller, none. Empty where nothing is known of losses."""
    if misses is None:
        return {}
    known = [(c, misses.features[c.name]) for c in columns if c.name in misses.features]
    return _parts({column.name: max(0.0, _moved(column, along)) for column, along in known})


def of_misses(changed: Iterable[Changed]) -> dict[str, float]:
    """Of what the model misses by a changed relation."""
    return _parts({c.name: c.explained for c in changed})


def _moved(column: Column, along: Along) -> float:
    mean = along.loss.sum() / max(float(along.rows.sum()), 1.0)
    losses = np.divide(along.loss, along.rows, out=np.full(along.loss.shape, mean),
                       where=along.rows > 0)  # fmt: skip
    shares = []
    for sketch in (column.trained.sketch, column.seen):
        counts = np.array([*along.bins.counts(sketch), sketch.missing], np.float64)
        shares.append(counts / max(float(counts.sum()), 1.0))
    return float((shares[1] - shares[0]) @ (losses - mean))


def _parts(values: Mapping[str, float]) -> dict[str, float]:
    total = sum(values.values())
    return {name: value / total if total > 0 else 0.0 for name, value in values.items()}
