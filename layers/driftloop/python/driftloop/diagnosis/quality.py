"""Why a model errs more than it did, from the rows whose truth is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from driftloop import losses, recalibration
from driftloop.captured import Record
from driftloop.diagnosis.earlier import Better, better
from driftloop.diagnosis.found import Floats
from driftloop.diagnosis.misses import Misses, residuals
from driftloop.diagnosis.relation import Changed, changes
from driftloop.recalibration import Recalibration

WORTH = 0.01  # of the residuals' variance: less is not worth learning anew
KEPT = (0.4, 2.5)  # slopes with which the ranking may be said to hold


@dataclass(frozen=True)
class Quality:
    """``loss``: what it is (``losses.as_loss`` of the metric), ``was``: on the holdout,
    ``repaired``: were it recalibrated. ``explained``: the share of the residuals' variance that
    recalibrating takes away; ``changed``: along which features the relation is another one."""

    loss: float
    was: float
    repaired: float
    recalibration: Recalibration
    explained: float
    changed: list[Changed]
    better: Better | None

    @property
    def rise(self) -> float:
        return self.loss - self.was

    @property
    def miscalibrated(self) -> bool:
        """A slope and an intercept would make up for a good part of the rise, and nothing else is
        seen to have changed: what is left is more noise than before."""
        return self.loss - self.repaired >= self.rise / 3 and not self.turned()

    def turned(self, apart_from: Collection[str] = ()) -> bool:
        """The relation of inputs and truth changed by more than recalibrating could mend;
        ``apart_from``: features that are not looked at."""
        if not _kept(self.recalibration):
            return True
        most = max((c.explained for c in self.changed if c.name not in apart_from), default=0.0)
        return most >= max(WORTH, self.explained / 2)


def _kept(found: Recalibration) -> bool:
    return KEPT[0] <= found.slope <= KEPT[1]


def quality(
    metric: str,
    was: float,
    classes: Sequence[str] | None,
    records: Sequence[Record],
    truth: Floats,
    scores: Floats,
    misses: Misses | None,
    before: Floats | None,
) -> Quality | None:
    """``was``: the metric on the holdout; ``misses``: how that was missed; ``before``: the losses
    of the version before. None where the metric is undefined on these rows."""
    value = losses.value(metric, truth, scores)
    if value is None:
        return None
    found = recalibration.of(scores, truth, classes)
    mended = found.apply(scores, classes)
    repaired = losses.value(metric, truth, mended)
    seen = mended if _kept(found) else scores
    watched = misses.classes if misses else tuple(range(scores.shape[1])) if scores.ndim > 1 else ()
    raw, left = (residuals(truth, s, watched) for s in (scores, mended))
    return Quality(
        loss=losses.as_loss(metric, value),
        was=losses.as_loss(metric, was),
        repaired=losses.as_loss(metric, value if repaired is None else repaired),
        recalibration=found,
        explained=1.0 - float((left**2).sum() / max(float((raw**2).sum()), 1e-12)),
        changed=changes(misses, misses.of_records(records, truth, seen)) if misses else [],
        better=None
        if before is None
        else better(records, losses.row_losses(metric, truth, scores), before),
    )
