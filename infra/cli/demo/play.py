"""The play: January is uploaded, then the months pass."""

from __future__ import annotations

import json as jsonlib
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from driftloop.client import Endpoint
from driftloop.spec import Spec
from infra.cli import console
from infra.cli.demo import flights, page, table
from infra.cli.demo.january import January
from infra.cli.demo.serve import Answer, begins, serve, tell
from infra.cli.demo.story import Story, month_line, story
from infra.cli.demo.world import World, world
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.follow import summary
from infra.cli.synth import EXAMPLE, ROOT
from infra.cli.upload import put

YEAR = 2013


def demo(*, months: int, report: Path, json: Path | None) -> int:
    """Play ``months`` months after January; show, and write the report."""
    if not 1 <= months <= 11:
        raise Fault(f"--months: {months} is not between 1 and 11", ASKED_WRONGLY)
    began = time.monotonic()
    spec = Spec.load(ROOT / EXAMPLE)
    console.out.print(
        "[bold]Flights from New York, 2013.[/] Will a flight arrive more than 15 minutes late?\n"
        "An embedded AWS starts, its clock at the end of January; the stacks are deployed …"
    )
    with world(begins(datetime(YEAR, 2, 1).date())) as stage:
        took = stage.took
        console.out.print(f"  synthesized in {took['synth']:.1f} s, "
                          f"deployed in {took['deploy']:.1f} s")  # fmt: skip
        upload_january(stage, spec)
        answers = _play(stage, spec, months)
        told = story(stage, spec, answers, seconds=time.monotonic() - began)
    table.show(told)
    _write(report, page.html(told))
    if json is not None:
        _write(json, jsonlib.dumps(told, indent=1))
    console.out.print(
        f"\nThe report: [bold]{report}[/]   ({time.monotonic() - began:.0f} s in all)"
    )
    return 1 if told["calls"]["denied"] else 0


def upload_january(stage: World, spec: Spec) -> None:
    """January lands in the bucket; everything else follows from that."""
    began = time.monotonic()
    path = flights.file(1)
    put(stage.deployment, f"incoming/{spec.name}/{path.name}", path)
    stage.local.wait_idle(300)
    runs = stage.deployment.registry.runs(spec.name)
    if not runs or stage.deployment.registry.route(spec.name) is None:
        said = summary(runs[0]) if runs else "no run was started"
        raise Fault(f"January gave no model: {said}")
    stage.took["upload to champion"] = time.monotonic() - began
    console.out.print(
        f"  January uploaded: {summary(runs[0])}, {stage.took['upload to champion']:.1f} s\n"
    )


def _play(stage: World, spec: Spec, months: int) -> list[Answer]:
    """Month by month, day by day, flight by flight."""
    january = January(stage.deployment, spec)
    everything: list[Answer] = []
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("day {task.completed} of "
               "{task.total}"), TimeElapsedColumn())  # fmt: skip
    with (
        Endpoint(stage.deployment.url(spec.name)) as endpoint,
        Progress(*columns, console=console.out, transient=True) as progress,
    ):
        for month in range(2, 2 + months):
            name = f"{datetime(YEAR, month, 1):%B}"
            days = list(flights.days(flights.read(month, spec)))
            bar = progress.add_task(f"{name:10}", total=len(days))
            asked: list[Answer] = []
            for day, ahead in days:
                answers = serve(stage, endpoint, day, ahead)
                tell(stage, spec.name, spec.target, day, answers)
                asked += answers
                progress.advance(bar)
            progress.remove_task(bar)
            console.out.print(month_line(name, asked, january))
            everything += asked
    stage.local.clock.advance_to(everything[-1].flight.departs.replace(tzinfo=UTC))
    stage.local.wait_idle(300)
    return everything


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


__all__ = ["Story", "demo"]
