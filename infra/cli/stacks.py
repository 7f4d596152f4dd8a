"""What is deployed, as the stacks' outputs tell it. Nothing is configured twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from driftloop.aws.clients import client
from driftloop.aws.registry import Registry
from driftloop.aws.store import Store
from infra.cli.fault import ASKED_WRONGLY, NOBODY_THERE, Fault, nearest

PREFIX = "driftloop-"
PLATFORM = "platform"
Outputs = dict[str, str]


@dataclass(frozen=True)
class Deployment:
    """One environment: the platform's outputs, and those of each model's stack by model."""

    env: str
    platform: Outputs
    models: dict[str, Outputs] = field(default_factory=dict)

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.platform["RegistryTable"])

    @cached_property
    def store(self) -> Store:
        return Store(self.platform["StoreBucket"])

    @cached_property
    def landing(self) -> Store:
        return Store(self.platform["LandingBucket"])

    def model(self, name: str) -> Outputs:
        """The outputs of a model's stack. Raises Fault naming the nearest model."""
        if name not in self.models:
            hint = nearest(name, self.models)
            raise Fault(f"no model {name!r} is deployed in {self.env}{hint}", ASKED_WRONGLY)
        return self.models[name]

    def url(self, model: str, path: str = "") -> str:
        """``https://…/models/<model>[/path]``."""
        return "/".join(filter(None, [self.platform["ApiUrl"].rstrip("/"), "models", model, path]))


def find(env: str) -> Deployment:
    """Read the stacks of environment ``env``. Raises Fault when nothing is deployed."""
    found = {name: outputs for name, outputs in _stacks() if name.startswith(PREFIX)}
    platform = found.get(f"{PREFIX}{env}-{PLATFORM}")
    if platform is None:
        others = {n.removeprefix(PREFIX).removesuffix(f"-{PLATFORM}") for n in found
                  if n.endswith(f"-{PLATFORM}")}  # fmt: skip
        hint = f" (there is {', '.join(sorted(others))}: use --env)" if others else ""
        raise Fault(
            f"driftloop is not deployed as {env!r} here{hint}; `driftloop up` starts it on this "
            "machine, `make deploy` puts it into an AWS account",
            NOBODY_THERE,
        )
    models = {out["Model"]: out for name, out in found.items()
              if name.startswith(f"{PREFIX}{env}-") and "Model" in out}  # fmt: skip
    return Deployment(env, platform, models)


def _stacks() -> list[tuple[str, Outputs]]:
    pages = client("cloudformation").get_paginator("describe_stacks")
    return [
        (stack["StackName"], _outputs(stack))
        for page in pages.paginate()
        for stack in page["Stacks"]
        if not stack["StackStatus"].startswith("DELETE")
    ]


def _outputs(stack: Any) -> Outputs:
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
