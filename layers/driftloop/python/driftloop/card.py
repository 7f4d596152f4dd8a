"""The model card: what a version is, what it learned from, how good it is and where it came from.

After Mitchell et al., "Model Cards for Model Reporting" (2019), as data and as Markdown. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from driftloop.register import State
from driftloop.spec import Spec, format_duration
from driftloop.thresholds import budget
from driftloop.version import Version

Card = dict[str, Any]


def card(version: Version, state: State, spec: Spec, report: Mapping[str, Any]) -> Card:
    """``report``: the whole verdict, as validate kept it; may lack what a narrow one lacks."""
    verdict, frame, ingest = state["verdict"], state["frame"], state.get("ingest") or {}
    return {
        "model": spec.name,
        "version": version.version,
        "created": version.created,
        "description": spec.description,
        "task": spec.task,
        "target": spec.target,
        "key": spec.key,
        "time": spec.time,
        "features": {name: f.model_dump(mode="json") for name, f in spec.features.items()},
        "data": {
            "dataset": version.dataset,
            "parts": ingest.get("parts", []),
            "frame": version.frame,
            "rows": frame["rows"],
            "train_rows": frame["train_rows"],
            "holdout_rows": frame["holdout_rows"],
            "classes": frame.get("classes"),
        },
        "training": {
            "estimator": version.estimator,
            "params": version.params,
            "seed": spec.training.seed,
            "trials": len(state.get("scores") or ()),
            "choice": state.get("choice"),
            "environment": version.environment,
        },
        "quality": {
            "metrics": version.metrics,
            "champion": version.champion_at_birth,
            "champion_metrics": verdict.get("champion_metrics", {}),
            "reasons": verdict["reasons"],
            "slices": report.get("slices", []),
            "importance": report.get("importance", []),
            "interval": report.get("interval"),
        },
        "drift": _drift(spec, state["candidate"].get("windows")),
        "lineage": {
            "run": version.run,
            "cause": version.cause,
            "reason": state.get("reason", ""),
            "plan": version.plan_key,
            "plan_sha256": version.plan_sha256,
            "spec": version.spec_digest,
            "code": version.code_digest,
        },
    }


def _drift(spec: Spec, drawn: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The budget that thresholds keep, and what they were drawn from; None of an older version."""
    if drawn is None:
        return None
    monitor = spec.monitor
    rate = budget.granted(monitor.false_alarms, monitor.window, drawn["support"])
    return {
        "false_alarms": budget.written(rate, monitor.window),
        "asked": monitor.false_alarms,
        "alarm": monitor.alarm,
        "window": format_duration(monitor.window),
        "drawn_from": drawn["how"],
        "windows": drawn["windows"],
    }


def markdown(made: Card) -> str:
    """The card for people to read."""
    data, training, quality = made["data"], made["training"], made["quality"]
    theirs = quality["champion_metrics"]
    beside = f"version {quality['champion']}" if quality["champion"] else ""
    sections = [
        f"# {made['model']}, version {made['version']}",
        made["description"],
        f"Predicts `{made['target']}` ({made['task']}) from {len(made['features'])} features. "
        f"Made on {made['created']} because {made['lineage']['reason']}.",
        "## How good it is",
        "Measured on rows it has not learned from.",
        _table(
            ["metric", "this version", *([beside] if beside else [])],
            (
                [name, _number(value), *([_number(theirs.get(name))] if beside else [])]
                for name, value in sorted(quality["metrics"].items())
            ),
        ),
        "\n".join(f"- {'passed' if r['passed'] else 'FAILED'}: {r['text']}"
                  for r in quality["reasons"]),
        *_interval(quality["interval"]),
        *_slices(quality["slices"]),
        *_importance(quality["importance"]),
        *_watched(made.get("drift")),
        "## What it learned from",
        _table(
            ["", ""],
            [
                ["rows to learn from", f"{data['train_rows']:,}"],
                ["rows to judge by", f"{data['holdout_rows']:,}"],
                ["dataset", f"`{data['dataset']}`"],
            ],
        ),
        "## How it was made",
        _table(
            ["", ""],
            [
                ["estimator", training["estimator"]],
                *([name, str(value)] for name, value in sorted(training["params"].items())),
                ["seed", str(training["seed"])],
                *([name, f"`{made['lineage'][name]}`"]
                  for name in ("run", "plan_sha256", "spec", "code")),
            ],
        ),
        "## Mind",
        "It answers for rows like those it learned from; the monitor says when they have changed. "
        "It was not examined for fairness beyond the slices above.",
    ]  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


def _watched(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    chosen = "as the spec asks" if found["asked"] else "the default"
    if not found["asked"] and found["false_alarms"] != budget.USUAL:
        chosen = f"as few as the training data can tell; {budget.USUAL} is the default"
    drawn = {
        "windows": f"{found['windows']:,} windows",
        "parts of windows": f"parts of {found['windows']:,} windows",
        "runs of rows": f"{found['windows']:,} runs of as many rows as a window needs",
    }.get(
        found["drawn_from"], "rows drawn by chance, which are less unlike each other than windows"
    )
    text = (
        f"Drift alarms in vain {found['false_alarms']} at most ({chosen}), at {found['alarm']} "
        f"windows of {found['window']}. How far windows differ though nothing has changed it knows "
        f"from {drawn} of the training data; of seasons they do not hold it knows nothing."
    )
    return ["## When it says that things have changed", text]


def _interval(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return []
    text = (
        f"In {found['confidence']:.0%} of rows the truth should lie between {found['low']:+.4g} "
        f"and {found['high']:+.4g} of the answer."
    )
    if found["coverage"] is not None:
        text += (
            f" Made so from the earlier half of the holdout, the interval held "
            f"{found['coverage']:.1%} of the later half's {found['coverage_rows']:,} rows."
        )
    return ["## How far it may miss", text]


def _slices(slices: Iterable[Mapping[str, Any]]) -> list[str]:
    rows = [
        [f"{s['column']} = {s['value']}", f"{s['rows']:,}", _number(s["loss"]),
         _number(s.get("champion_loss")), "worse" if s.get("worse") else ""]
        for s in slices
    ]  # fmt: skip
    head = ["slice", "rows", "loss", "champion's loss", ""]
    return ["## Slices", _table(head, rows)] if rows else []


def _importance(found: Iterable[Mapping[str, Any]]) -> list[str]:
    rows = [[i["feature"], _number(i["increase"])] for i in list(found)[:20]]
    head = ["feature", "loss rises by, if it is shuffled"]
    return ["## What it looks at", _table(head, rows)] if rows else []


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(c) for c in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
