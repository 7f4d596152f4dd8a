"""What was decided and why, in words, from the ledger, the runs and the audit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from driftloop.aws.registry import Registry
from driftloop.ledger import Entry
from driftloop.run import Run

SILENT = ("run-ended", "sweep")  # entries that tell of no event outside, unless something started


def decisions(registry: Registry, model: str) -> list[dict[str, Any]]:
    """Every event that asked for a run, oldest first, with what came of it.

    ``{"time", "kind", "cause", "decision", "reason", "run", "outcome", "version", "text"}``
    """
    runs = {run.run: run for run in registry.runs(model)}
    entries = sorted(registry.ledger(model), key=lambda entry: entry.time)
    told = [e for e in entries if e.decision == "started" or e.kind not in SILENT]
    return [_decision(entry, runs.get(entry.run or "")) for entry in told]


def _decision(entry: Entry, run: Run | None) -> dict[str, Any]:
    started = entry.decision == "started" and run is not None
    return {
        "time": entry.time,
        "kind": entry.kind,
        "cause": entry.cause,
        "decision": entry.decision,
        "reason": entry.reason,
        "run": entry.run,
        "outcome": run.outcome if started and run else None,
        "version": run.version if started and run else None,
        "text": in_words(entry, run if started else None),
    }


def in_words(entry: Entry, run: Run | None) -> str:
    """``drift → trained → version 2 released (log_loss 0.49 against 0.51 …)``."""
    cause = entry.cause or entry.kind
    if run is None:
        return f"{cause}: {entry.decision} ({entry.reason.rstrip('.')})"
    if run.outcome == "failed" or run.error:
        return f"{cause}: trained in vain, {run.error}: {run.message}"
    why = judged(run)
    if run.outcome == "released":
        return f"{cause}: version {run.version} released{why}"
    if run.outcome == "rejected":
        return f"{cause}: trained, and refused{why}"
    return f"{cause}: {run.outcome or run.status.lower()}{why}"


def judged(run: Run) -> str:
    """The gates that decided: those that refused, or the comparison that let pass. The verdict has
    their intervals too."""
    reasons: list[dict[str, Any]] = (run.verdict or {}).get("reasons", [])
    refused = [r["text"] for r in reasons if not r.get("passed")]
    compared = [r["text"] for r in reasons if r.get("gate") == "beats_champion"]
    chosen = [re.sub(r" \([^)]*interval[^)]*\)", "", text) for text in refused or compared]
    return f" ({'; '.join(chosen)})" if chosen else ""


def by_day(decisions: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line a decision; what was held back for the same reason, one after another, in one."""
    lines: list[str] = []
    for same, group in groupby(decisions, key=_held_back):
        made = list(group)
        first, last = (d["time"][5:10] for d in (made[0], made[-1]))
        if same is None or len(made) == 1:
            lines += [f"{d['time'][5:10]} {d['text']}" for d in made]
        else:
            lines.append(f"{first} to {last}, {len(made)} alarms: {same[0]} ({same[1]})")
    return lines


def _held_back(decision: Mapping[str, Any]) -> tuple[str, str] | None:
    if decision["decision"] == "started":
        return None
    # Reasons name their moment after a colon: "… cooling down until 2013-02-10".
    return decision["decision"], decision["reason"].split(":")[0].rstrip(".")
