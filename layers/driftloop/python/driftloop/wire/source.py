"""Route and plans from the registry and the store: see ``driftloop.serving.Source``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftloop import keys
from driftloop.errors import IntegrityError
from driftloop.route import Route
from driftloop.wire.calls import get_item, get_object
from driftloop.wire.client import Client

if TYPE_CHECKING:
    from driftloop.aws.settings import Settings


@dataclass(frozen=True)
class Source:
    settings: Settings
    client: Client

    def route(self, budget: float) -> Route | None:
        table, pk = self.settings.table, keys.model_pk(self.settings.model)
        item = get_item(self.client, table, pk, keys.ROUTE, budget)
        try:
            return Route.from_item(item) if item else None
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(f"the route in the registry is malformed: {error!r}") from error

    def plan(self, key: str, start: int, budget: float) -> tuple[bytes, int]:
        return get_object(self.client, self.settings.store, key, budget, start)
