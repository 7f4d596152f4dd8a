"""`driftloop labels`: hand in what became of served predictions, and see what came of that."""

from __future__ import annotations

import json as jsonlib
import time
from typing import Any

from driftloop import keys
from driftloop.errors import NotFound
from driftloop.rejects.quarantine import upload_name
from infra.cli import console, rows
from infra.cli.fault import Fault
from infra.cli.follow import PACE, PATIENCE
from infra.cli.stacks import Deployment
from infra.cli.upload import Sent, put

Report = dict[str, Any]


def labels(deployment: Deployment, model: str, files: list[str], *, wait: bool, json: bool) -> int:
    """Put files (``id`` or the spec's key, and the target) under ``labels/<model>/``; with
    ``wait``, say what came of each. Returns the exit code: 1 if one was refused."""
    deployment.model(model)
    told: list[dict[str, Any]] = []
    for path in [rows.existing(file) for file in files]:
        sent = put(deployment, keys.label_file(model, path.name), path)
        if not json:
            console.out.print(f"[bold]{path.name}[/] → {sent.key}")
        report = _taken_in(deployment, model, sent) if wait else None
        told.append({**vars(sent), "report": report})
        if report and not json:
            console.out.print(_said(report), markup=False, soft_wrap=True)
    if json:
        console.as_json(told)
    return int(any(one["report"] and one["report"]["error"] for one in told))


def _taken_in(deployment: Deployment, model: str, sent: Sent) -> Report:
    """The report of a file, once there is one. Raises Fault when there is none for long."""
    name, began = upload_name(sent.bucket, sent.key, sent.version), time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            found: Report = jsonlib.loads(deployment.store.get(keys.ingest_report(model, name)))
            return found
        except NotFound:
            time.sleep(PACE)
    raise Fault(f"after {PATIENCE:.0f} s nobody began with {sent.file.name}")


def _said(report: Report) -> str:
    if error := report["error"]:
        return f"  refused {error['name']}: {error['message']}"
    joined = report["joined"]
    counts = [f"{joined['labels']:,} labels", f"{joined['matched']:,} found their prediction"]
    if waiting := joined["unmatched"]:
        counts.append(f"{waiting:,} without one, kept for the next file")
    if rejected := joined["rejected"]:
        counts.append(f"{rejected:,} rejected")
    return "  " + "; ".join(counts)
