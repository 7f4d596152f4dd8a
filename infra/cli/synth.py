"""Synthesize the stacks into a folder, in a process of its own (jsii and Node come and go)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from driftloop.spec import Spec
from infra.cli.fault import ASKED_WRONGLY, Fault

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = Path("infra/models/flights.yaml")


class Synth:
    """``Synth(out, models, env).wait()``; runs meanwhile, so that other things may start."""

    def __init__(self, out: Path, models: Sequence[Path] = (), env: str = "dev") -> None:
        self.out = out
        context: dict[str, object] = {"env": env}
        if models:
            for model in models:
                Spec.load(model)  # says what is wrong at once, and nicely
            context["models"] = [str(model.resolve()) for model in models]
        variables = {"CDK_OUTDIR": str(out), "CDK_CONTEXT_JSON": json.dumps(context)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.app"],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> Path:
        """The cloud assembly. Raises Fault with what the app said."""
        said, _ = self._process.communicate()
        if self._process.returncode:
            raise Fault(said.strip() or "the stacks could not be synthesized", ASKED_WRONGLY)
        return self.out
