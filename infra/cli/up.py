"""`driftloop up` and `down`: the embedded AWS with the loop deployed on it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from infra.cli import console, stacks, target
from infra.cli.fault import NOBODY_THERE, WENT_BADLY, Fault
from infra.cli.synth import Synth

if TYPE_CHECKING:
    from infra.local.server import Local

HOME = Path(".driftloop") / "local"
LOG = Path(".driftloop") / "up.log"
PATIENCE = 180.0  # seconds for a detached start


def up(models: Sequence[Path], *, port: int, speed: float, env: str) -> None:
    """Start, deploy, say what next, and stay until Ctrl-C or ``driftloop down``."""
    _refuse_second()
    synth = Synth(HOME.resolve() / "cdk.out", models, env)
    console.out.print("Synthesizing the stacks and starting the embedded AWS …")
    from infra.local.server import Local

    HOME.mkdir(parents=True, exist_ok=True)
    # moto tells the terminal of each failed state; `driftloop runs` does it better.
    logging.basicConfig(filename=HOME / "embedded.log", level=logging.WARNING)
    local = Local(port=port, home=HOME.resolve(), speed=speed)
    try:
        local.start()
    except OSError as error:
        raise Fault(f"port {port} cannot be had ({error.strerror or error}); choose another with "
                    "--port") from None  # fmt: skip
    try:
        assembly = synth.wait()
        os.environ.update(target.environment(local.endpoint))
        console.out.print("Deploying …")
        deploy(local, assembly)
        target.write_note(local.endpoint, env=env, speed=speed)
        said(stacks.find(env), local.endpoint)
        _stay(local)
    finally:
        target.remove_note()
        local.stop()


def detach(models: Sequence[Path], *, port: int, speed: float, env: str) -> None:
    """The same in the background; returns once it is deployed."""
    _refuse_second()
    command = [sys.executable, "-m", "infra.cli", "--env", env, "up", "--port", str(port)]
    command += ["--speed", str(speed), *(part for m in models for part in ("--model", str(m)))]
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    started = time.monotonic()
    with console.out.status("Starting the embedded AWS and deploying …"):
        while (note := target.running()) is None:
            if process.poll() is not None:
                said_last = LOG.read_text().strip() or f"it ended at once; see {LOG}"
                raise Fault(said_last, max(process.returncode, WENT_BADLY))
            if time.monotonic() - started > PATIENCE:
                process.terminate()
                raise Fault(f"not up after {PATIENCE:.0f} s; see {LOG}")
            time.sleep(0.3)
    os.environ.update(target.environment(note["endpoint"]))
    said(stacks.find(env), note["endpoint"])


def down() -> None:
    """Stop the embedded AWS that runs; everything in it is gone."""
    note = target.running()
    if note is None:
        target.remove_note()
        raise Fault("no embedded AWS is running here", NOBODY_THERE)
    with suppress(Fault):  # it may be gone before it has said so
        target.ask(note["endpoint"], "stop", {})
    for _ in range(100):
        if target.running() is None:
            console.out.print("The embedded AWS is down.")
            return
        time.sleep(0.1)
    raise Fault(f"it does not stop; its process is {note['pid']}")


def said(deployment: stacks.Deployment, endpoint: str) -> None:
    """What one needs to know now."""
    say = console.out.print
    say("\n[bold green]driftloop is up.[/]  For other tools, copy:\n")
    for name, value in target.environment(endpoint).items():
        say(f"  export {name}={value}", soft_wrap=True)
    for model in deployment.models:
        say(f"\n[bold]{model}[/]")
        say(f"  POST {deployment.url(model, 'predict')}", soft_wrap=True)
        say(f"  s3://{deployment.platform['LandingBucket']}/incoming/{model}/", soft_wrap=True)
    model = next(iter(deployment.models), "MODEL")
    file = "examples/flights/2013-01.csv.gz" if model == "flights" else "FILE.csv"
    say("\nNext, in another terminal:\n")
    say(f"  driftloop upload {model} {file}")
    say(f"  driftloop status\n  driftloop ledger {model}\n")


def _refuse_second() -> None:
    note = target.running()
    if note is not None:
        raise Fault(f"an embedded AWS is already up at {note['endpoint']}; `driftloop down` first")


def deploy(local: Local, assembly: Path) -> None:
    """Put the stacks in place. Raises Fault with what refused them."""
    from infra.local.deploy import DeployError

    try:
        local.deploy(assembly)
    except DeployError as error:
        raise Fault(f"the stacks could not be deployed: {error}") from error


def _stay(local: Local) -> None:
    """Until a signal comes, or somebody stops the embedded AWS over HTTP."""

    def stop(number: int, frame: FrameType | None) -> None:
        local.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    console.out.print("[dim]Ctrl-C stops it; everything in it is then gone.[/]")
    local.wait_stopped()
