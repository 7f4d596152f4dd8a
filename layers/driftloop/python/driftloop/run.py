"""A run: one execution of the state machine; and the lock that keeps runs from overlapping."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftloop.ids import canonical, run_id
from driftloop.item import Item

RUNNING = "RUNNING"


@dataclass(frozen=True)
class Run(Item):
    """``input`` is the execution's exact input, kept so that starting it again is the same start.

    ``outcome``: released, rejected, rolled_back, failed, or finished (it judged nothing); None
    while it runs. ``error`` is the error's name, ``message`` its sentence.
    """

    run: str
    cause: str
    status: str = RUNNING
    started: str = ""
    ended: str | None = None
    reason: str = ""
    event: str = ""
    uploads: list[dict[str, Any]] = field(default_factory=list)
    input: str = ""
    execution: str | None = None
    outcome: str | None = None
    error: str | None = None
    message: str | None = None
    verdict: dict[str, Any] | None = None
    version: int | None = None
    rows: dict[str, int] | None = None


@dataclass(frozen=True)
class Lock(Item):
    """Who may write. ``fence`` grows by one with every holder, so a stale holder is recognised."""

    holder: str | None = None
    execution: str | None = None
    fence: int = 0
    since: str | None = None


@dataclass(frozen=True)
class Guard:
    """A run's claim to the lock; every registry write of a run is conditional on it."""

    run: str
    fence: int


def new_run(
    model: str,
    cause: str,
    event: str,
    time: str,
    reason: str,
    uploads: Iterable[Mapping[str, Any]],
    fence: int,
    *,
    mode: str = "train",
    attempt: int = 1,
) -> Run:
    """A run to be, with the exact input of its execution. ``event``: the digest of what it is
    started by. ``mode``: ``train``, or ``recalibrate`` for the champion's plan with its answers
    set right."""
    name, taken = run_id(cause, event, attempt), [dict(upload) for upload in uploads]
    given = {
        "model": model,
        "run": name,
        "cause": cause,
        "mode": mode,
        "now": time,
        "uploads": taken,
        "fence": fence,
        "event": event,
        "reason": reason,
    }
    return Run(
        run=name,
        cause=cause,
        started=time,
        reason=reason,
        event=event,
        uploads=taken,
        input=canonical(given),
    )
