"""CSV → checked Parquet and profile, beside what one would otherwise use.

    python tests/bench/ingest.py [--json FILE] [--rows 1000000] [--times 3] [--long]

Every contestant works in fresh processes of its own, turn by turn; medians of the work alone, its
imports not counted. Peers live in environments of their own under ``.driftloop/bench``, made when
they are first needed; one that cannot be installed is left out, and it is said why. Seconds on the
clock and of the CPU: ours reads, checks and writes in three threads. With ``--long``, ours alone
also on ten times the rows, for its memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEERS = ROOT / ".driftloop" / "bench"


@dataclass(frozen=True)
class Contestant:
    """``needs``: pinned packages of its own environment, none for ours; ``times``: at most."""

    name: str
    script: str
    does: str
    needs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    times: int = 3


CONTESTANTS = (
    Contestant("driftloop", "ingest_ours.py", "check, Parquet, profile, quarantine by row"),
    Contestant(
        "pandas + pandera", "ingest_pandera.py", "check, Parquet, bad rows dropped",
        ("pandera==0.35.0", "pandas==3.1.1", "pyarrow==26.0.1"), ("c",),
    ),
    Contestant(
        "pandas (pyarrow) + pandera", "ingest_pandera.py", "check, Parquet, bad rows dropped",
        ("pandera==0.35.0", "pandas==3.1.1", "pyarrow==26.0.1"), ("pyarrow",),
    ),
    Contestant(
        "Great Expectations", "ingest_gx.py", "check, Parquet",
        ("great_expectations==1.24.1", "pandas==3.1.1", "pyarrow==26.0.1"),
    ),
    Contestant(
        "ydata-profiling", "ingest_ydata.py", "Parquet, profile (minimal mode)",
        ("ydata-profiling==4.18.4", "pyarrow==26.0.1", "setuptools<81"), times=1,
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments(parser)
    options = parser.parse_args()
    figures = measure(Console(), options.rows, options.times, options.long)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=1_000_000, help="to ingest")
    parser.add_argument("--times", type=int, default=3, help="ingests to take the median of")
    parser.add_argument("--long", action="store_true", help="ingest ten times the rows as well")


def measure(console: Console, rows: int, times: int, long: bool) -> dict[str, Any]:
    """Show and return figures by data set and contestant."""
    pythons = {c: found for c in CONTESTANTS if (found := python_of(c, console))}
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label, bad in (("clean", 0.0), ("1 % bad rows", 0.01)):
            source = data(console, folder, rows, bad)
            runs: dict[Contestant, list[dict[str, Any]]] = {c: [] for c in pythons}
            for turn in range(times):
                for contestant, found in runs.items():
                    if turn < contestant.times:
                        console.print(f"{label}, {contestant.name}, run {turn + 1} …")
                        one = run(contestant, pythons[contestant], source)
                        found += [one] if one else []
            figures[label] = {c.name: median(found) for c, found in runs.items() if found}
            show(console, f"{rows:,} rows × 15 columns, {label}", figures[label])
            source.unlink()
        if long:
            source = data(console, folder, 10 * rows, 0.01)
            figures["long"] = {"driftloop": run(CONTESTANTS[0], sys.executable, source)}
            show(console, f"{10 * rows:,} rows × 15 columns, 1 % bad rows", figures["long"])
    return figures


def python_of(contestant: Contestant, console: Console) -> str | None:
    """The interpreter of the contestant's environment, which is made if need be."""
    if not contestant.needs:
        return sys.executable
    folder = PEERS / contestant.script.removesuffix(".py")
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists() or stamp.read_text() != " ".join(contestant.needs):
        console.print(f"Installing {contestant.name} …")
        folder.parent.mkdir(parents=True, exist_ok=True)
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             *contestant.needs],
        ):  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                console.print(f"{contestant.name} is left out: {done.stderr.strip()[-300:]}")
                return None
        stamp.write_text(" ".join(contestant.needs))
    return str(python)


def data(console: Console, folder: Path, rows: int, bad: float) -> Path:
    console.print(f"Writing {rows:,} rows …")
    command = [sys.executable, str(HERE / "ingest_data.py"), str(rows), str(bad), str(folder)]
    subprocess.run(command, check=True)
    return folder / f"{rows}-{bad:g}.csv"


def run(contestant: Contestant, python: str, source: Path) -> dict[str, Any] | None:
    """One fresh process; None, and why, when it cannot do it (pandas' pyarrow reader gives up on a
    column with gaps)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, str(HERE / contestant.script), str(source), folder, *contestant.options]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"GX_ANALYTICS_ENABLED": "false", "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{contestant.name} failed: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: statistics.median(one[name] for one in runs) for name in runs[0]}


def show(console: Console, title: str, found: dict[str, dict[str, Any]]) -> None:
    table = Table(
        "", "does", "rows/s", "seconds", "CPU", "peak MB", "rejected", "ours is", title=title
    )
    ours = found["driftloop"]["seconds"]
    does = {contestant.name: contestant.does for contestant in CONTESTANTS}
    for name, one in found.items():
        table.add_row(
            name, does[name], f"{one['rows'] / one['seconds']:,.0f}", f"{one['seconds']:.2f}",
            f"{one['cpu']:.2f}", f"{one['peak']:,.0f}", f"{one['rejected']:,.0f}",
            f"{one['seconds'] / ours:.1f}×",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
