"""An execution's history as steps: what ran when, and what came out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ENDS = ("TaskSucceeded", "TaskFailed", "TaskTimedOut", "LambdaFunctionFailed")
QUIET_KINDS = ("Choice", "Pass", "Succeed", "Fail")


@dataclass
class Step:
    """One visit of one state. ``ended`` None: still going on. ``failed``: its last attempt."""

    name: str
    began: datetime
    ended: datetime | None = None
    note: str = ""
    failed: bool = False

    def seconds(self, now: datetime) -> float:
        return ((self.ended or now) - self.began).total_seconds()


def steps(events: Iterable[Mapping[str, Any]]) -> list[Step]:
    """Top-level states in order of entry; what happens inside a Map is counted in its note."""
    found: list[Step] = []
    depth, done, total = 0, 0, 0
    for event in events:
        kind = str(event["type"])
        if kind == "MapStateStarted":
            total = event.get("mapStateStartedEventDetails", {}).get("length", 0)
            done, depth = 0, 1
            if total:  # a distributed Map counts in executions of its own
                _note(found, f"0 of {total}")
        elif kind == "MapIterationSucceeded":
            done += 1
            _note(found, f"{done} of {total}")
        elif kind in ("MapStateSucceeded", "MapStateFailed", "MapStateAborted"):
            depth = 0
            _failed(found, kind != "MapStateSucceeded")
        elif kind in ENDS and not depth:
            _failed(found, kind != "TaskSucceeded")
        elif kind.endswith("StateEntered") and not depth:
            if not kind.startswith(QUIET_KINDS):
                name = event["stateEnteredEventDetails"]["name"]
                found.append(Step(name, event["timestamp"]))
        elif kind.endswith("StateExited") and not depth:
            details = event["stateExitedEventDetails"]
            for step in reversed(found):
                if step.name == details["name"] and step.ended is None:
                    step.ended = event["timestamp"]
                    if not step.failed:
                        step.note = note(step.name, _document(details.get("output"))) or step.note
                    break
    return found


def note(state: str, output: Mapping[str, Any]) -> str:
    """The one thing worth saying of what a state gave."""
    match state:
        case "Divide":
            count = output.get("divided", {}).get("chunks", 0)
            return f"{count:,} chunk{'' if count == 1 else 's'}"
        case "Merge" if "report" in output:
            got = output["report"]
            return f"{got['predicted']:,} of {got['rows']:,} rows predicted"
        case "Ingest" | "Merge":
            if pieces := output.get("ingest", {}).get("pieces"):
                return f"{pieces} pieces to check"
            got = output.get("ingest", {})
            rejected = got.get("rejected", 0)
            kept = f"{got.get('accepted', 0):,} rows"
            return f"{kept}, {rejected:,} in quarantine" if rejected else kept
        case "Prepare":
            got = output.get("frame", {})
            return f"{got.get('train_rows', 0):,} to learn, {got.get('holdout_rows', 0):,} to judge"
        case "ProposeTrials":
            return f"{len(output.get('trials', []))} trials"
        case "ChooseTrial":
            got = output.get("choice", {})
            return f"{got.get('estimator')}, {got.get('metric')} {got.get('score', 0):.4f}"
        case "Train":
            return f"candidate {output.get('candidate', {}).get('candidate', '')}"
        case "Validate":
            got = output.get("verdict", {})
            failed = [r["text"] for r in got.get("reasons", []) if not r.get("passed")]
            return "accepted" if got.get("accepted") else "refused: " + "; ".join(failed)
        case "Register":
            return f"version {output.get('version', {}).get('version')}"
        case "Release" | "ObserveRelease":
            got = output.get("release", {})
            return str(got.get("reason") or got.get("status") or "")
    return ""


def _failed(found: list[Step], failed: bool) -> None:
    if found:
        found[-1].failed = failed


def _note(found: list[Step], text: str) -> None:
    if found:
        found[-1].note = text


def _document(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
