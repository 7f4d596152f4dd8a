"""The real ``cdk`` command brings up a loop that trains and predicts."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cdk import Cdk
from tests.conftest import Assembly
from tests.loop.conftest import ROOT, Loop, as_csv, instance, rows


class Remote:
    """An embedded AWS in a process of its own, as ``Loop`` wants it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.clock = self

    def wait_idle(self, timeout: float) -> None:
        self._ask("idle", {"timeout": timeout})

    def advance(self, delta: Any) -> None:
        self._ask("clock", {"advance": f"{delta.total_seconds():.0f}s"})

    def _ask(self, what: str, document: Any) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/_local/{what}", data=json.dumps(document).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            answer.read()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Remote]:
    started = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "--port", "0", "--home", tmp_path / "aws"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout
    try:
        yield Remote(json.loads(started.stdout.readline())["endpoint"])
    finally:
        started.terminate()
        started.wait(30)
        started.stdout.close()


def test_bootstrap_and_deploy_bring_up_a_loop(
    process: Remote, assembly: Assembly, tmp_path: Path
) -> None:
    cdk = Cdk(process.endpoint, tmp_path)
    cdk.bootstrap()
    cdk.deploy(assembly.path)
    world = Loop(process, {})  # type: ignore[arg-type]
    stacks = world.client("cloudformation").describe_stacks()["Stacks"]
    for stack in stacks:
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        world.outputs[stack["StackName"]] = outputs
    world.platform = world.outputs["driftloop-dev-platform"]
    run = world.upload("flights", "january.csv", as_csv(rows(most=12_000)))
    assert (run["status"], run["outcome"]) == ("SUCCEEDED", "released"), run
    assert world.predict("flights", [instance(rows(most=1)[0])]).status == 200
