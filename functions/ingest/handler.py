"""States Ingest, CheckPiece and Merge: the run's uploads → parts, and the dataset as of now."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_lambda_powertools import Logger

from driftloop.arrived import Arrived
from driftloop.aws.registry import Registry
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.ingest import ingest, merge
from driftloop.spec import Spec
from driftloop.uploads.pieces import PIECE, check
from driftloop.uploads.upload import Upload

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store", "landing", "table")
    state, spec = event["state"], Spec.read(spec_path())
    store, landing = Store(settings.store), Store(settings.landing)
    run, now = state["run"], state["now"]
    uploads = [
        Upload(u["bucket"], u["key"], u.get("version_id"), u.get("size") or 0)
        for u in state.get("uploads") or ()
    ]
    piece = int(settings.piece or PIECE)
    with TemporaryDirectory() as name:
        folder = Path(name)
        match event["op"]:
            case "check":
                answer = {"checked": check(store, landing, spec, event["piece"], now, folder)}
            case "merge":
                number = state["ingest"]["round"]
                answer = merge(store, spec, uploads, now, folder, run, number, piece)
            case _:
                answer = ingest(
                    store, landing, spec, uploads, now, folder, run, settings.code, piece
                )
    if new := answer.get("new"):
        Registry(settings.table).arrive(spec.name, Arrived(now, new))
    logger.info(event["op"], extra={"run": run, **answer})
    return answer
