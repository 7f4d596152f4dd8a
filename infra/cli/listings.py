"""`driftloop runs`, `versions`: what the registry remembers."""

from __future__ import annotations

from itertools import islice
from typing import Any

from driftloop.run import Run
from infra.cli import console
from infra.cli.console import moment
from infra.cli.stacks import Deployment


def runs(deployment: Deployment, model: str, *, limit: int, json: bool) -> None:
    """Newest first."""
    deployment.model(model)
    found = deployment.registry.runs(model)[:limit]
    if json:
        return console.as_json(found)
    return console.listing(
        f"runs of {model}",
        [_run(run) for run in found],
        ("started", "run", "outcome", "version", "rows", "why"),
        f"{model} has had no run yet; upload training data to start one",
    )


def _run(run: Run) -> dict[str, Any]:
    rows = run.rows or {}
    refused = [r["text"] for r in (run.verdict or {}).get("reasons", []) if not r.get("passed")]
    quarantined = f" ({rows['rejected']:,} quarantined)" if rows.get("rejected") else ""
    why = f"{run.error}: {run.message}" if run.error else "; ".join(refused) or run.reason
    return {
        "started": moment(run.started),
        "run": run.run,
        "outcome": run.outcome or run.status.lower(),
        "version": run.version,
        "rows": f"{rows['accepted']:,}{quarantined}" if rows.get("accepted") else None,
        "why": why,
    }


def versions(deployment: Deployment, model: str, *, limit: int, json: bool) -> None:
    """Newest first; which one serves."""
    deployment.model(model)
    found = list(islice(deployment.registry.versions(model), limit))
    route = deployment.registry.route(model)
    served = {route.champion.version: "champion"} if route else {}
    if route and route.challenger:
        served[route.challenger.version] = f"challenger {route.share:.0%}"
    if json:
        return console.as_json([{**vars(v), "role": served.get(v.version)} for v in found])
    return console.listing(
        f"versions of {model}",
        [
            {
                "version": v.version,
                "serves": served.get(v.version),
                "created": moment(v.created),
                "cause": v.cause,
                "estimator": v.estimator,
                "metrics": v.metrics,
                "run": v.run,
            }
            for v in found
        ],
        ("version", "serves", "created", "cause", "estimator", "metrics", "run"),
        f"{model} has no version yet",
    )
