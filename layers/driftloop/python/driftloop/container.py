"""Training under SageMaker's container contract: ``python -m driftloop.container``.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html

Reads, under ``/opt/ml`` (or ``SAGEMAKER_BASE_DIR``): the frame from channel ``training``,
``spec.json`` and ``choice.json`` (and the champion's plan and pipeline, if that is to be
recalibrated) from channel ``spec``, and ``hyperparameters.json``, whose values
are strings. Writes the candidate's files to ``model/``, from which SageMaker makes
``model.tar.gz``; on failure the reason to ``output/failure`` and exit code 1. The code that trains
is the Lambda branch's own, so the plan is the same, byte for byte.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from driftloop.errors import DriftloopError, TrainingError
from driftloop.frame import Frame
from driftloop.spec import Spec
from driftloop.train import recalibrate, train

BASE = "/opt/ml"


def run(base: Path) -> int:
    """Train what lies under ``base``. Returns the exit code."""
    try:
        _train(base)
    except Exception as error:  # noqa: BLE001 - whatever it is, the job has to say why it failed
        known = isinstance(error, DriftloopError)
        reason = f"{type(error).__name__}: {error}"
        (base / "output").mkdir(parents=True, exist_ok=True)
        (base / "output" / "failure").write_text(reason[:1024], encoding="utf-8")
        print(reason if known else traceback.format_exc(), file=sys.stderr, flush=True)
        return 1
    return 0


def _train(base: Path) -> None:
    channels, config = base / "input" / "data", base / "input" / "config"
    spec = Spec.read(channels / "spec" / "spec.json")
    choice = json.loads((channels / "spec" / "choice.json").read_bytes())
    _agree(json.loads((config / "hyperparameters.json").read_bytes()), spec, choice)
    frames = sorted((channels / "training").glob("*.npz"))
    if len(frames) != 1:
        raise TrainingError(f"channel training holds {len(frames)} frames, not one")
    frame = Frame.from_bytes(frames[0].read_bytes())
    print(f"{spec.name}: {choice['estimator']} on {int(frame.train.sum())} rows", flush=True)
    if "recalibrate" in choice:
        names = choice["recalibrate"]["files"]
        champion = {name: (channels / "spec" / name).read_bytes() for name in names}
        candidate = recalibrate(frame, spec, choice, choice["code"], champion)
    else:
        candidate = train(frame, spec, choice, choice["code"])
    (base / "model").mkdir(parents=True, exist_ok=True)
    for name, data in candidate.files.items():
        (base / "model" / name).write_bytes(data)
    print(f"{spec.name}: plan {candidate.plan_sha256}", flush=True)


def _agree(hyperparameters: Mapping[str, str], spec: Spec, choice: Mapping[str, str]) -> None:
    """The job's own record must not contradict what is trained."""
    told = {"estimator": choice["estimator"], "seed": str(spec.training.seed)}
    for name, value in told.items():
        if hyperparameters.get(name, value) != value:
            raise TrainingError(
                f"hyperparameter {name} is {hyperparameters[name]!r}, but the run chose {value!r}"
            )


if __name__ == "__main__":
    sys.exit(run(Path(os.environ.get("SAGEMAKER_BASE_DIR", BASE))))
