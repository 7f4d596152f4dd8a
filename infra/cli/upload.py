"""`driftloop upload`: put files where the loop looks for them, and watch what it makes of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from driftloop import keys
from driftloop.aws.clients import client
from driftloop.uploads.upload import MANIFEST, MARKER
from infra.cli import console, rows
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.follow import Follow, Outcome
from infra.cli.stacks import Deployment

LARGEST_PUT = 5 << 30  # bytes that S3 takes in one request


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
    """Put a file under ``incoming/<model>/``, or several as one upload in a folder of their own,
    its marker last; with ``wait``, follow the run to its end and return its outcome."""
    deployment.model(model)
    found = [rows.existing(file) for file in files]
    sent = [
        _put(deployment, key, path, quiet=json)
        for key, path in zip(_keys(model, found), found, strict=True)
    ]
    last = sent[-1]
    if len(sent) > 1:
        key = f"{last.key.rpartition('/')[0]}/{MARKER}"
        version = _versioned(client("s3").put_object(Bucket=last.bucket, Key=key, Body=b""))
        last = Sent(Path(MARKER), last.bucket, key, version, 0)
        if not json:
            console.out.print(f"{len(sent)} files are one upload → {key}")
    if not wait:
        if json:
            console.as_json(last)
        return None
    outcome = Follow(deployment, model, quiet=json).upload(last.bucket, last.key, last.version)
    if json:
        console.as_json(outcome)
    return outcome


def put(deployment: Deployment, key: str, path: Path) -> Sent:
    """One object, at the version S3 gave it."""
    bucket, size, s3 = deployment.platform["LandingBucket"], path.stat().st_size, client("s3")
    if size > LARGEST_PUT:
        s3.upload_file(str(path), bucket, key)
        version = _versioned(s3.head_object(Bucket=bucket, Key=key))
    else:
        with path.open("rb") as body:
            version = _versioned(s3.put_object(Bucket=bucket, Key=key, Body=body))
    return Sent(path, bucket, key, version, size)


def _put(deployment: Deployment, key: str, path: Path, *, quiet: bool) -> Sent:
    sent = put(deployment, key, path)
    if not quiet:
        console.out.print(f"[bold]{path.name}[/] {sent.size / 1024:,.0f} KiB → {key}")
    return sent


def _keys(model: str, found: list[Path]) -> list[str]:
    """Where each file goes: several into a folder named by what they hold. Raises Fault."""
    if len(found) == 1:
        return [keys.incoming(model, found[0].name)]
    for name, times in Counter(path.name for path in found).items():
        if times > 1:
            raise Fault(f"{times} files are named {name}; rename one of them", ASKED_WRONGLY)
        if name.startswith(("_", ".")) or name.endswith(MANIFEST):
            raise Fault(f"{name}: a file of that name is no data in a folder", ASKED_WRONGLY)
    content = hashlib.sha256()
    for path in sorted(found):
        with path.open("rb") as body:
            content.update(hashlib.file_digest(body, "sha256").digest())
    folder = f"together-{content.hexdigest()[:12]}"
    return [keys.incoming(model, f"{folder}/{path.name}") for path in found]


def _versioned(answer: dict[str, str]) -> str:
    return answer.get("VersionId", "")
