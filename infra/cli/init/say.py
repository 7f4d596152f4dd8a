"""What `driftloop init` tells the person: the parts, what is left out, what to look at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid
from rich.text import Text

from driftloop.infer import Guess, Inferred, Table
from infra.cli import console
from infra.cli.init.rehearse import Rehearsal

SHOWN = 12
ROLES = ("target", "task", "time", "key")


def say(
    inferred: Inferred, rehearsal: Rehearsal, table: Table, path: Path, out: Console
) -> None:  # fmt: skip
    """The parts first, then the columns left out, every doubt, and what the loop would do."""
    rows = f"{table.rows:,} rows" if table.whole else f"the first {table.rows:,} rows"
    broken = f", {table.broken:,} records that cannot be read" if table.broken else ""
    out.print(f"{path.name}: {rows}, {len(table.columns):,} columns{broken}\n", markup=False)
    guesses = inferred.guesses
    parts = [guess for guess in guesses if guess.about in ROLES]
    _grid(out, [(_mark(g), g.about, g.choice or "–", _told(g)) for g in parts])
    kinds = Counter(feature.type for feature in inferred.spec.features.values())
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    out.print(f"  features  {told}")
    left = [guess for guess in guesses if guess.about.startswith("left out.")]
    if left:
        out.print(f"\nLeft out ({len(left)}):")
        _grid(out, [(_mark(g), g.about.partition(".")[2], g.why) for g in left])
    rest = [g for g in guesses if g.unsure and g not in parts and g not in left]
    if rest:
        out.print(f"\nUnsure of ({len(rest)}):")
        _grid(out, [("?", g.about.removeprefix("features."), _doubt(g)) for g in rest])
    accepted = f"{rehearsal.accepted:,} of {rehearsal.total:,} rows"
    out.print(f"\nTried out: {accepted} would be accepted.", markup=False)
    for reason, count in rehearsal.reasons.items():
        rule, _, field = reason.partition("|")
        out.print(f"  {count:,} rejected: {rule} {field}".rstrip(), markup=False, soft_wrap=True)
    if rehearsal.obstacle:
        out.print(f"[yellow]![/] A run would end without a model: {escape(rehearsal.obstacle)}",
                  soft_wrap=True)  # fmt: skip


def _told(guess: Guess) -> str:
    others = f"; or: {', '.join(guess.others)}" if guess.others else ""
    return guess.why + others


def _doubt(guess: Guess) -> str:
    feature = guess.about.startswith("features.")
    return " ".join(guess.others) if feature and guess.others else _told(guess)


def _mark(guess: Guess) -> str:
    return "?" if guess.unsure else " "


def _grid(out: Console, rows: list[tuple[str, ...]]) -> None:
    grid = Grid.grid(padding=(0, 2))
    for row in rows[:SHOWN]:
        cells = [Text(row[0], style="yellow"), Text(row[1], style="bold"), *map(Text, row[2:])]
        grid.add_row(*cells)
    out.print(grid)
    if len(rows) > SHOWN:
        out.print(f"  … {len(rows) - SHOWN:,} more, in the file", style=console.QUIET)
