"""`driftloop predict`: send rows of a file to the model's endpoint, print what it answers."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from driftloop.client import Endpoint
from driftloop.plan import Input, load
from infra.cli import console, rows
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.stacks import Deployment

SHOWN = 20


def inputs(deployment: Deployment, model: str) -> tuple[Input, ...]:
    """What the champion takes. Raises Fault while there is none."""
    route = deployment.registry.route(model)
    if route is None:
        raise Fault(f"{model} has no released version yet; upload training data first")
    plan = deployment.store.get(route.champion.key)
    return load(plan, route.champion.sha256).inputs


def predict(
    deployment: Deployment, model: str, file: str, *, json: bool, token: str | None, limit: int
) -> None:
    deployment.model(model)
    kinds = {i.name: str(i.type) for i in inputs(deployment, model)}
    loaded = rows.load(rows.content(file), kinds, file)
    instances = loaded.instances[:limit] if limit else loaded.instances
    if not instances:
        raise Fault(f"{file}: holds no rows", ASKED_WRONGLY)
    with Endpoint(deployment.url(model), token) as endpoint:
        predictions = endpoint.predict(instances)
    if loaded.ignored:
        console.err.print(f"not sent, no features of {model}: {', '.join(loaded.ignored)}",
                          style=console.QUIET)  # fmt: skip
    if json:
        console.as_json({"model": model, "predictions": predictions})
    else:
        _show(model, predictions)


def _show(model: str, predictions: list[dict[str, Any]]) -> None:
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("row", "value", "probability", "version", "id"):
        table.add_column(name)
    for number, p in enumerate(predictions[:SHOWN], 1):
        chance = p.get("probability", p.get("probabilities"))
        cells = (number, p["value"], chance, p["version"], p["id"])
        table.add_row(*(console.shown(cell) for cell in cells))
    console.out.print(table)
    if len(predictions) > SHOWN:
        console.out.print(f"… {len(predictions) - SHOWN:,} more (--json has all)")
