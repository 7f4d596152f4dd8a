"""Drift of 20 columns between two data sets, beside Evidently and NannyML.

    python tests/bench/drift.py [--json FILE] [--rows 1000000] [--captured 200000] [--times 3]
                                [--beside evidently nannyml]

Population stability index, Jensen-Shannon, Kolmogorov-Smirnov and Wasserstein of 14 columns of
numbers, the first two of 6 of categories (NannyML has no PSI); ours from sketches that are there
already, from rows in Parquet, and from a window's captures. Every contestant works in fresh
processes of its own, turn by turn; medians of the work alone, its imports not counted. Then the
same numbers: each peer's conventions, computed on our sketches, beside what the peer said.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import drift_agree
import ingest
from ingest import HERE, Contestant, median
from rich.console import Console
from rich.table import Table

OURS, EVIDENTLY, NANNYML, EXACT = "driftloop, ", "Evidently", "NannyML", "scipy, exact"
ENVIRONMENT = ("pandas==2.3.3", "pyarrow==26.0.1")
CONTESTANTS = (
    Contestant(f"{OURS}sketches", "drift_ours.py", "all four, sketches in memory",
               options=("sketches",)),
    Contestant(f"{OURS}rows", "drift_ours.py", "all four, from Parquet", options=("rows",)),
    Contestant(f"{OURS}captures", "drift_ours.py", "all four, from .jsonl.gz",
               options=("captures",), times=1),
    Contestant(EXACT, "drift_scipy.py", "KS and Wasserstein, numbers alone", times=1),
    Contestant(EVIDENTLY, "drift_evidently.py", "all four",
               ("evidently==0.7.23", *ENVIRONMENT), ("all",), times=1),
    Contestant(f"{EVIDENTLY}'s preset", "drift_evidently.py", "one statistic a column",
               ("evidently==0.7.23", *ENVIRONMENT), ("preset",), times=1),
    Contestant(NANNYML, "drift_nannyml.py", "JS, KS and Wasserstein",
               ("nannyml==0.13.1", "statsmodels==0.15.0", *ENVIRONMENT), times=1),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of each of the data sets")
    parser.add_argument("--times", type=int, default=3, help="runs of ours to take the median of")
    help = "only peers with one of these in their name; none: ours alone"
    parser.add_argument("--beside", nargs="*", metavar="WORD", help=help)
    arguments(parser)
    options = parser.parse_args()
    figures = measure(Console(), options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--captured", type=int, default=200_000, help="rows in captures")


def measure(console: Console, options: argparse.Namespace) -> dict[str, Any]:
    """Show and return figures by contestant, and how far ours are from theirs."""
    rows, words = options.rows, options.beside
    chosen = [
        c for c in CONTESTANTS
        if not c.needs or words is None or any(w.lower() in c.name.lower() for w in words)
    ]  # fmt: skip
    pythons = {c: found for c in chosen if (found := ingest.python_of(c, console))}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        console.print(f"Writing two times {rows:,} rows …")
        command = [sys.executable, "drift_data.py", str(rows), str(options.captured), name]
        subprocess.run(command, check=True, cwd=HERE)
        run(CONTESTANTS[1], pythons[CONTESTANTS[1]], folder)  # it leaves the sketches
        runs: dict[Contestant, list[dict[str, Any]]] = {c: [] for c in pythons}
        for turn in range(options.times):
            for contestant, found in runs.items():
                if turn < contestant.times:
                    console.print(f"{contestant.name}, run {turn + 1} …")
                    one = run(contestant, pythons[contestant], folder)
                    found += [one] if one else []
        said = {c.name: found[0].pop("figures") for c, found in runs.items() if found}
        for found in runs.values():
            for one in found:
                one.pop("figures", None)
        taken = {c.name: median(found) for c, found in runs.items() if found}
        sketches = [
            drift_agree.loaded(folder / f"{side}.json") for side in ("reference", "current")
        ]
    show(console, f"{rows:,} rows × 20 columns, twice", taken)
    apart = {
        EVIDENTLY: differences(drift_agree.evidently, sketches, said.get(EVIDENTLY, {})),
        NANNYML: differences(drift_agree.nannyml, sketches, said.get(NANNYML, {})),
        EXACT: differences(None, [said[f"{OURS}rows"]], said.get(EXACT, {})),
    }
    show_differences(console, apart)
    return {"taken": taken, "figures": said, "differences": apart}


def run(contestant: Contestant, python: str, source: Path) -> dict[str, Any] | None:
    """One fresh process; None, and why, when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, str(HERE / contestant.script), str(source), folder, *contestant.options]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
        environment |= {"PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(f"{contestant.name} failed: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def differences(convention: Any, sketches: list[Any], said: dict[str, Any]) -> dict[str, Any]:
    """Of each statistic the column where ours, in the peer's convention, is farthest from what the
    peer said: ``{"column", "theirs", "ours", "columns"}``."""
    farthest: dict[str, Any] = {}
    for column, theirs in said.items():
        ours = convention(*(s[column] for s in sketches)) if convention else sketches[0][column]
        for statistic, value in theirs.items():
            held = farthest.setdefault(statistic, {"columns": 0, "apart": -1.0})
            held["columns"] += 1
            apart = abs(ours[statistic] - value)
            if apart > held["apart"]:
                held |= {"apart": apart, "column": column, "theirs": value, "ours": ours[statistic]}
    return farthest


def show(console: Console, title: str, found: dict[str, dict[str, Any]]) -> None:
    table = Table("", "does", "rows", "seconds", "CPU", "peak MB", "ours is", "", title=title)
    does = {contestant.name: contestant.does for contestant in CONTESTANTS}
    for name, one in found.items():
        times = [
            "" if name.startswith(OURS) else f"{one['cpu'] / found[f'{OURS}{way}']['cpu']:,.0f}×"
            for way in ("sketches", "rows")
        ]
        table.add_row(
            name, does[name], f"{one['rows']:,.0f}", f"{one['seconds']:.3f}", f"{one['cpu']:.3f}",
            f"{one['peak']:,.0f}", *times,
        )  # fmt: skip
    console.print(table)
    console.print("ours is: how much less CPU time it takes, from sketches and from rows")


def show_differences(console: Console, apart: dict[str, dict[str, Any]]) -> None:
    table = Table(
        "", "statistic", "columns", "farthest apart", "in", "theirs", "ours",
        title="the same numbers, by each peer's conventions on our sketches",
    )  # fmt: skip
    for peer, statistics in apart.items():
        for name, one in statistics.items():
            table.add_row(
                peer, name, str(one["columns"]), f"{one['apart']:.1e}", one["column"],
                f"{one['theirs']:.5g}", f"{one['ours']:.5g}",
            )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
