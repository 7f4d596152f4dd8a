"""Ledger rows of events and of causes that waited, in words. Pure."""

from __future__ import annotations

from driftloop.event import ALARMS, Event
from driftloop.ledger import Entry, Pending


def row(event: Event, decision: str, reason: str, run: str | None = None) -> Entry:
    """The row of one delivery."""
    return Entry(
        time=event.time,
        kind=event.kind,
        decision=decision,
        reason=reason,
        event=event.digest,
        delivery=event.delivery,
        cause=event.cause,
        run=run,
    )


def resolved(event: Event, p: Pending, decision: str, why: str, run: str | None = None) -> Entry:
    """The row that says what became of a cause that waited, now that ``event`` resolves it."""
    return Entry(
        time=event.time,
        kind="alarm" if p.cause in ALARMS else p.cause,
        decision=decision,
        reason=sentence(f"{cause_of(p.cause)} of {p.time}: {why}"),
        event=p.event,
        delivery=f"{event.delivery}+{p.delivery}",
        cause=p.cause,
        run=run,
    )


def cause_of(cause: str) -> str:
    """``drift`` → ``the drift alarm``, ``manual`` → ``the request``."""
    if cause in ALARMS:
        return f"the {cause} alarm"
    return "the request" if cause == "manual" else f"the {cause}"


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."
