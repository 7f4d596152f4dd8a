"""`driftloop ledger`: the log book. Days as headings; a line a decision: when, what for, what was
decided and why, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from rich.table import Table
from rich.text import Text

from driftloop.ledger import Entry
from driftloop.run import RUNNING, Run
from driftloop.when import iso, parse
from infra.cli import console
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.stacks import Deployment

MOST = 40  # lines shown where nobody says how many, or since when
STARTED = "started"
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):[\d.]+Z")


@dataclass(frozen=True)
class Line:
    """``last`` and ``times``: the same was decided so often, until then. ``outcome``: what came of
    the run it started, or ""."""

    first: str
    last: str
    times: int
    cause: str
    decision: str
    reason: str
    outcome: str = ""


def ledger(
    deployment: Deployment, model: str, *, limit: int | None, since: str, every: bool, json: bool
) -> None:
    deployment.model(model)
    most = limit if limit is not None else 0 if since else MOST
    try:
        since = since and iso(parse(since))
    except ValueError:
        raise Fault(f"--since {since}: is no moment; write 2013-02-01 or 2013-02-01T10:00:00Z",
                    ASKED_WRONGLY) from None  # fmt: skip
    rows = deployment.registry.ledger(model, since=since)  # newest first
    found = list(_newest(rows, most, every or json))[::-1]
    if json:
        return console.as_json(found)
    runs = {run.run: run for run in deployment.registry.runs(model)}
    lines = list(book(found, runs, every=every))
    if not lines:
        since_then = f" since {since}" if since else ""
        return console.out.print(f"nothing has happened to {model} yet{since_then}")
    return _show(lines)


def book(
    entries: Iterable[Entry], runs: Mapping[str, Run], *, every: bool = False
) -> Iterator[Line]:
    """The lines of ``entries``, oldest first. Unless ``every`` row is wanted: what was decided
    alike, one after another, is one line, and what says nothing is none."""
    told = [e for e in entries if every or not _quiet(e)]
    for _, group in groupby(told, key=lambda e: (e.time, e.delivery) if every else _alike(e)):
        same = list(group)
        row, run = same[-1], runs.get(same[-1].run or "")
        outcome = came_of(run) if run and row.decision == STARTED else ""
        cause = row.cause or row.kind.replace("run-ended", "end of run")
        yield Line(same[0].time, row.time, len(same), cause, row.decision, row.reason, outcome)


def came_of(run: Run) -> str:
    """What came of a run, in a clause."""
    if run.status == RUNNING:
        return "still running"
    took = f" after {_span(parse(run.ended) - parse(run.started))}" if run.ended else ""
    if run.outcome == "released":
        return f"released as version {run.version}{took}"
    why = ": ".join(filter(None, (run.error, run.message)))
    return f"{(run.outcome or run.status.lower()).replace('_', ' ')}{took}" + (why and f": {why}")


def _newest(rows: Iterator[Entry], most: int, every: bool) -> Iterator[Entry]:
    """Of ``rows``, newest first, so many as make ``most`` lines of the book; 0: all."""
    seen, last = 0, None
    for row in rows:
        if every:
            seen += 1
        elif not _quiet(row) and (alike := _alike(row)) != last:
            seen, last = seen + 1, alike
        if most and seen > most:
            return
        yield row


def _quiet(entry: Entry) -> bool:
    """Whether a row says nothing that another does not: a sweep that found nothing, the end of a
    run, a cause that another row's run took on."""
    if entry.decision == "recorded" and entry.kind in ("sweep", "run-ended"):
        return True
    return entry.decision == STARTED and "+" in entry.delivery


def _alike(entry: Entry) -> tuple[str, ...]:
    """What rows that say the same have in common, whatever moments they name."""
    if entry.decision == STARTED:
        return (entry.time, entry.delivery)
    return (entry.cause or entry.kind, entry.decision, MOMENT.sub("", entry.reason))


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    if span < timedelta(seconds=90):
        return f"{span.total_seconds():.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def _show(lines: Iterable[Line]) -> None:
    for day, group in groupby(lines, key=lambda line: line.first[:10]):
        console.out.print(f"[bold]{parse(day):%A %-d %B %Y}[/]")
        table = Table.grid(padding=(0, 2, 0, 0))
        for width in (13, 11, 11):
            table.add_column(min_width=width, no_wrap=True)
        table.add_column(overflow="fold", ratio=1)
        for line in group:
            table.add_row(f"  {_when(line)}", line.cause, _decision(line), _text(line))
        console.out.print(table)


def _when(line: Line) -> str:
    first, last = line.first[11:16], line.last[11:16]
    if line.last[:10] != line.first[:10]:
        return f"{first}–{parse(line.last):%-d %b}"
    return first if first == last else f"{first}–{last}"


def _decision(line: Line) -> Text:
    said = line.decision.replace("_", " ") + (f" ×{line.times}" if line.times > 1 else "")
    return Text(said, style=console.COLOURS.get(line.decision, ""))


def _text(line: Line) -> Text:
    outcome = line.outcome.split(" ")[0]
    found = Text(MOMENT.sub(r"\1 \2", line.reason))
    if line.outcome:
        found.append(f"\n→ {line.outcome}", style=console.COLOURS.get(outcome, ""))
    return found
