"""What became of a run: from the end of its execution to the words of its record. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from driftloop.event import RunEnd
from driftloop.run import Run

RELEASED = "released"
_OUTCOMES = {"promoted": RELEASED, "rolled_back": "rolled_back"}
_LONGEST = 2000  # characters of a message


def finished(run: Run, end: RunEnd, time: str) -> Run:
    """The record of ``run`` once it has ended: status, outcome, and why in a sentence."""
    ended = replace(run, status=end.status, ended=time)
    if end.status != "SUCCEEDED":
        return replace(
            ended,
            outcome="failed",
            error=end.error or end.status,
            message=_message(end.cause) or _SENTENCES.get(end.status, "the run failed"),
        )
    output = _document(end.output)
    verdict, release, ingest = (output.get(k) or {} for k in ("verdict", "release", "ingest"))
    outcome = _OUTCOMES.get(release.get("status", ""), "finished")
    message = release.get("reason")
    reasons = verdict.get("reasons", [])
    if verdict and not verdict.get("accepted"):
        outcome = "rejected"
        failed = [r.get("text", "") for r in reasons if not r.get("passed")]
        message = "; ".join(failed) or "the gates refused it"
    return replace(
        ended,
        outcome=outcome,
        message=message and message[:_LONGEST],
        verdict={"accepted": verdict["accepted"], "reasons": reasons} if verdict else None,
        version=(output.get("version") or {}).get("version", run.version),
        rows={k: ingest[k] for k in ("accepted", "rejected") if k in ingest} or None,
    )


_SENTENCES = {
    "TIMED_OUT": "the run took longer than its execution may",
    "ABORTED": "the run was stopped by hand",
}


def _document(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(cause: str | None) -> str:
    """A Lambda failure's cause is JSON with the exception's words in ``errorMessage``."""
    words = _document(cause).get("errorMessage", cause)
    return str(words or "")[:_LONGEST]
