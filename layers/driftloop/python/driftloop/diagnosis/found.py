"""What a diagnosis says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Feature:
    """``ratio``: the report's; ``share``: of the inputs' whole drift; ``loss_share``: of what the
    drift, or what the labels show, does to the loss (None where nothing is known of it)."""

    name: str
    ratio: float
    share: float
    loss_share: float | None


@dataclass(frozen=True)
class Diagnosis:
    """``kind`` and ``action``: see ``spec.Trouble`` and ``spec.Action``; ``features``: those
    concerned, worst first; ``evidence``: sentences; ``text``: what to say to a person."""

    kind: str
    action: str
    features: list[Feature]
    evidence: list[str]
    text: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
