"""`driftloop upload`: put files where the loop looks for them, and watch what it makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from driftloop import keys
from driftloop.aws.clients import client
from infra.cli import console, rows
from infra.cli.follow import Follow, Outcome
from infra.cli.stacks import Deployment


@dataclass(frozen=True)
class Sent:
    """An object as S3 took it."""

    file: Path
    bucket: str
    key: str
    version: str
    size: int


def upload(
    deployment: Deployment, model: str, files: list[str], *, wait: bool, json: bool
) -> Outcome | None:
    """Put each file under ``incoming/<model>/``; with ``wait``, follow the runs to their end.

    Returns the outcome of the last run.
    """
    deployment.model(model)
    found = [rows.existing(file) for file in files]
    outcome: Outcome | None = None
    for path in found:
        sent = put(deployment, keys.incoming(model, path.name), path)
        if not json:
            console.out.print(f"[bold]{path.name}[/] {sent.size / 1024:,.0f} KiB → {sent.key}")
        if wait:
            outcome = Follow(deployment, model, quiet=json).upload(
                sent.bucket, sent.key, sent.version
            )
        elif json:
            console.as_json(sent)
    if json and wait:
        console.as_json(outcome)
    return outcome


def put(deployment: Deployment, key: str, path: Path) -> Sent:
    """One object, at the version S3 gave it."""
    bucket = deployment.platform["LandingBucket"]
    with path.open("rb") as body:
        answer = client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return Sent(path, bucket, key, answer.get("VersionId", ""), path.stat().st_size)
