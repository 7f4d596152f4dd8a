"""Small learning problems for the tests of tune, train and validate."""

from __future__ import annotations

from typing import Any

import numpy as np

from driftloop.frame import Frame
from driftloop.spec import Spec


def spec_of(task: str = "classification", **more: Any) -> Spec:
    raw: dict[str, Any] = {
        "name": "small",
        "task": task,
        "target": "y",
        "features": {
            "size": {"type": "number", "nullable": True},
            "hour": {"type": "number", "min": 0, "max": 23},
            "kind": {"type": "category", "nullable": True},
        },
        "training": {"seed": 3, "trials": 4},
    }
    spec = Spec.parse(raw | more)
    return Spec.model_validate_json(spec.to_json())  # as functions read it: keys in order


def frame_of(
    rows: int = 600, classes: int = 2, *, seed: int = 0, time: bool = True, flip: float = 1.0
) -> Frame:
    """A target that depends on size and kind; ``flip=-1`` turns the relation round."""
    rng = np.random.default_rng(seed)
    size = np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows))
    kind = rng.integers(-1, 4, rows).astype(np.int32)
    signal = flip * (np.nan_to_num(size) + (kind == 1) * 1.5) + rng.normal(size=rows) * 0.7
    if classes:
        cuts = np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])
        target: Any = np.searchsorted(cuts, signal).astype(np.int32)
    else:
        target = signal
    train = np.arange(rows) < rows * 0.75
    hours = rng.integers(0, 24, rows).astype(np.float64)
    return Frame(
        columns={"size": size, "hour": hours, "kind": kind},
        vocabulary={"kind": ["blue", "red", "green", "äöü"]},
        target=target,
        classes=[str(c) for c in range(classes)] if classes else None,
        train=train if time else rng.permutation(train),
        time=np.arange(rows, dtype=np.int64) * 3_600_000 if time else None,
    )
