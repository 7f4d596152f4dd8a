"""Several policies over one history, side by side in processes of their own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from time import process_time

from driftloop.replay.history import History
from driftloop.replay.oracle import oracle
from driftloop.replay.player import Player
from driftloop.replay.policy import Policy
from driftloop.replay.tally import Outcome
from driftloop.replay.workshop import Workshop
from infra.cli import console
from infra.local.schedule_expression import parse
from infra.stages import WORKFLOW

MEMORY: dict[str, int] = {stage.name: stage.memory for stage in WORKFLOW}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Play:
    """``train`` False: with the answers as they were recorded; ``hindsight``: the oracle, over the
    policy's data and training."""

    history: History
    policy: Policy
    train: bool = True
    hindsight: bool = False


def together(plays: Sequence[Play]) -> list[Outcome]:
    """The outcome of each, in their order; each is told when it is there. What is trained once
    serves all."""
    with tempfile.TemporaryDirectory(prefix="driftloop-replay-") as folder:
        if len(plays) == 1:
            return [_play(plays[0], Path(folder))]
        with processes() as pool:
            under_way = [pool.submit(_play, play, Path(folder)) for play in plays]
            for done in as_completed(under_way):
                said = f"  {done.result().policy}: {len(done.result().runs)} runs"
                console.err.print(said, style=console.QUIET)
            return [each.result() for each in under_way]


@contextmanager
def processes() -> Iterator[Executor]:
    """As many as processors, started afresh, with one thread each."""
    before = dict(os.environ)
    os.environ.update(_ONE_THREAD)
    try:
        with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
            yield pool
    finally:
        os.environ.clear()
        os.environ.update(before)


def fires(expression: str, after: datetime, since: datetime) -> datetime | None:
    """When a schedule fires next, by EventBridge's rules."""
    return parse(expression).next_after(after, since)


def _play(play: Play, folder: Path) -> Outcome:
    """Times are the process's own, so that a neighbour does not make a policy dear."""
    if play.hindsight:
        found = oracle(play.history, play.policy.spec, process_time)
        return replace(found, gb_seconds=sum(run.gb_seconds(MEMORY) for run in found.runs))
    workshop = Workshop(folder, process_time) if play.train else None
    return Player(play.history, play.policy, workshop, fires).play(MEMORY)
