"""GET what there is to know of models; every path that leads nowhere ends here too."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings
from driftloop.aws.store import Store
from driftloop.errors import DriftloopError
from driftloop.interface import Interface
from driftloop.openapi import Service
from driftloop.problem import Response, problem
from driftloop.query import Request, respond
from driftloop.version import Version

logger = Logger()


class Shelf(Registry):
    """The registry, with what lies in the store of its versions."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.table)
        self.store = Store(settings.store)

    def interface(self, version: Version) -> Interface:
        return _interface(self.store.bucket, version.plan_key, version.card_key)

    def card(self, version: Version) -> dict[str, Any]:
        return dict(json.loads(self.store.get(version.card_key)))

    def card_text(self, version: Version) -> str:
        return self.store.get(version.card_key.removesuffix("json") + "md").decode()


@lru_cache(maxsize=256)
def _interface(bucket: str, plan: str, card: str) -> Interface:
    """What lies under such keys never changes."""
    store = Store(bucket)
    return Interface.of(store.get(plan), json.loads(store.get(card)))


def handler(event: dict[str, Any], context: object) -> Response:
    s = Settings.from_env(os.environ, "env", "table", "store", "url", "authorizer")
    public = tuple(s.public.split(","))
    service = Service(s.env, s.url, s.authorizer, os.environ.get("AWS_REGION", ""), public)
    method = event["requestContext"]["http"]["method"]
    accept = event.get("headers", {}).get("accept", "")
    try:
        return respond(Request(method, event["rawPath"], accept), Shelf(s), service)
    except DriftloopError as error:
        if error.http_status >= 500:
            logger.exception("could not answer")
        return problem(error)
