"""Watch a run, state by state, until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from rich.console import Group
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from driftloop.aws.clients import client
from driftloop.errors import NotFound
from driftloop.ids import event_digest
from driftloop.run import RUNNING, Run
from infra.cli import console
from infra.cli.fault import Fault
from infra.cli.history import Step, steps
from infra.cli.stacks import Deployment
from infra.cli.target import now

PACE = 0.5  # seconds between looks
PATIENCE = 60.0  # seconds until an event should have been decided on
RECENT = 50  # rows of the ledger in which its decision should be

Look = tuple[Run, list[Step]]


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

    def upload(self, bucket: str, key: str, version: str) -> Outcome:
        """What became of an uploaded object; its run may have taken on others with it."""

        def mine(run: Run) -> bool:
            return any(u.get("version_id") == version for u in run.uploads)

        return self._event(f"{bucket}/{quote(key)}/{version}", mine)

    def request(self, event_id: str) -> Outcome:
        """What became of a request for a run, by the id EventBridge gave it."""
        return self._event(event_id, lambda run: False)

    def _event(self, identity: str, mine: Callable[[Run], bool]) -> Outcome:
        digest = event_digest(self.model, identity)
        while time.monotonic() - self._began < PATIENCE:
            for run in self.registry.runs(self.model):
                if run.event == digest or mine(run):
                    ended = self.run(run.run)
                    return Outcome("started", ended.message or ended.reason, ended)
            for row in self.registry.ledger(self.model, limit=RECENT):
                if row.event == digest and row.decision != "started":
                    self._say(f"{row.decision}: {row.reason}")
                    return Outcome(row.decision, row.reason)
            time.sleep(PACE)
        raise Fault(
            f"after {PATIENCE:.0f} s nothing was decided on it; "
            f"`driftloop ledger {self.model}` has every decision"
        )

    def run(self, run_id: str) -> Run:
        """Show the run's states until it ends."""
        looks = self._looks(run_id)
        terminal = console.out.is_terminal and not self.quiet
        run = self._watched(looks) if terminal else self._told(looks)
        self._say(summary(run))
        return run

    def _watched(self, looks: Iterator[Look]) -> Run:
        run, found = next(looks)
        with Live(picture(run, found, now()), console=console.out, refresh_per_second=8) as live:
            for run, found in looks:
                live.update(picture(run, found, now()))
        return run

    def _told(self, looks: Iterator[Look]) -> Run:
        """A line for each state that ended, where nothing can be drawn over."""
        told, last = 0, next(looks)
        for last in looks:
            done = [step for step in last[1] if step.ended]
            for step in done[told:]:
                self._say(line(step))
            told = len(done)
        return last[0]

    def _looks(self, run_id: str) -> Iterator[Look]:
        while True:
            run = self.registry.run(self.model, run_id)
            yield run, self._steps(run)
            if run.status != RUNNING:
                yield run, self._steps(run)  # what ended between the two questions
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
            console.out.print(text, soft_wrap=True)


def line(step: Step) -> str:
    """A state that has ended."""
    note = "failed" if step.failed else step.note
    return escape(f"  {step.name:16} {step.seconds(step.began):>6.1f} s  {note}".rstrip())


def picture(run: Run, found: list[Step], moment: datetime) -> Group:
    """The run as one looks at it: a line a state."""
    table = Table.grid(padding=(0, 2))
    for step in found:
        going = step.ended is None and run.status == RUNNING
        mark: Spinner | Text = (
            Text("✗", style=console.BAD) if step.failed
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
    if run.outcome == "released":
        return f"[green]released[/] as version {run.version}"
    version = f" version {run.version}" if run.version else ""
    why = f": {escape(run.message)}" if run.message else ""
    return f"[yellow]{(run.outcome or 'done').replace('_', ' ')}[/]{version}{why}"
