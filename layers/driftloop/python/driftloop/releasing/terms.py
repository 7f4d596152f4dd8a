"""What a release is held to: kept with the route, so that it is the run's whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from driftloop.spec import Release, Spec


@dataclass(frozen=True)
class Terms:
    """``metric``: of the losses of labelled rows; ``sample``: the share of rows captured."""

    release: Release
    metric: str = "log_loss"
    sample: float = 1.0

    @classmethod
    def of(cls, spec: Spec) -> Self:
        return cls(spec.release, spec.metric, spec.capture.sample)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        release = Release.model_validate(document["release"])
        return cls(release, document["metric"], document["sample"])

    def to_json(self) -> dict[str, Any]:
        release = self.release.model_dump(mode="json")
        return {"release": release, "metric": self.metric, "sample": self.sample}
