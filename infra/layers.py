"""The layers of one stack: wheels and the domain, shared by all; the spec, the model's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import get_args

from aws_cdk import AssetHashType
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from driftloop.spec import Spec
from infra import bundling
from infra.bundling import ROOT, Bundle, BundlingError
from infra.settings import Environment
from infra.stages import Layer, Stage

RUNTIME = lambda_.Runtime.PYTHON_3_13
FUNCTIONS = ROOT / "functions"
DOMAIN = ROOT / "layers" / "driftloop"


class Layers(Construct):
    """Made on demand, each once a stack."""

    def __init__(
        self, scope: Construct, construct_id: str, environment: Environment, spec: Spec | None
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._spec = spec
        self._made: dict[str, lambda_.LayerVersion] = {}

    @property
    def architecture(self) -> lambda_.Architecture:
        arm = self._environment.architecture == "arm64"
        return lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64

    @cached_property
    def code_digest(self) -> str:
        """Names the code a run obeys: every function and the domain, as sources."""
        return bundling.source_digest(FUNCTIONS, DOMAIN)

    def of(self, stage: Stage) -> list[lambda_.ILayerVersion]:
        """The layers of one function, the spec on top."""
        return [self._layer(name) for name in layer_names(stage, self._spec is not None)]

    def _layer(self, name: str) -> lambda_.LayerVersion:
        if name not in self._made:
            bundle = bundle_of(name, self._environment.architecture, self._spec)
            self._made[name] = lambda_.LayerVersion(
                self, name.capitalize(), code=code(bundle), compatible_runtimes=[RUNTIME],
                compatible_architectures=[self.architecture], description=f"driftloop: {name}",
            )  # fmt: skip
        return self._made[name]


def layer_names(stage: Stage, has_spec: bool) -> list[str]:
    return [*stage.layers, "driftloop", *(["spec"] if has_spec else [])]


def bundle_of(name: str, architecture: str, spec: Spec | None) -> Bundle:
    """The zip of one layer."""
    if name == "driftloop":
        return bundling.sources(name, DOMAIN, "/opt")
    if name == "spec":
        assert spec is not None
        return bundling.content(f"spec-{spec.name}", {"spec.json": spec.to_json()})
    return bundling.wheels(name, ROOT / "layers" / name / "requirements.txt", architecture)


def make_wheels(architecture: str) -> None:
    """Have the layers of wheels ready, made side by side. Raises BundlingError."""
    with ThreadPoolExecutor() as pool:
        for made in [pool.submit(bundle_of, name, architecture, None) for name in get_args(Layer)]:
            made.result()


def handler_of(stage: str) -> Bundle:
    """The zip of one function's own code. Raises BundlingError when there is none."""
    folder = FUNCTIONS / stage
    if not (folder / "handler.py").is_file():
        raise BundlingError(f"functions/{stage}/handler.py: there is no such file")
    return bundling.sources(f"function-{stage}", folder, "/var/task")


def code(bundle: Bundle) -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(bundle.path), asset_hash=bundle.digest, asset_hash_type=AssetHashType.CUSTOM
    )
