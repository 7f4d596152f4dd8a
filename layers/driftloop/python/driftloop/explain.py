"""What a model looks at: permutation importance of its inputs, through its plan.

L. Breiman, Random Forests, Machine Learning 45, 2001: how much worse the answers get when one
input's values are shuffled among the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from driftloop import losses
from driftloop.frame import Frame
from driftloop.plan import Scorer

MOST_ROWS = 1_000


def importance(scorer: Scorer, holdout: Frame, metric: str, seed: int) -> list[dict[str, Any]]:
    """``[{"feature", "increase"}]``, the most important first: the increase of the loss
    (``losses.as_loss``) over at most 1,000 rows. Empty where the metric is undefined."""
    draw = np.random.default_rng(seed)
    rows = np.arange(holdout.rows)
    if holdout.rows > MOST_ROWS:
        rows = np.sort(draw.choice(holdout.rows, MOST_ROWS, replace=False))
    part = holdout.take(rows)
    encoded = scorer.lenient_rows(part.instances())

    def loss(candidate: list[tuple[Any, ...]]) -> float | None:
        value = losses.value(metric, part.target, np.array(scorer.score(candidate)))
        return None if value is None else losses.as_loss(metric, value)

    base = loss(encoded)
    if base is None:
        return []
    found = []
    columns = list(zip(*encoded, strict=True))
    for i, item in enumerate(scorer.inputs):
        shuffled = [columns[i][j] for j in draw.permutation(part.rows)]
        value = loss(list(zip(*columns[:i], shuffled, *columns[i + 1 :], strict=True)))
        found.append({"feature": item.name, "increase": (value or 0.0) - base})
    return sorted(found, key=lambda f: (-f["increase"], f["feature"]))
