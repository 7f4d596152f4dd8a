"""A million rows scored by the deployed loop, one chunk failing twice: the bytes, and the cost.

    python tests/bench/batch.py [--rows 1000000] [--json FILE]

The flights of 2013, as often as it takes, go to ``batch/flights/`` of an embedded AWS whose
champion was trained on January; the process that scores the second chunk is killed twice. What
comes out is held against a single pass over the file in one process.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import re
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from driftloop import keys
from driftloop.aws.clients import client
from driftloop.batch.asked import Batch
from driftloop.batch.steps import Work
from driftloop.rejects.quarantine import upload_name
from driftloop.spec import Spec
from infra.cli.demo.play import upload_january
from infra.cli.demo.serve import begins
from infra.cli.demo.world import World, world
from infra.cli.synth import EXAMPLE, ROOT
from infra.cli.upload import put
from infra.local.lambdas import InvokeResult

Figures = dict[str, Any]


def write(path: Path, rows: int, target: str) -> None:
    """Label-less flights with keys of their own; one in ten thousand has no hour."""
    months = sorted((ROOT / "examples" / "flights").glob("*.csv.gz"))
    done = 0
    with path.open("w", newline="") as file:
        writer: Any = None
        while done < rows:
            for month in months:
                with gzip.open(month, "rt", newline="") as text:
                    for row in csv.DictReader(text):
                        if done == rows:
                            return
                        del row[target]
                        row["flight_id"] = f"{row['flight_id']}-{done}"
                        if done % 10_000 == 4_321:
                            row["hour"] = "noon"
                        if writer is None:
                            writer = csv.DictWriter(file, list(row), lineterminator="\n")
                            writer.writeheader()
                        writer.writerow(row)
                        done += 1


def deployed(stage: World, path: Path) -> tuple[str, Figures]:
    """Put the file, let chunk 1 be killed twice, wait; the batch's name and what it took."""
    tries: Counter[int] = Counter()
    run = stage.local.lambdas.run
    killed = json.dumps({"errorType": "Runtime.ExitError", "errorMessage": "signal: killed"})

    def flaky(function: Any, payload: bytes, request_id: str, *more: Any, **how: Any) -> Any:
        event = json.loads(payload or b"{}")
        if isinstance(event, dict) and event.get("op") == "score":
            number = event["item"]["chunk"]
            tries[number] += 1
            if number == 1 and tries[number] <= 2:
                return InvokeResult(killed.encode(), "Unhandled", request_id, "")
        return run(function, payload, request_id, *more, **how)

    stage.local.lambdas.run = flaky  # type: ignore[method-assign]
    began = time.monotonic()
    sent = put(stage.deployment, keys.batch_file("flights", path.name), path)
    stage.local.wait_idle(1800)
    took = time.monotonic() - began
    name = upload_name(sent.bucket, sent.key, sent.version)
    used = [
        int(found)
        for event in _log("/driftloop/dev/flights/batch")
        for found in re.findall(r"Max Memory Used: (\d+) MB", event)
    ]
    return name, {"seconds": took, "chunks": len(tries), "tries": tries.total(),
                  "MiB of one process": max(used, default=0)}  # fmt: skip


def _log(group: str) -> list[str]:
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"]]


def single(stage: World, name: str, path: Path, spec: Spec) -> tuple[dict[str, str], Figures]:
    """One pass over the file in this process: SHA-256 of what it gives, and what it took."""
    sys.path.insert(0, str(ROOT))
    from tests.driftloop.memory import Memory

    machine = stage.deployment.models["flights"]["BatchMachineArn"]
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    given = client("stepfunctions").describe_execution(executionArn=execution)
    if given["status"] != "SUCCEEDED":
        raise SystemExit(f"the batch {given['status']}: {given.get('cause')}")
    batch = Batch.from_json(json.loads(given["input"])["batch"])
    store, landing = Memory(), Memory()
    landing.objects[batch.file.key] = path.read_bytes()
    store.objects[batch.served.key] = stage.deployment.store.get(batch.served.key)
    work = Work(store, landing, spec)
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        divided = work.divide(batch, "", 1 << 40)
        work.score(batch, divided["folder"], 0, Path(folder))
        work.merge(batch, divided["folder"], Path(folder))
    took = time.monotonic() - began
    prefix = keys.predictions("flights", name)
    found = {k: _sha(v) for k, v in store.objects.items() if k.startswith(prefix)}
    return found, {"seconds": took, "chunks": divided["chunks"]}


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    console, spec = Console(), Spec.load(ROOT / EXAMPLE)
    with TemporaryDirectory() as folder, world(begins(date(2013, 2, 1))) as stage:
        path = Path(folder) / "flights.csv"
        write(path, options.rows, spec.target)
        upload_january(stage, spec)
        name, chunked = deployed(stage, path)
        once, single_pass = single(stage, name, path, spec)
        store = stage.deployment.store
        left = {key: _sha(store.get(key)) for key in store.list(keys.predictions("flights", name))}
        report = json.loads(store.get(keys.predictions("flights", name, "report.json")))
    found = {
        "rows": report["rows"], "predicted": report["predicted"], "rejected": report["rejected"],
        "MiB of text": round(report["file"]["size"] / (1 << 20), 1),
        "in chunks": chunked, "in one pass": single_pass, "same bytes": left == once,
    }  # fmt: skip
    console.print_json(data=found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    if not found["same bytes"]:
        raise SystemExit("what came of the chunks is not what one pass gives")


if __name__ == "__main__":
    main()
