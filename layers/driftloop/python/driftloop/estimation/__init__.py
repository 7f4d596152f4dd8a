"""Quality of served predictions before the truth is known.

Classes: confidence-based estimation (:mod:`driftloop.estimation.cbpe`); numbers: direct loss
estimation (:mod:`driftloop.estimation.dle`). Both are fitted on the holdout at training
(:mod:`driftloop.estimation.fitting`, the only module here that needs scikit-learn) into a document
that the baseline carries, and hold while the concept does: what the inputs say of the truth. When
that changes, only labels show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from driftloop.captured import Record
from driftloop.estimation import cbpe, dle
from driftloop.sketches.sketch import Floats

MOST_ROWS = 20_000  # looked at, evenly spread: chance then adds under 1 % of a row's deviation

Document = Mapping[str, Any]


def estimate(
    document: Document | None,
    metric: str,
    classes: Sequence[str] | None,
    records: Sequence[Record],
) -> float | None:
    """The expected ``metric`` of ``records``; None where it is undefined, or ``document`` (the
    baseline's) does not tell of it. Never NaN."""
    if document is None or document["metric"] != metric or not records:
        return None
    some = records[:: -(-len(records) // MOST_ROWS)]
    expected, served = _expected(document, some), _served(some)
    method: Any = dle if classes is None else cbpe
    found: float | None = method.value(document, metric, expected, served)
    return found if found is not None and np.isfinite(found) else None


def expected_losses(
    document: Document, metric: str, classes: Sequence[str] | None, records: Sequence[Record]
) -> Floats:
    """Of each record the expected loss, ``losses.row_losses``'s, ``(n,)``.

    Of the document's own metric; finite."""
    expected = _expected(document, records)
    return expected if classes is None else cbpe.row_losses(metric, expected, _served(records))


def told(
    document: Document | None,
    metric: str,
    classes: Sequence[str] | None,
    records: Sequence[Record],
    labelled: Sequence[Record] = (),
    realised: float | None = None,
) -> dict[str, Any] | None:
    """What a window's report says of it: ``{"method", "value", "rows", "error"}``; None if nothing.

    ``error``: ``realised``, the metric of the ``labelled`` ones among ``records``, minus what was
    estimated of these same rows; None while there is nothing to compare."""
    value = estimate(document, metric, classes, records)
    if document is None or value is None:
        return None
    same = estimate(document, metric, classes, labelled) if realised is not None else None
    error = None if realised is None or same is None else realised - same
    return {"method": document["method"], "value": value, "rows": len(records), "error": error}


def _expected(document: Document, records: Sequence[Record]) -> Floats:
    if document["method"] == dle.METHOD:
        return dle.losses(document, records)
    return cbpe.chances(document, _served(records))


def _served(records: Sequence[Record]) -> Floats:
    return np.array([record["prediction"] for record in records], dtype=np.float64)
