"""`driftloop labels`: hand in what became of served predictions."""

from __future__ import annotations

from driftloop import keys
from infra.cli import console, rows
from infra.cli.stacks import Deployment
from infra.cli.upload import Sent, put


def labels(deployment: Deployment, model: str, files: list[str], *, json: bool) -> None:
    """Put CSV files (``id`` or the spec's key, and the target) under ``labels/<model>/``."""
    deployment.model(model)
    found = [rows.existing(file) for file in files]
    sent: list[Sent] = []
    for path in found:
        sent.append(put(deployment, keys.label_file(model, path.name), path))
        if not json:
            console.out.print(f"[bold]{path.name}[/] → {sent[-1].key}")
    if json:
        console.as_json(sent)
    else:
        console.out.print(f"They count at the next window: `driftloop drift {model}`",
                          style=console.QUIET)  # fmt: skip
