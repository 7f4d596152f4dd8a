"""`driftloop report`: what an upload or a dataset looks like, as a page and in a few sentences."""

from __future__ import annotations

import json as json_

from rich.markup import escape

from driftloop import keys
from driftloop.errors import NotFound
from infra.cli import console
from infra.cli.datasets import SHORT, named
from infra.cli.fault import Fault
from infra.cli.quarantine import chosen
from infra.cli.rows import writable
from infra.cli.stacks import Deployment


def show(
    deployment: Deployment,
    model: str,
    dataset: str,
    *,
    upload: str | None,
    out: str | None,
    json: bool,
) -> None:
    """Write the page to a file and say what to look at; with ``json`` print the profile."""
    of, name = "datasets", ""
    if upload is None:
        name = named(deployment, model, dataset).digest
    else:
        of, name = "uploads", chosen(deployment, model, upload)[-1].upload
    try:
        profile = json_.loads(deployment.store.get(keys.profile(model, of, name, "json")))
        page = deployment.store.get(keys.profile(model, of, name, "html"))
    except NotFound:
        raise Fault(
            f"there is no profile of {of[:-1]} {name[:SHORT]}: "
            + ("it could not be read" if upload else "no run has taken it up yet")
        ) from None
    if json:
        return console.as_json(profile)
    path = writable(out or f"{model}-{of[:-1]}-{name[:SHORT]}.html")
    path.write_bytes(page)
    for finding in profile["findings"]:
        console.out.print(
            f"[yellow]{finding['rule']}[/]  {escape(finding['text'])}", soft_wrap=True
        )
    if not profile["findings"]:
        console.out.print("nothing to look at: no warning")
    console.out.print(f"{of[:-1]} {name[:SHORT]} → {path}", soft_wrap=True)
    return None
