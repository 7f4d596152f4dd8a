"""`driftloop labels`: hand in what became of served predictions, and see what came of that: which
days are labelled, how many rows of them there are to learn from, which not and why."""

from __future__ import annotations

import gzip
import json as jsonlib
import time
from collections import Counter
from typing import Any

from driftloop import keys
from driftloop.blobs import get_all
from driftloop.errors import NotFound
from driftloop.rejects.quarantine import reasons_in_words, upload_name
from infra.cli import console, rows
from infra.cli.console import moment
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
    joined, days = report["joined"], report["gathered"]
    counts = [f"{joined['labels']:,} labels", f"{joined['matched']:,} found their prediction"]
    if waiting := joined["unmatched"]:
        counts.append(f"{waiting:,} without one, tried again as windows close")
    if rejected := joined["rejected"]:
        counts.append(f"{rejected:,} rejected")
    if again := joined["duplicates"]:
        counts.append(f"{again:,} said twice")
    lines = ["; ".join(counts), f"{sum(day['new'] for day in days):,} rows more to learn from"]
    if reasons := _reasons(days):
        lines.append(f"kept out: {reasons_in_words(reasons)}")
    return "\n".join(f"  {line}" for line in lines)


def overview(deployment: Deployment, model: str, *, json: bool) -> None:
    """Of each day that has labels: predictions labelled, rows to learn from, rows kept out and why;
    and how many labels wait for their prediction."""
    deployment.model(model)
    store, prefix = (
        deployment.store,
        keys.quarantine(model, keys.joined()).removesuffix(".jsonl.gz"),
    )
    named = [key for key in store.list(prefix) if key.endswith(".report.json")]
    days = [jsonlib.loads(data) for _, data in get_all(store, named)]
    held = get_all(store, list(store.list(keys.unmatched_labels(model))))
    waiting = sum(gzip.decompress(data).count(b"\n") for _, data in held)
    arrived = deployment.registry.arrived(model)
    if json:
        return console.as_json({"days": days, "waiting": waiting, "arrived": arrived})
    console.listing(
        f"labels of {model}",
        [{**day, "to learn from": day["accepted"], "kept out": day["rejected"],
          "why": reasons_in_words(day["reasons"])} for day in days],
        ("day", "labelled", "to learn from", "kept out", "why"),
        f"no prediction of {model} is labelled yet: driftloop labels {model} FILE",
    )  # fmt: skip
    if waiting:
        console.out.print(f"{waiting:,} labels wait for their prediction; tried as windows close")
    if arrived:
        console.out.print(f"newest rows to learn from: {moment(arrived.newest)}")
    return None


def _reasons(days: list[Report]) -> Counter[str]:
    return sum((Counter(day["reasons"]) for day in days), Counter[str]())
