"""States Train and Collect: the chosen trial → a candidate, here or from a SageMaker job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools import Logger

from driftloop import keys
from driftloop.aws.settings import Settings, spec_path
from driftloop.aws.store import Store
from driftloop.collect import unpack
from driftloop.frame import Frame
from driftloop.spec import Spec
from driftloop.train import Candidate, recalibrate, train

logger = Logger()


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    settings = Settings.from_env(os.environ, "store", "code")
    store, spec, state = Store(settings.store), Spec.read(spec_path()), event["state"]
    match event["op"]:
        case "train":
            frame = Frame.from_bytes(store.get(state["frame"]["key"]))
            candidate = _train(store, spec, frame, state["choice"], settings.code)
        case "collect":
            output = urlsplit(state["job"]["ModelArtifacts"]["S3ModelArtifacts"])
            candidate = unpack(Store(output.netloc).get(output.path.lstrip("/")))
        case op:
            raise ValueError(f"train has no operation {op!r}")
    _keep(store, spec.name, candidate)
    answer = candidate.summary(spec.name, state["choice"], state["frame"]["train_rows"])
    logger.info("trained", extra={"run": state["run"], **answer})
    return answer


def _train(
    store: Store, spec: Spec, frame: Frame, choice: Mapping[str, Any], code: str
) -> Candidate:
    if "recalibrate" not in choice:
        return train(frame, spec, choice, code)
    champion = {name: store.get(key) for name, key in choice["recalibrate"]["files"].items()}
    return recalibrate(frame, spec, choice, code, champion)


def _keep(store: Store, model: str, candidate: Candidate) -> None:
    """Under names that follow from the content: writing them again changes nothing."""
    for name, data in candidate.files.items():
        store.put_if_absent(keys.version_artefact(model, candidate.name, name), data)
