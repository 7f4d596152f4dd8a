"""What people are told, so that it can be understood at 3 a.m.: what, why, what now. Pure.

A notice is a subject of at most 100 ASCII characters (SNS refuses others) and a text.
"""

from __future__ import annotations

from driftloop.run import Run

Notice = dict[str, str]


def failed(model: str, run: Run) -> Notice:
    return _notice(
        f"[driftloop] {model}: run failed ({run.error})",
        f"Run {run.run} of model {model} failed at {run.ended}.",
        f"It was started because {run.reason}.",
        f"What went wrong: {run.error}: {run.message}",
        "The version in production was not touched and goes on answering.",
        f"Look at: driftloop runs {model}",
    )


def released(model: str, run: Run) -> Notice:
    return _notice(
        f"[driftloop] {model}: version {run.version} is released",
        f"Version {run.version} of model {model} answers all requests since {run.ended}.",
        f"Run {run.run} made it because {run.reason}.",
        *([f"How it was released: {run.message}"] if run.message else []),
        f"To go back: driftloop rollback {model}",
    )


def rolled_back(model: str, run: Run) -> Notice:
    return _notice(
        f"[driftloop] {model}: version {run.version} was rolled back",
        f"Version {run.version} of model {model} was taken back at {run.ended}.",
        f"Why: {run.message}",
        "The version before it answers all requests.",
        f"Look at: driftloop versions {model}",
    )


def given_up(model: str, cause: str, failures: int, last: Run | None, time: str) -> Notice:
    return _notice(
        f"[driftloop] {model}: {cause} persists, giving up after {failures} runs",
        f"At {time} the {cause} alarm of model {model} still stands, and the last {failures} "
        "runs that it started released nothing.",
        *([f"The last one, {last.run}: {last.outcome}: {last.message}"] if last else []),
        "No more runs are started for drift or performance until a version is released.",
        f"Look at: driftloop drift {model}, driftloop ledger {model}; new labelled data "
        "(driftloop upload) starts a run in any case.",
    )


def _notice(subject: str, *lines: str) -> Notice:
    plain = subject.encode("ascii", "replace").decode()
    return {"subject": plain[:100], "text": "\n".join(lines)}
