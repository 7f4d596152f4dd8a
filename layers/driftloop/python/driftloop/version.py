"""A version: what the registry knows of one trained, validated and registered model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from driftloop.item import Item


@dataclass(frozen=True)
class Version(Item):
    """Lineage from the rows to the answer. Digests are hex; keys are keys of the store bucket."""

    version: int
    candidate: str
    plan_key: str
    plan_sha256: str
    run: str
    cause: str
    dataset: str
    frame: str
    estimator: str
    created: str
    spec_digest: str
    code_digest: str
    baseline_key: str
    card_key: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    champion_at_birth: int | None = None
    environment: dict[str, Any] = field(default_factory=dict)
    distance: dict[str, Any] | None = None
    """Its answers' from the champion's, as :mod:`driftloop.releasing.distance` defines it."""
