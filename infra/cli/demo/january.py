"""What January's model would have said, had nobody replaced it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from driftloop.plan import load
from driftloop.spec import Spec
from infra.cli.demo.flights import Flight
from infra.cli.stacks import Deployment


class January:
    """Version 1's plan, scored here as the endpoint would."""

    def __init__(self, deployment: Deployment, spec: Spec) -> None:
        version = deployment.registry.version(spec.name, 1)
        plan = deployment.store.get(version.plan_key)
        self._scorer = load(plan, version.plan_sha256)

    def chances(self, flights: Sequence[Flight]) -> list[float]:
        """P(late) of each flight."""
        rows = [self._scorer.row(flight.instance) for flight in flights]
        return [float(score) for score in self._scorer.score(rows)]  # type: ignore[arg-type]


def log_loss(truths: Sequence[int], chances: Sequence[float]) -> float:
    """Mean negative log likelihood, probabilities clipped at 1e-15 (as scikit-learn has it)."""
    total = 0.0
    for truth, chance in zip(truths, chances, strict=True):
        said = chance if truth else 1.0 - chance
        total -= math.log(min(max(said, 1e-15), 1.0))
    return total / len(truths)
