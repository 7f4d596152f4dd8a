"""``make bench``: what the loop costs on this machine, beside what one would otherwise build.

    python tests/bench/bench.py [--json FILE]

What a prediction costs beside other ways to serve the same model (see predict.py), what the loop
takes to set up, what ingest costs beside pandera, Great Expectations and ydata-profiling (see
ingest.py), and what drift costs beside Evidently and NannyML (see drift.py). Each runs alone as
well, and their options are known here.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from datetime import date
from pathlib import Path

import drift
import ingest
import predict
from rich.console import Console
from rich.table import Table


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    predict.arguments(parser)
    ingest.arguments(parser)
    drift.arguments(parser)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started ends with it
    console = Console()
    found = {"predict": predict.measure(console, options)}
    console.print("Synthesizing, deploying, uploading January …")
    found["loop"] = loop_times()
    table = Table("the loop, on the embedded AWS", "seconds")
    for name, seconds in found["loop"].items():
        table.add_row(name, f"{seconds:.1f}")
    console.print(table)
    found["ingest"] = ingest.measure(console, options.rows, options.times, options.long)
    found["drift"] = drift.measure(console, options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


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


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
