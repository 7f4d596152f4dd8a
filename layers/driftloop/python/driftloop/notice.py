"""What people are told, so that it can be understood at 3 a.m.: what, since when, how bad, what was
done, what to look at. Pure.

A notice is a subject of at most 100 ASCII characters (SNS refuses others) and a text.
"""

from __future__ import annotations

from typing import Any

from driftloop.breaker import Breaker
from driftloop.run import Run
from driftloop.watch import Watch

Notice = dict[str, str]

_KINDS = {
    "unit_bug": "a unit has changed",
    "missing_source": "a source is missing",
    "new_category": "new categories",
    "population_shift": "a population shift",
    "calibration_shift": "a calibration shift",
    "concept_shift": "a concept shift",
    "bad_release": "a bad release",
}
_HELD = {
    "quarantine": "Mend it where the data comes from: rows of these windows stay out of training.",
    "tell": "Mend it where the data comes from, or learn it as it is: driftloop retrain {model}",
}


def trouble(
    model: str, cause: str, watch: Watch, why: str, mode: str | None, back: int | None
) -> Notice:
    """Something is wrong. ``why`` no run was started, or the ``mode`` of the one that was;
    ``back``: the version that answers again."""
    kind, action, since = watch.kind or cause, str(watch.action), watch.since or watch.window
    look = [f"driftloop drift {model} --window {watch.window[:10]}"]
    if back is not None:
        did = f"rolled back to version {back}"
        done = f"Version {back} answers all requests again, instead of version {watch.version}."
        look.append(f"driftloop rollback {model} --to {watch.version}   (to undo it)")
    elif mode is not None:
        did = "recalibrating" if mode == "recalibrate" else "retraining"
        done = (
            f"A run was started to {'recalibrate' if mode == 'recalibrate' else 'retrain'} the "
            "model from the labelled rows; you hear how it ends."
        )
        look.append(f"driftloop runs {model}")
    else:
        did = "look at it" if action in _HELD or action == "roll_back" else "no run"
        done = f"{'Nothing' if action == 'roll_back' else 'No run was started'}: {why}."
        look.append(f"driftloop ledger {model}")
    return _notice(
        f"[driftloop] {model}: {_KINDS.get(kind, kind)} since {since[:10]}, {did}",
        f"What: {watch.text or f'the {cause} alarm went off, and nothing tells why.'}",
        *([f"Besides: {watch.besides}"] if watch.besides else []),
        f"Since: {_moment(since)}; judged until {_moment(watch.end)}.",
        f"How bad: {_ratios(watch)}.",
        f"Done: {done}",
        *([f"To do: {_HELD[action].format(model=model)}"] if action in _HELD else []),
        *_look(look),
    )


def failed(model: str, run: Run) -> Notice:
    return _notice(
        f"[driftloop] {model}: run failed ({run.error})",
        f"What: Run {run.run} of model {model} failed: {run.error}: {run.message}",
        f"Since: {_moment(run.ended)}; it was started because {run.reason}.",
        "How bad: The version in production was not touched and goes on answering.",
        *_look([f"driftloop runs {model}", f"driftloop ledger {model}"]),
    )


def rejected(model: str, run: Run) -> Notice:
    """Of a run that an alarm started."""
    return _notice(
        f"[driftloop] {model}: nothing better was found for the {run.cause} alarm",
        f"What: What run {run.run} of model {model} made was rejected: {run.message}",
        f"Since: {_moment(run.ended)}; it was started because {run.reason}.",
        "How bad: The version in production goes on answering.",
        "Done: While the alarm stands, it is tried again when new labelled rows have come, until "
        "enough was tried (retrain.give_up_after).",
        *_look([f"driftloop runs {model}", f"driftloop drift {model}"]),
    )


def released(model: str, run: Run) -> Notice:
    return _notice(
        f"[driftloop] {model}: version {run.version} is released",
        f"What: Version {run.version} of model {model} answers all requests.",
        f"Since: {_moment(run.ended)}; run {run.run} made it because {run.reason}.",
        *([f"How it was released: {run.message}"] if run.message else []),
        *_look([f"driftloop versions {model}", f"driftloop rollback {model}   (to go back)"]),
    )


def rolled_back(model: str, run: Run) -> Notice:
    return _notice(
        f"[driftloop] {model}: version {run.version} was rolled back",
        f"What: Version {run.version} of model {model} was taken back: {run.message}",
        f"Since: {_moment(run.ended)}; run {run.run} made it because {run.reason}.",
        "Done: The version before it answers all requests.",
        *_look([f"driftloop versions {model}", f"driftloop ledger {model}"]),
    )


def given_up(model: str, cause: str, breaker: Breaker, watch: Watch | None, time: str) -> Notice:
    """The alarm stands, and its runs came to nothing."""
    runs = "the last run" if breaker.fruitless == 1 else f"the last {breaker.fruitless} runs"
    since = watch.since if watch and watch.since else breaker.last
    return _notice(
        f"[driftloop] {model}: {cause} persists, giving up after {breaker.fruitless} "
        f"run{'' if breaker.fruitless == 1 else 's'}",
        f"What: The {cause} alarm of model {model} still stands, and {runs} of alarms released "
        "nothing.",
        *([f"The last one, {breaker.outcome}"] if breaker.outcome else []),
        *([f"It is about: {watch.text}"] if watch and watch.text else []),
        f"Since: {_moment(since)}; given up at {_moment(time)}.",
        *([f"How bad: {_ratios(watch)}."] if watch else []),
        "Done: No more runs are started for drift or performance until a version is released or "
        "you ask for a run. You are not told again.",
        *_look([f"driftloop drift {model}", f"driftloop ledger {model}",
                f"driftloop retrain {model}   (to try again)"]),
    )  # fmt: skip


def _ratios(watch: Watch) -> str:
    named = {"drift": watch.drift_ratio, "performance": watch.performance_ratio}
    return ", ".join(f"{name} {_times(ratio, watch.windows)}" for name, ratio in named.items())


def _times(ratio: Any, windows: str) -> str:
    if ratio is None:
        return "not known yet"
    said = f"{float(ratio):,.1f} times its threshold"
    if not windows:
        return said
    return f"at least {said} in {windows.replace(' of ', ' of the last ')} windows"


def _moment(iso: str | None) -> str:
    """``2013-02-01T10:00:00.000Z`` → ``2013-02-01 10:00 UTC``."""
    return f"{iso[:16].replace('T', ' ')} UTC" if iso else "now"


def _look(commands: list[str]) -> list[str]:
    return ["Look at:", *(f"  {command}" for command in commands)]


def _notice(subject: str, *lines: str) -> Notice:
    plain = subject.encode("ascii", "replace").decode()
    return {"subject": plain[:100], "text": "\n".join(lines)}
