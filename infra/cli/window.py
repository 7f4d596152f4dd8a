"""`driftloop drift MODEL --window DATE`: one window in full."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from driftloop.pages import window_words as words
from driftloop.pages.readable import number, share
from driftloop.pages.window_scores import ratio
from infra.cli import console
from infra.cli.console import moment
from infra.cli.reports import Report
from infra.cli.sparkline import ratios

MOST = 15
"""Columns that are listed without being asked for all."""


def show(report: Report) -> None:
    """What, how bad, what to do; why; what moved; how good the answers were."""
    say = console.out.print
    window = report["window"]
    say(f"\n[bold]{report['model']} v{report['version']}[/]  {moment(window['start'])} to "
        f"{moment(window['end'])}  [dim]{report['role']}, {report['rows']:,} rows, revision "
        f"{report['revision']}[/]")  # fmt: skip
    verdict(report)
    found = report.get("diagnosis") or {}
    for sign in found.get("evidence", []):
        say(f"  [dim]–[/] {escape(sign)}")
    _columns(report, {f["name"]: f for f in found.get("features", [])})


def verdict(report: Report) -> None:
    """The headline and what stands under it on the page."""
    say, found = console.out.print, report.get("diagnosis")
    style = "bold red" if words.is_bad(report) else "bold"
    say(f"[{style}]{escape(words.headline(report))}[/]")
    lines = {
        "what": found["text"] if found else report["text"],
        "how bad": " ".join(words.how_bad(report)),
        "to do": f"{words.advice(report)}.",
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=console.QUIET)
    grid.add_column()
    for name, text in lines.items():
        grid.add_row(f"  {name}", escape(text))
    say(grid)


def _columns(report: Report, told: dict[str, Any]) -> None:
    scores = [(name, report["features"][name]) for name in report["ranked"]]
    beside = [("(predictions)", report["prediction"]), ("(labels)", report.get("target"))]
    rows = [*scores[:MOST], *((name, score) for name, score in beside if score)]
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = ["column", "", "÷ threshold", "statistics (value, threshold)"]
    heads += ["of the drift", "of the loss"] if told else []
    for head in heads:
        table.add_column(head, justify="right" if head[:1] in ("÷", "o") else "left",
                         overflow="fold")  # fmt: skip
    for name, score in rows:
        parts = told.get(name, {})
        shares = [_share(parts.get("share")), _share(parts.get("loss_share"))] if told else []
        far = f"[red]{ratio(score['ratio'])}[/]" if score["ratio"] > 1 else ratio(score["ratio"])
        table.add_row(escape(name), ratios([score["ratio"]]), far, _statistics(score), *shares)
    console.out.print()
    console.out.print(table)
    if len(scores) > MOST:
        console.out.print(f"[dim]and {len(scores) - MOST} columns that moved less: --json[/]")


def _statistics(score: dict[str, Any]) -> str:
    """``PSI 0.315 (0.05), …``: all that are over, in red; else the one that is nearest to it."""
    ranked = sorted(score["statistics"].items(), key=lambda item: -item[1]["ratio"])
    over = [item for item in ranked if item[1]["ratio"] > 1]
    told = [
        f"{words.statistic(name)} {number(found['value'])} ({number(found['threshold'])})"
        for name, found in over or ranked[:1]
    ]
    return f"[{console.BAD if over else console.QUIET}]{', '.join(told)}[/]"


def _share(part: float | None) -> str:
    return "–" if part is None else share(part)
