"""The figures as tables, and how they stand to what we aim at."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]
COLD = {"start, ms": "start", "peak memory": "peak", "zip": "zip", "unpacked": "unzipped"}
SIZES = {"1": "1 row", "100": "100 rows", "1000": "1,000 rows"}


def show(console: Console, figures: dict[str, Figures], load: float) -> None:
    ours = figures["driftloop"]
    table = Table("", *SIZES.values(), "off by", box=SIMPLE_HEAD, pad_edge=False,
                  title="predict, warm: ms, p50 / p99, p50 beside ours")  # fmt: skip
    for name, one in figures.items():
        cells = [_cell(one["rows"][size], ours["rows"][size]) for size in SIZES]
        off = max(one["rows"][size]["off"] for size in SIZES)
        table.add_row(name, *cells, f"{off:.1g}" if off else "–")
    console.print(table)
    table = Table("", *COLD, box=SIMPLE_HEAD, pad_edge=False,
                  title="predict, cold: process start to first answer; MB")  # fmt: skip
    for name, one in figures.items():
        table.add_row(name, *(_beside(one[key], ours[key]) for key in COLD.values()))
    console.print(table)
    if load > 0.5:
        console.print(f"[yellow]Other work was going on (load {load:.1f}): provisional figures.[/]")
    for said, holds in aims(figures):
        console.print(f"{'✓' if holds else '✗'} {said}")


def aims(figures: dict[str, Figures]) -> list[tuple[str, bool]]:
    """What is aimed at, and whether it holds."""
    ours = figures["driftloop"]
    peers = [one for name, one in figures.items() if not name.startswith("driftloop")]
    one, start = ours["rows"]["1"]["p50"], ours["start"]
    found = [
        (f"one row in 0.1 ms at most: {one:.3f} ms", one <= 0.1),
        (f"at home in 128 MB: {ours['peak']:.0f} MB at most", ours["peak"] <= 128),
    ]
    theirs = figures.get("powertools + scikit-learn")
    if theirs:
        times = theirs["rows"]["1"]["p50"] / one
        found.append((f"one row 100 times faster than the handler: {times:.0f}×", times >= 100))
        times = theirs["start"] / start
        found.append((f"first answer 12 times sooner than the handler: {times:.0f}×", times >= 12))
    best = min((p["rows"]["1000"]["p50"] for p in peers), default=None)
    for how, name in (("", "driftloop"), (" through the embedded API", "driftloop, embedded API")):
        if best and name in figures:
            taken = figures[name]["rows"]["1000"]["p50"]
            said = f"1,000 rows{how} no slower than any: {taken:.1f} ms, {best:.1f} ms"
            found.append((said, taken <= best))
    return found


def _cell(one: Figures, ours: Figures) -> str:
    return f"{_number(one['p50'])} / {_number(one['p99'])}{_times(one['p50'], ours['p50'])}"


def _beside(value: float | None, ours: float) -> str:
    return "–" if value is None else _number(value) + _times(value, ours)


def _times(value: float, ours: float) -> str:
    return "" if value == ours else f" {_number(value / ours, 2)}×"


def _number(value: float, digits: int = 3) -> str:
    """To so many digits, and never fewer than a whole number has."""
    whole = len(str(int(value))) if value >= 1 else 0
    return f"{value:,.{max(0, digits - whole)}f}"
