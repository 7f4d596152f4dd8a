"""Which AWS the command speaks to: the one of the environment, or the embedded one that runs.

In this order: ``AWS_ENDPOINT_URL`` as exported; the embedded AWS noted in ``.driftloop/`` if it
answers (unless ``--cloud``); AWS itself. The choice goes into this process's environment, where
boto3 and :mod:`driftloop.aws` find it.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

from infra.cli.fault import NOBODY_THERE, Fault

NOTE = Path(".driftloop") / "local.json"
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def environment(endpoint: str) -> dict[str, str]:
    """The variables with which every AWS tool finds the embedded AWS at ``endpoint``."""
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            **CREDENTIALS}  # fmt: skip


def choose(cloud: bool = False) -> str | None:
    """Settle on one AWS; the endpoint of the embedded one, None for AWS itself."""
    if cloud:
        os.environ.pop("AWS_ENDPOINT_URL", None)
        return None
    if "AWS_ENDPOINT_URL" in os.environ:
        return os.environ["AWS_ENDPOINT_URL"]
    note = running()
    if note is None:
        return None
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(environment(note["endpoint"]))
    return str(note["endpoint"])


def running() -> dict[str, Any] | None:
    """The note of the embedded AWS if it answers: ``{"endpoint", "pid", …}``."""
    try:
        note: dict[str, Any] = json.loads(NOTE.read_text())
        ask(note["endpoint"], "health")
    except (OSError, ValueError, KeyError, Fault):
        return None
    return note


def write_note(endpoint: str, **facts: Any) -> None:
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(json.dumps({"endpoint": endpoint, "pid": os.getpid(), **facts}))


def remove_note() -> None:
    NOTE.unlink(missing_ok=True)


def ask(endpoint: str, what: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One of the embedded AWS's own questions (``health``, ``clock``, ``stop`` …)."""
    request = urllib.request.Request(
        f"{endpoint}/_local/{what}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.loads(answer.read() or b"{}")
    except (OSError, ValueError, HTTPException) as error:
        raise Fault(f"no embedded AWS answers at {endpoint} ({error})", NOBODY_THERE) from None
    return found


def now() -> datetime:
    """What time it is where the models live: the embedded AWS may have a clock of its own."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        try:
            return datetime.fromisoformat(ask(endpoint, "clock")["now"])
        except (Fault, KeyError, ValueError):
            pass  # an endpoint that is not ours: it keeps real time
    return datetime.now(UTC)
