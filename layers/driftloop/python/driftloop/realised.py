"""What labels say of a window: its realised quality, and the rows to look at for the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftloop import estimation, losses
from driftloop.baseline import Baseline
from driftloop.captured import Record
from driftloop.sketches.sketch import Floats
from driftloop.spec import Spec
from driftloop.truth import reader

LARGEST = 1e99
"""Of a loss; one beyond (of labels that cannot be squared, say) is none. CloudWatch's numbers end
at 2^360, DynamoDB's at 1e126, and a ratio may be 1e9 times the loss."""


@dataclass(frozen=True)
class Labelled:
    """Rows whose truth is known: as captured, and ``truth`` float64[n] (class codes, or numbers).
    ``strange``: how many more were labelled with a class that the version never learned."""

    records: Sequence[Record]
    truth: Floats
    strange: int = 0

    @classmethod
    def of(
        cls, records: Sequence[Record], labels: Mapping[str, Any], classes: Sequence[str] | None
    ) -> Labelled:
        """``labels``: prediction id → truth."""
        read = reader(classes)
        known = [(r, read(labels[r["id"]])) for r in records if r["id"] in labels]
        pairs = [(record, truth) for record, truth in known if truth is not None]
        truths = np.array([truth for _, truth in pairs], dtype=np.float64)
        return cls([record for record, _ in pairs], truths, len(known) - len(pairs))

    @property
    def scores(self) -> Floats:
        """What the version answered, ``(n,)`` or ``(n, classes)``."""
        return scores(self.records)

    def some(self, most: int) -> Labelled:
        """At most ``most`` rows, by the random bits of their ids: the same ones in any order, and
        more labels take few of them away."""
        if len(self.records) <= most:
            return self
        drawn = sorted(range(len(self.records)), key=lambda i: self.records[i]["id"][-8:])[:most]
        kept = sorted(drawn)
        return Labelled([self.records[i] for i in kept], self.truth[kept], self.strange)


def scores(records: Sequence[Record]) -> Floats:
    return np.array([record["prediction"] for record in records], dtype=np.float64)


def performance(
    spec: Spec, baseline: Baseline, records: Sequence[Record], labelled: Labelled
) -> dict[str, Any]:
    """Realised quality of the labelled rows, and what was expected of them without labels.

    ``ratio``: realised loss ÷ the most that the false-alarm budget allows; None below
    ``monitor.min_rows`` labelled rows. ``estimate``: see ``estimation.told``.
    """
    metric, rows = baseline.metric, len(labelled.records)
    with np.errstate(over="ignore", invalid="ignore"):
        value = losses.value(metric, labelled.truth, labelled.scores) if rows else None
    if value is not None and not abs(value) < LARGEST:
        value = None
    limit = ratio = None
    if value is not None and rows >= spec.monitor.min_rows:
        limit = baseline.performance_limit(spec, rows)
        ratio = losses.as_loss(metric, value) / limit
    return {
        "metric": metric,
        "baseline": baseline.value,
        "rows": rows,
        "unknown_classes": labelled.strange,
        "value": value,
        "threshold": limit,
        "ratio": ratio,
        "estimate": estimation.told(
            baseline.estimate, metric, baseline.classes, records, labelled.records, value
        ),
    }
