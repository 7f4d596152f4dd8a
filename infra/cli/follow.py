"""Watch a run, state by state, until it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from driftloop.aws.clients import client
from driftloop.errors import NotFound
from driftloop.run import RUNNING, Run
from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from infra.cli import console
from infra.cli.fault import Fault
from infra.cli.history import Step, steps
from infra.cli.stacks import Deployment
from infra.cli.target import now

PACE = 0.5  # seconds between looks
PATIENCE = 60.0  # seconds until an event should have been decided on


@dataclass(frozen=True)
class Outcome:
    """How it ended. ``run`` None: none was started, ``message`` says why."""

    decision: str
    message: str
    run: Run | None = None

    @property
    def well(self) -> bool:
        return self.run is None or self.run.status == "SUCCEEDED"


class Follow:
    """Follows the runs of one model. ``quiet`` shows nothing while it waits."""

    def __init__(self, deployment: Deployment, model: str, quiet: bool = False) -> None:
        self.registry, self.model, self.quiet = deployment.registry, model, quiet
        self._began = time.monotonic()

    def upload(self, version: str) -> Outcome:
        """What became of the upload with this S3 version id."""

        def brought(run: Run) -> bool:
            return any(u.get("version_id") == version for u in run.uploads)

        def waiting() -> str | None:
            held = [p for p in self.registry.pending(self.model)
                    if any(u.get("version_id") == version for u in p.uploads)]  # fmt: skip
            return held[0].reason if held else None

        return self._outcome(brought, waiting)

    def event(self, reason: str, since: str) -> Outcome:
        """What became of a request for a run, made with ``reason`` not before ``since``."""

        def asked(run: Run) -> bool:
            return run.cause == "manual" and run.started >= since and reason in run.reason

        def waiting() -> str | None:
            told = [e for e in self.registry.ledger(self.model, since=since)
                    if e.kind == "manual" and e.decision != "started"]  # fmt: skip
            return f"{told[0].decision}: {told[0].reason}" if told else None

        return self._outcome(asked, waiting)

    def _outcome(self, mine: Any, waiting: Any) -> Outcome:
        run = self._find(mine, waiting)
        if isinstance(run, str):
            self._say(run)
            return Outcome("deferred", run)
        ended = self.run(run.run)
        return Outcome("started", ended.message or ended.reason, ended)

    def _find(self, mine: Any, waiting: Any) -> Run | str:
        while time.monotonic() - self._began < PATIENCE:
            for run in self.registry.runs(self.model):
                if mine(run):
                    return run
            told: str | None = waiting()
            if told:
                return told
            time.sleep(PACE)
        raise Fault(
            f"after {PATIENCE:.0f} s nothing was decided on it; "
            f"`driftloop ledger {self.model}` has every decision"
        )

    def run(self, run_id: str) -> Run:
        """Show the run's states until it ends."""
        if self.quiet:
            return list(self._looks(run_id))[-1][0]
        with Live(console=console.out, refresh_per_second=8, transient=False) as live:
            run: Run | None = None
            for run, found in self._looks(run_id):
                live.update(picture(run, found, now()))
        assert run is not None
        self._say(summary(run))
        return run

    def _looks(self, run_id: str) -> Iterator[tuple[Run, list[Step]]]:
        while True:
            run = self.registry.run(self.model, run_id)
            yield run, self._steps(run)
            if run.status != RUNNING:
                return
            time.sleep(PACE)

    def _steps(self, run: Run) -> list[Step]:
        if not run.execution:
            return []
        pages = client("stepfunctions").get_paginator("get_execution_history")
        try:
            events = [e for page in pages.paginate(executionArn=run.execution,
                                                   includeExecutionData=True)
                      for e in page["events"]]  # fmt: skip
        except client("stepfunctions").exceptions.ExecutionDoesNotExist:
            raise NotFound(f"the execution of run {run.run} is gone") from None
        return steps(events)

    def _say(self, text: str) -> None:
        if not self.quiet:
            console.out.print(text)


def picture(run: Run, found: list[Step], moment: datetime) -> Group:
    """The run as one looks at it: a line a state."""
    table = Table.grid(padding=(0, 2))
    for step in found:
        going = step.ended is None
        failed = going and run.status not in (RUNNING, "SUCCEEDED")
        mark: Spinner | Text = (
            Text("✗", style=console.BAD) if failed
            else Spinner("dots") if going else Text("✓", style=console.GOOD)
        )  # fmt: skip
        table.add_row(mark, step.name, f"{step.seconds(moment):.1f} s", Text(step.note))
    title = Text.assemble(("run ", ""), (run.run, "bold"), (f"  because of {run.cause}", "dim"))
    return Group(title, table)


def summary(run: Run) -> str:
    """The end of a run in one line."""
    if run.status == RUNNING:
        return f"run {run.run} is still running"
    if run.status != "SUCCEEDED":
        return f"[red]{run.status.lower()}[/] {run.error or ''}: {run.message or run.reason}"
    version = f" as version {run.version}" if run.version else ""
    return f"[green]{run.outcome or 'done'}[/]{version}"
