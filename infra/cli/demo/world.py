"""The world the story plays in: an embedded AWS whose clock stands, with the loop deployed."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from infra.cli import stacks, target
from infra.cli.synth import EXAMPLE, ROOT, Synth
from infra.cli.up import deploy
from infra.local.server import Local


@dataclass(frozen=True)
class World:
    """``took``: real seconds of the set-up's steps."""

    local: Local
    deployment: stacks.Deployment
    took: dict[str, float]


@contextmanager
def world(start: datetime, spec: Path = ROOT / EXAMPLE) -> Iterator[World]:
    """Start, synthesize, deploy; gone afterwards, like the folder all of it lives in."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="driftloop-demo-") as folder:
        began = time.monotonic()
        logging.getLogger("moto").addHandler(logging.NullHandler())
        synth = Synth(Path(folder) / "cdk.out", [spec])
        local = Local(port=0, home=Path(folder) / "aws", speed=0, start=start)
        try:
            local.start()
            assembly = synth.wait()
            synthesized = time.monotonic()
            os.environ.update(target.environment(local.endpoint))
            deploy(local, assembly)
            deployed = time.monotonic()
            took = {"synth": synthesized - began, "deploy": deployed - synthesized}
            yield World(local, stacks.find("dev"), took)
        finally:
            local.stop()
            os.environ.clear()
            os.environ.update(before)
