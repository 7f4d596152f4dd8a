"""GET what there is to know of models; every path that leads nowhere ends here too."""

from __future__ import annotations

import json
import os
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings
from driftloop.aws.store import Store
from driftloop.errors import DriftloopError
from driftloop.problem import Response, problem
from driftloop.query import respond
from driftloop.version import Version

logger = Logger()


class Shelf(Registry):
    """The registry, with the cards that lie in the store."""

    def __init__(self, table: str, store: Store) -> None:
        super().__init__(table)
        self.store = store

    def card(self, version: Version) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.store.get(version.card_key))
        return found


def handler(event: dict[str, Any], context: object) -> Response:
    settings = Settings.from_env(os.environ, "table", "store")
    method = event["requestContext"]["http"]["method"]
    try:
        return respond(method, event["rawPath"], Shelf(settings.table, Store(settings.store)))
    except DriftloopError as error:
        if error.http_status >= 500:
            logger.exception("could not answer")
        return problem(error)
