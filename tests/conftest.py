"""Fixtures for all: the synthesized assembly, and ways to read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more of the machine than of what is tested.
settings.register_profile("driftloop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("driftloop")

ROOT = Path(__file__).resolve().parents[1]
FLIGHTS = ROOT / "infra" / "models" / "flights.yaml"


@dataclass(frozen=True)
class Assembly:
    """A synthesized cloud assembly on disk."""

    path: Path

    def text(self, stack: str) -> str:
        """The template of ``stack`` (``platform`` or a model's name), as written."""
        (file,) = self.path.glob(f"driftloop-*-{stack}.template.json")
        return file.read_text()

    def template(self, stack: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(stack))
        return found

    def stacks(self) -> list[str]:
        """Names without ``driftloop-<env>-``."""
        files = sorted(self.path.glob("driftloop-*.template.json"))
        return [f.name.removesuffix(".template.json").split("-", 2)[2] for f in files]

    def resources(self, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → resource, of one CloudFormation type."""
        found = self.template(stack)["Resources"].items()
        return {name: body for name, body in found if body["Type"] == kind}


Synth = Callable[..., Assembly]


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """``synth(env="prod", models="a.yaml,b.yaml", …)``: context as on the command line."""

    def run(**context: Any) -> Assembly:
        from infra.app import build

        outdir = tmp_path_factory.mktemp("cdk") / "out"
        build(outdir, **context).synth()
        return Assembly(outdir)

    return run


@pytest.fixture(scope="session")
def assembly(synth: Synth) -> Assembly:
    """What ``cdk synth`` gives for the repo as it stands: ``dev``, the flights model."""
    return synth()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are called by their argument's name: some hold the time they were packed at, and a
    test must be called alike in every process."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay in one process, and those that share a world in one; the deployed loop's
    come first: they take longest, and another world in the same process ends theirs."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_world(item) or item.path.as_posix()))
    items.sort(key=lambda item: ("loop" not in item.path.parts, not _world(item)))


def _world(item: pytest.Item) -> str | None:
    """The fixture that deploys what the tests of a folder share."""
    names = getattr(item, "fixturenames", ())
    return next((name for name in ("loop", "api") if name in names), None)


WORLDS: list[Any] = []  # each an embedded AWS, one at a time


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A shared world ends with its folder's tests, not with the session: moto lives in this
    process, and others' tests want it as it is."""
    yield
    if nextitem is None or nextitem.path.parent != item.path.parent:
        while WORLDS:
            WORLDS.pop().stop()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Groups lie in the names of tests; pytest 9.2 makes names that xdist 3.8 cannot mark, and the
    loop would quietly be deployed in every process."""
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items[:1]:
            assert "@" in item.nodeid, "this pytest and this xdist do not keep groups together"
