"""Policies beside each other, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from driftloop.losses import GREATER_IS_BETTER
from driftloop.replay.tally import Outcome
from infra.cli import console
from infra.settings import Environment

PRICE = Environment().gb_second_usd


def show(title: str, outcomes: Sequence[Outcome], trained: bool = True) -> None:
    """A row a policy; the best value in green."""
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    metric = outcomes[0].metric
    columns = ["policy", metric, "runs", *(["released", "GB-s", "cost"] if trained else []),
               "alarms", "false"]  # fmt: skip
    for name in columns:
        table.add_column(name, justify="left" if name == "policy" else "right")
    real = [o.value for o in outcomes if o.value is not None and not _hindsight(o)]
    best = (max if metric in GREATER_IS_BETTER else min)(real, default=None)
    for found in outcomes:
        shown = "–" if found.value is None else f"{found.value:.4f}"
        runs = [f"{len(found.runs)}"]
        if trained:
            runs += [
                str(found.released),
                f"{found.gb_seconds:,.0f}",
                f"${found.gb_seconds * PRICE:.4f}",
            ]
        watched = not _hindsight(found)
        table.add_row(
            found.policy,
            Text(shown, style=console.GOOD if found.value == best else ""),
            *runs,
            str(len(found.alarms)) if watched else "–",
            str(found.false_alarms) if watched else "–",
        )
    console.out.print(table)


def fine_print(outcomes: Sequence[Outcome], trained: bool = True) -> str:
    """What the columns mean, and what they leave out."""
    rows = max(o.rows for o in outcomes)
    said = [
        f"{outcomes[0].metric} of {rows:,} answers whose truth is known, by what would have "
        "answered. An alarm is false when the window it went off for kept what was promised at "
        "training, as its labels told."
    ]
    if trained:
        said.append(
            f"Cost: processor seconds of prepare, tune, train and validate as measured here × "
            f"their memory on Lambda × ${PRICE} a GB-second; no free tier, no storage, no "
            "monitoring (it is the same for all)."
        )
    else:
        said.append("Nothing was trained: rows are answered as recorded, and a run is taken to "
                    "release what was released.")  # fmt: skip
    return "\n".join(said)


def write(path: Path, outcomes: Sequence[Outcome]) -> None:
    """All of it, runs and alarms too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = [o.to_json() | {"usd": o.gb_seconds * PRICE} for o in outcomes]
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _hindsight(found: Outcome) -> bool:
    return any(run.cause == "oracle" for run in found.runs)
