"""`driftloop predict`: send rows of a file to the model's endpoint, print what it answers."""

from __future__ import annotations

import json as jsonlib
from typing import Any

from rich.table import Table

from driftloop.client import Endpoint
from driftloop.interface import Interface
from infra.cli import console, rows
from infra.cli.fault import ASKED_WRONGLY, Fault
from infra.cli.stacks import Deployment

SHOWN = 20


def interface(deployment: Deployment, model: str) -> Interface:
    """What the champion takes. Raises Fault while there is none."""
    route = deployment.registry.route(model)
    if route is None:
        raise Fault(f"{model} has no released version yet; upload training data first")
    version = deployment.registry.version(model, route.champion.version)
    card = jsonlib.loads(deployment.store.get(version.card_key))
    return Interface.of(deployment.store.get(version.plan_key), card)


def predict(
    deployment: Deployment, model: str, file: str, *, json: bool, token: str | None, limit: int
) -> None:
    deployment.model(model)
    taken = interface(deployment, model)
    kinds = {i.name: str(i.type) for i in taken.inputs}
    loaded = rows.load(
        rows.content(file), kinds, file, tuple(filter(None, (taken.key, taken.time)))
    )
    instances = loaded.instances[:limit] if limit else loaded.instances
    if not instances:
        raise Fault(f"{file}: holds no rows", ASKED_WRONGLY)
    with Endpoint(deployment.url(model), token) as endpoint:
        predictions = endpoint.predict(instances)
    if loaded.ignored:
        console.err.print(f"not sent, {model} does not take them: {', '.join(loaded.ignored)}",
                          style=console.QUIET)  # fmt: skip
    if json:
        console.as_json({"model": model, "predictions": predictions})
    else:
        _show(predictions)


def _show(predictions: list[dict[str, Any]]) -> None:
    sure = next((p["interval"]["confidence"] for p in predictions if "interval" in p), None)
    beside = "probability" if sure is None else f"{sure:.0%} interval"
    table = Table(header_style="bold", box=None, pad_edge=False)
    for name in ("row", "value", beside, "version", "id"):
        table.add_column(name)
    for number, p in enumerate(predictions[:SHOWN], 1):
        cells = (number, p["value"], _beside(p), p["version"], p["id"])
        table.add_row(*(console.shown(cell) for cell in cells))
    console.out.print(table)
    if len(predictions) > SHOWN:
        console.out.print(f"… {len(predictions) - SHOWN:,} more (--json has all)")


def _beside(prediction: dict[str, Any]) -> Any:
    """How sure the value is: a probability, each class's, or the ends of an interval."""
    if within := prediction.get("interval"):
        return f"{console.shown(within['low'])} to {console.shown(within['high'])}"
    return prediction.get("probability", prediction.get("probabilities"))
