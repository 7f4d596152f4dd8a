"""`driftloop batch`: put a file where the loop scores it, watch, fetch what came of it."""

from __future__ import annotations

import json as jsonlib
import time
from pathlib import Path
from typing import Any

from driftloop import keys
from driftloop.aws.clients import client
from driftloop.aws.store import Store
from driftloop.errors import NotFound
from driftloop.rejects.quarantine import upload_name
from infra.cli import console, rows
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.follow import PACE, PATIENCE, line
from infra.cli.history import steps
from infra.cli.stacks import Deployment
from infra.cli.upload import put

SHOWN = 3  # rejects
Report = dict[str, Any]


def batch(
    deployment: Deployment, model: str, file: str, *, out: Path | None, wait: bool, json: bool
) -> int:
    """Put the file under ``batch/<model>/``; with ``wait``, fetch predictions and rejects. Returns
    the exit code."""
    machine = deployment.model(model).get("BatchMachineArn")
    if machine is None:
        raise Fault(f"{model} was deployed before files could be scored; deploy it again")
    path = rows.existing(file)
    if path.name.startswith(("_", ".")):
        raise Fault(f"{path.name}: a file of that name is not taken for data", ASKED_WRONGLY)
    sent = put(deployment, keys.batch_file(model, path.name), path)
    name = upload_name(sent.bucket, sent.key, sent.version)
    where = f"s3://{deployment.store.bucket}/{keys.predictions(model, name)}"
    if not wait:
        if json:
            console.as_json({"batch": name, "results": where})
        else:
            console.out.print(f"batch {name}; its results go to {where}", soft_wrap=True)
        return 0
    report = _followed(deployment, model, name, machine, quiet=json)
    if report["error"] is None:
        target = out or Path(f"{_stem(path.name)}.predictions.{report['format']}")
        report["out"] = _fetched(deployment.store, report, target)
    if json:
        console.as_json(report)
    else:
        _tell(report, where)
    return 0 if report["error"] is None and report["predicted"] else 1


def _followed(
    deployment: Deployment, model: str, name: str, machine: str, *, quiet: bool
) -> Report:
    """The batch's report, once there is one. Raises Fault where there will be none."""
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    functions = client("stepfunctions")
    began, told = time.monotonic(), 0
    while True:
        try:
            found = functions.describe_execution(executionArn=execution)
        except functions.exceptions.ExecutionDoesNotExist:
            if (report := _report(deployment.store, model, name)) is not None:
                return report  # it was refused at once
            if time.monotonic() - began > PATIENCE:
                raise Fault(f"after {PATIENCE:.0f} s nobody began with it") from None
        else:
            pages = functions.get_paginator("get_execution_history").paginate(
                executionArn=execution, includeExecutionData=True
            )
            done = [s for s in steps(e for page in pages for e in page["events"]) if s.ended]
            for step in () if quiet else done[told:]:
                console.out.print(line(step), soft_wrap=True)
            told = len(done)
            if found["status"] not in ("RUNNING", "PENDING_REDRIVE"):
                if (report := _report(deployment.store, model, name)) is not None:
                    return report
                raise Fault(
                    f"{found['status'].lower()} {found.get('error', '')}: "
                    f"{found.get('cause', '')[:300]}\nWhat was scored is kept; go on with: "
                    f"aws stepfunctions redrive-execution --execution-arn {execution}"
                )
        time.sleep(PACE)


def _report(store: Store, model: str, name: str) -> Report | None:
    try:
        found: Report = jsonlib.loads(store.get(keys.predictions(model, name, "report.json")))
    except NotFound:
        return None
    return found


def _fetched(store: Store, report: Report, predictions: Path) -> dict[str, str]:
    """Predictions and rejects on this machine, side by side."""
    found = {"predictions": predictions}
    if report["rejects"]:
        base = _stem(predictions.name).removesuffix(".predictions")
        found["rejects"] = predictions.with_name(f"{base}.rejects.jsonl.gz")
    for what, path in found.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with store.open(report[what]) as source, path.open("wb") as target:
            while data := source.read(1 << 20):
                target.write(data)
    return {what: str(path) for what, path in found.items()}


def _tell(report: Report, where: str) -> None:
    if report["error"]:
        error = report["error"]
        console.out.print(f"[red]refused[/] {error['name']}: ", end="")
        console.out.print(error["message"], markup=False, soft_wrap=True)
        return
    out, rejected = report["out"], report["rejected"]
    console.out.print(f"{report['predicted']:,} of {report['rows']:,} rows predicted by version "
                      f"{report['version']} → [bold]{out['predictions']}[/]")  # fmt: skip
    if rejected:
        console.out.print(f"{rejected:,} rejected → [bold]{out['rejects']}[/]")
        for reject in report["examples"][:SHOWN]:
            said = " ".join(filter(None, (reject["field"], reject["reason"])))
            console.out.print(f"  line {reject['line']}: {said}", markup=False, soft_wrap=True)
    console.out.print(f"all of it: {where}", style=console.QUIET, soft_wrap=True)


def _stem(name: str) -> str:
    """``rows.csv.gz`` → ``rows``."""
    for suffix in (".gz", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"):
        name = name.removesuffix(suffix)
    return name
