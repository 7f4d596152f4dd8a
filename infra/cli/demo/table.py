"""The story in the terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from infra.cli import console
from infra.cli.demo.decisions import by_day
from infra.cli.demo.story import Story
from infra.cli.sparkline import ratios


def show(story: Story) -> None:
    table = Table(title="\nWhat happened", title_justify="left", title_style="bold",
                  header_style="bold", row_styles=("", ""), show_lines=True)  # fmt: skip
    for name, justify in (("month", "left"), ("served by", "left"), ("drift", "right"),
                          ("log loss", "right"), ("January's", "right"),
                          ("decided, and why", "left")):  # fmt: skip
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for month in story["months"]:
        table.add_row(
            month["month"],
            served(month),
            drift(month),
            Text(f"{month['log_loss']:.4f}", style=_better(month)),
            f"{month['january_log_loss']:.4f}",
            "\n".join(by_day(month["decisions"])) or "nothing",
        )
    console.out.print(table)
    say = console.out.print
    for month in story["months"]:
        days = [d for d in story["days"] if d["day"].startswith(month["month"])]
        drifted = ratios([d["drift"] for d in days])
        worse = ratios([d["performance"] for d in days])
        say(f"{month['month']}  drift {drifted}  performance {worse}", soft_wrap=True)
    say("[dim]a bar a day, full at twice the version's own threshold; red is above it[/]\n")
    say(conclusion(story))
    say(permitted(story))


def served(month: dict[str, Any]) -> str:
    """``v1 80%, v2 20%``."""
    total = month["flights"]
    return ", ".join(f"v{v} {n / total:.0%}" for v, n in month["versions"].items())


def drift(month: dict[str, Any]) -> str:
    """The month's worst day, and how many were above the threshold."""
    if month["drift"] is None:
        return "–"
    over = f" ({month['days_drifted']} d)" if month["days_drifted"] else ""
    return f"{month['drift']:.2f}×{over}"


def conclusion(story: Story) -> str:
    """The sum, in a sentence that says what came out, whichever way."""
    total, trained = story["total"], [d for d in story["decisions"] if d["outcome"]]
    released = sum(d["outcome"] == "released" for d in trained) - 1  # January's own
    ours, january = total["log_loss"], total["january_log_loss"]
    change = round((january - ours) / january, 3)
    verdict = f"{abs(change):.1%} {'lower' if change > 0 else 'higher'} than" if change else "like"
    return (
        f"After January the loop trained {len(trained) - 1} times and released {released}. Over "
        f"{total['flights']:,} flights the log loss served was {ours:.4f}, {verdict} the "
        f"{january:.4f} of January's model."
    )


def permitted(story: Story) -> str:
    """Whether AWS itself would have let every call pass."""
    calls = story["calls"]
    made = f"{calls['different']:,} different AWS calls were made by {calls['roles']} roles"
    if not calls["denied"]:
        return f"{made}; their policies allow each of them."
    return f"{made}; AWS would have refused {len(calls['denied'])}, like: {calls['denied'][0]}"


def _better(month: dict[str, Any]) -> str:
    difference = month["january_log_loss"] - month["log_loss"]
    return console.GOOD if difference > 5e-5 else console.BAD if difference < -5e-5 else ""
