"""A plan's answers to the rows of a frame, in the frame's own classes.

A champion may be older than the data's newest class, or know a class the data lost; its
probabilities are put under the frame's classes by name, so that both models answer one question.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from driftloop.frame import Frame
from driftloop.plan import Scorer

Floats = npt.NDArray[np.float64]


def why_incomparable(scorer: Scorer, frame: Frame) -> str | None:
    """What keeps a plan from answering these rows, as the end of a sentence; None if nothing."""
    if (scorer.task == "classification") != (frame.classes is not None):
        return f"it is a {scorer.task}"
    lost = [item.name for item in scorer.inputs if item.name not in frame.columns]
    if lost:
        return f"it needs {', '.join(lost)}, which the data no longer has"
    turned = [
        i.name for i in scorer.inputs if (i.type == "category") != (i.name in frame.vocabulary)
    ]
    if turned:
        return f"it takes {', '.join(turned)} as another type"
    if scorer.classes and frame.classes and not set(scorer.classes) & set(frame.classes):
        return "it knows none of the classes in the data"
    return None


def answers(scorer: Scorer, frame: Frame) -> Floats:
    """P(second class) for two classes, ``(n, classes)`` for more, values for regression.

    Raises BadRequest for a row the plan cannot answer.
    """
    found = np.array(scorer.score(scorer.lenient_rows(frame.instances())), np.float64)
    if scorer.classes is None or frame.classes is None or scorer.classes == frame.classes:
        return found
    known = found if found.ndim == 2 else np.column_stack([1.0 - found, found])
    placed = np.zeros((frame.rows, len(frame.classes)))
    for k, name in enumerate(scorer.classes):
        if name in frame.classes:
            placed[:, frame.classes.index(name)] = known[:, k]
    total = placed.sum(axis=1, keepdims=True)
    placed = np.where(total > 0, placed / np.where(total > 0, total, 1.0), 1 / placed.shape[1])
    return placed[:, 1] if placed.shape[1] == 2 else placed
