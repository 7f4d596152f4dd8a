"""How the command speaks: tables and sentences for people, JSON for machines."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED = 160  # columns where nobody's window sets them


def _console(stream: TextIO, **options: Any) -> Console:
    return Console(highlight=False, width=None if stream.isatty() else PIPED, **options)


out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)

GOOD, BAD, QUIET = "green", "red", "dim"
COLOURS = {
    "SUCCEEDED": GOOD, "released": GOOD, "started": GOOD, "promoted": GOOD, "OK": GOOD,
    "FAILED": BAD, "TIMED_OUT": BAD, "ABORTED": BAD, "failed": BAD, "ALARM": BAD,
    "rejected": "yellow", "rolled_back": "yellow", "suppressed": QUIET, "deferred": "yellow",
    "RUNNING": "cyan", "recorded": QUIET,
}  # fmt: skip


WORDY = {"why": 24, "reason": 24, "said": 24, "metrics": 20}  # columns, and their least width


def as_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(jsonlib.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def listing(
    title: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], empty: str
) -> None:
    """A table of ``columns``, or the sentence ``empty``."""
    found = list(rows)
    if not found:
        out.print(empty)
        return
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", min_width=WORDY.get(name))
    for row in found:
        table.add_row(*(shown(row.get(name)) for name in columns))
    out.print(table)


def shown(value: Any) -> Text:
    """A cell: numbers short, times without their fraction, outcomes in their colour."""
    if value is None or value == "":
        return Text("–", style=QUIET)
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, float):
        return Text(f"{value:.4g}")
    if isinstance(value, int):
        return Text(f"{value:,}")
    if isinstance(value, Mapping):
        return Text(", ".join(f"{k} {shown(v)}" for k, v in value.items()))
    text = str(value)
    return Text(text, style=COLOURS.get(text, ""))


def moment(iso: str | None) -> str | None:
    """``2013-02-01T10:00:00.000Z`` → ``2013-02-01 10:00``."""
    return iso[:16].replace("T", " ") if iso else None
