"""Direct loss estimation, of numbers (the monitor's side: numpy and our own scorer).

NannyML's definition, docs/how_it_works/performance_estimation: a small model learns, from the
holdout, the monitored model's loss of a row from the row's features and the answer given; the mean
of what it expects of a window is the window's loss. It is kept as one of our plans.

R² needs the spread of the truth too. With a + b·answer the least-squares line of the truth on the
holdout, and m(x) the expected squared error of a row, a row's truth has the variance
m(x) − (a + (b − 1)·answer)², so the spread is b²·Var(answer) + the mean of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from driftloop.captured import Record
from driftloop.errors import BadRequest
from driftloop.estimation.calibration import Floats
from driftloop.plan import Row, Scorer, schema
from driftloop.plan.inputs import encoder

METHOD = "dle"


def losses(document: Mapping[str, Any], records: Sequence[Record]) -> Floats:
    """The expected loss of each row, never negative, ``(n,)``; of a row that cannot be read, the
    mean of the others."""
    plan, answer = schema.check(document["plan"]), document["answer"]
    encode = encoder(plan, strict=False)
    rows: dict[int, Row] = {}
    for i, record in enumerate(records):
        with suppress(BadRequest):
            rows[i] = encode({**record["features"], answer: record["prediction"]}, "")
    found = np.maximum(np.array(Scorer(plan, "").score(list(rows.values())), np.float64), 0.0)
    every = np.full(len(records), found.mean() if found.size else 0.0)
    every[list(rows)] = found
    return every


def value(
    document: Mapping[str, Any], metric: str, expected: Floats, served: Floats
) -> float | None:
    """The metric that is to be expected; None where it is undefined."""
    mean = float(expected.mean())
    if metric == "mae":
        return mean
    if metric == "rmse":
        return float(mean**0.5)
    a, b = document["line"]
    within = np.maximum(expected - (a + (b - 1.0) * served) ** 2, 0.0)
    spread = float(b * b * served.var() + within.mean())
    return 1.0 - mean / spread if spread > 0 else None
