"""Who answered before: how the champion that a version replaced would have done on its rows."""

from __future__ import annotations

import numpy as np

from driftloop import losses
from driftloop.baseline import Baseline
from driftloop.errors import BadRequest
from driftloop.plan import Scorer
from driftloop.realised import Labelled
from driftloop.sketches.sketch import Floats
from driftloop.spec import Spec


def row_losses(scorer: Scorer, spec: Spec, baseline: Baseline, labelled: Labelled) -> Floats | None:
    """Losses float64[n] of another version's plan on labelled rows, by ``baseline.metric``.

    None if it cannot be compared: it knows other classes, or needs what was not captured."""
    known = {*spec.features} - {*spec.capture.redact}
    if scorer.classes != baseline.classes or {i.name for i in scorer.inputs} - known:
        return None
    try:
        rows = scorer.lenient_rows(record["features"] for record in labelled.records)
        answers = np.array(scorer.score(rows), dtype=np.float64)
    except BadRequest:  # a row so extreme that it has no finite answer
        return None
    return losses.row_losses(baseline.metric, labelled.truth, answers)
