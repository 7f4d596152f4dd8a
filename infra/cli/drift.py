"""`driftloop drift`: what the monitor concluded, window by window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.cli import console, reports
from infra.cli.console import moment
from infra.cli.stacks import Deployment

BARS = "▁▂▃▄▅▆▇█"


def drift(deployment: Deployment, model: str, *, windows: int, json: bool) -> None:
    """The last windows; a ratio above 1 is above the version's own threshold."""
    deployment.model(model)
    found = reports.read(deployment.store, model, windows)
    if json:
        return console.as_json(found)
    if found:
        console.out.print(f"drift        {sparkline([r['drift_ratio'] for r in found])}")
        console.out.print(
            f"performance  {sparkline([r['performance']['ratio'] for r in found])}"
            "   [dim]red: over the threshold[/]\n"
        )
    return console.listing(
        f"windows of {model}",
        [_row(report) for report in found],
        ("window", "version", "rows", "labelled", "drift", "performance", "said"),
        f"the monitor has judged no window of {model} yet",
    )


def _row(report: dict[str, Any]) -> dict[str, Any]:
    performance = report["performance"]
    return {
        "window": moment(report["window"]["start"]),
        "version": report["version"],
        "rows": report["rows"],
        "labelled": performance["rows"],
        "drift": report["drift_ratio"],
        "performance": performance["ratio"],
        "said": report["text"],
    }


def sparkline(ratios: Sequence[float | None]) -> str:
    """A bar a ratio, full at twice the threshold; red above it, a dot where there is none."""
    bars = []
    for ratio in ratios:
        if ratio is None:
            bars.append("[dim]·[/]")
            continue
        bar = BARS[min(len(BARS) - 1, int(ratio / 2 * len(BARS)))]
        bars.append(f"[red]{bar}[/]" if ratio > 1 else bar)
    return "".join(bars)
