"""What happened, as data: from the answers, the registry and the monitor's reports alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from driftloop.spec import Spec, format_duration
from infra.cli import reports
from infra.cli.demo.decisions import decisions
from infra.cli.demo.january import January, log_loss
from infra.cli.demo.serve import Answer, begins
from infra.cli.demo.world import World
from infra.local.deployed import Deployed
from infra.local.permissions import check

Story = dict[str, Any]


def story(stage: World, spec: Spec, answers: Sequence[Answer], seconds: float) -> Story:
    """The document behind the table, the picture, the report and ``--json``.

    Losses are mean log losses of the answers that were really given, beside those that version 1
    would have given to the same flights.
    """
    registry, january = stage.deployment.registry, January(stage.deployment, spec)
    windows = reports.by_window(reports.read(stage.deployment.store, spec.name))
    decided = decisions(registry, spec.name)
    days = [
        {"day": day.isoformat(), **_measured(list(of_day), january), **_watched(windows, day)}
        for day, of_day in groupby(answers, key=lambda a: a.flight.day)
    ]
    months = []
    for month, of_month in groupby(answers, key=lambda a: f"{a.flight.day:%Y-%m}"):
        mine = list(of_month)
        first, last = begins(mine[0].flight.day), begins(mine[-1].flight.day + timedelta(days=1))
        inside = [d for d in days if d["day"].startswith(month)]
        months.append(
            {
                "month": month,
                **_measured(mine, january),
                "drift": _largest(d["drift"] for d in inside),
                "days_drifted": sum((d["drift"] or 0) > 1 for d in inside),
                "performance": _largest(d["performance"] for d in inside),
                "days_worse": sum((d["performance"] or 0) > 1 for d in inside),
                # The last night's monitor and what it sets off belong to the month it judged.
                "decisions": [d for d in decided if first < _at(d["time"]) <= last
                              + timedelta(hours=1)],
            }
        )  # fmt: skip
    return {
        "model": spec.name,
        "description": spec.description,
        "window": format_duration(spec.monitor.window),
        "seconds": round(seconds, 1),
        "took": {name: round(value, 1) for name, value in stage.took.items()},
        "total": _measured(answers, january),
        "months": months,
        "days": days,
        "decisions": decided,
        "versions": [asdict(v) for v in sorted(registry.versions(spec.name),
                                               key=lambda v: v.version)],
        "calls": _calls(stage),
    }  # fmt: skip


def month_line(name: str, answers: Sequence[Answer], january: January) -> str:
    """A month in a line, as soon as it is over."""
    found = _measured(answers, january)
    versions = " → ".join(f"v{v}" for v in found["versions"])
    return (
        f"  {name:9} {found['flights']:>6,} flights  log loss [bold]{found['log_loss']:.4f}[/] "
        f"(January's {found['january_log_loss']:.4f})  by {versions}"
    )


def _measured(answers: Sequence[Answer], january: January) -> dict[str, Any]:
    truths = [a.flight.late for a in answers]
    return {
        "flights": len(answers),
        "late": sum(truths) / len(truths),
        "versions": {str(v): n for v, n in Counter(a.version for a in answers).items()},
        "log_loss": log_loss(truths, [a.chance for a in answers]),
        "january_log_loss": log_loss(truths, january.chances([a.flight for a in answers])),
    }


def _watched(windows: list[reports.Report], day: Any) -> dict[str, Any]:
    """What the monitor said of the window most of this day's flights fell into."""
    mid = datetime(day.year, day.month, day.day, 16, tzinfo=UTC)
    inside = [w for w in windows if _at(w["window"]["start"]) <= mid < _at(w["window"]["end"])]
    if not inside:
        return {"drift": None, "performance": None, "moved": [], "kind": None, "said": None}
    report = inside[0]
    moved = [n for n in report["ranked"] if report["features"][n]["ratio"] > 1]
    return {
        "drift": report["drift_ratio"],
        "performance": report["performance"]["ratio"],
        "moved": moved,
        "kind": report["diagnosis"] and report["diagnosis"]["kind"],
        "said": report["text"],
    }


def _calls(stage: World) -> dict[str, Any]:
    """Every AWS call that was made, against the policies of the role that made it."""
    calls = stage.local.calls()
    policies = Deployed(stage.local.account, stage.local.region).policies()
    roles = {call.caller for call in calls if ":role/" in call.caller}
    denied = [str(finding) for finding in check(calls, policies)]
    return {"different": len(calls), "roles": len(roles), "denied": denied}


def _largest(values: Any) -> float | None:
    return max((v for v in values if v is not None), default=None)


def _at(iso: str) -> datetime:
    return datetime.fromisoformat(iso)
