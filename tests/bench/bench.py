"""``make bench``: what the loop costs on this machine, beside what one would otherwise build.

    python tests/bench/bench.py [--json FILE] [--starts 5] [--rows 1000000] [--times 3] [--long]

Both handlers answer the same API events with the same model on the same rows, each in a process
of its own; medians. Starting up includes the interpreter, imports (bytecode warmed for both),
loading the model (ours: route and plan over signed HTTP, verified; theirs: joblib from disk) and
one answer. Then what ingest costs beside pandera, Great Expectations and ydata-profiling (see
ingest.py, which runs alone as well).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import ingest
import model
import registry
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
SIDES = {"driftloop": "ours.py", "FastAPI + scikit-learn": "theirs.py"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--starts", type=int, default=5, help="cold starts to take the median of")
    ingest.arguments(parser)
    options = parser.parse_args()
    console = Console()
    console.print("Fitting the flights model …")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fitted = model.build(folder, 2000)
        with registry.serving(fitted.plan) as url:
            figures: dict[str, Any] = {}
            for side, script in SIDES.items():
                console.print(f"Asking {side} …")
                figures[side] = side_of(script, folder, url, options.starts)
    console.print("Synthesizing, deploying, uploading January …")
    loop = loop_times()
    show(console, figures, loop)
    taken = ingest.measure(console, options.rows, options.times, options.long)
    if options.json:
        found = {"predict": figures, "loop": loop, "ingest": taken}
        options.json.write_text(json.dumps(found, indent=1))


def side_of(script: str, folder: Path, url: str, starts: int) -> dict[str, float]:
    """Milliseconds: ``start``, and warm by rows."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment |= {
        "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "DRIFTLOOP_MODEL": "flights", "DRIFTLOOP_ENV": "dev",
        "DRIFTLOOP_TABLE": "registry", "DRIFTLOOP_STORE": "store",
        # One CPU, as a function has; scikit-learn's threads only wait for each other on few rows.
        "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    command = [sys.executable, str(HERE / script), str(folder)]
    taken = []
    for number in range(starts + 1):
        began = time.perf_counter()
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            line = run.stdout.readline().strip()
            taken.append(time.perf_counter() - began)
            assert line == "first", f"{script} did not answer"
            if number < starts:
                run.kill()
                continue
            warm = json.loads(run.stdout.readline())
    found = {"start": statistics.median(taken[1:]) * 1000}  # the first wrote the bytecode
    return found | {f"{rows} rows": us / 1000 for rows, us in warm.items()}


def loop_times() -> dict[str, float]:
    """Seconds: synth, deploy, upload to champion."""
    from driftloop.spec import Spec
    from infra.cli.demo.play import upload_january
    from infra.cli.demo.serve import begins
    from infra.cli.demo.world import world
    from infra.cli.synth import EXAMPLE, ROOT

    with world(begins(date(2013, 2, 1))) as stage:
        upload_january(stage, Spec.load(ROOT / EXAMPLE))
        return dict(stage.took)


def show(console: Console, figures: dict[str, Any], loop: dict[str, float]) -> None:
    ours, theirs = (figures[side] for side in SIDES)
    table = Table("predict (medians)", *SIDES, "ratio")
    labels = {"1 rows": "warm, 1 row", "100 rows": "warm, 100 rows",
              "start": "process start to first answer"}  # fmt: skip
    for name, label in labels.items():
        table.add_row(label, f"{ours[name]:,.3f} ms", f"{theirs[name]:,.2f} ms",
                      f"{theirs[name] / ours[name]:,.0f}×")  # fmt: skip
    console.print(table)
    table = Table("the loop, on the embedded AWS", "seconds")
    for name, seconds in loop.items():
        table.add_row(name, f"{seconds:.1f}")
    console.print(table)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[1]))
    main()
