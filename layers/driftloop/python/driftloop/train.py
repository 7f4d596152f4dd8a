"""The chosen trial, refitted on the whole training part, as a candidate.

The holdout stays unseen: validation judges by it, and the baseline describes the answers to it.
The same frame, spec, choice and code, in the same environment, give the same plan (law 2); the
environment is written down beside it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas
import scipy
import sklearn
import skops
from threadpoolctl import threadpool_info

from driftloop import keys, losses, persisted, pipeline, recalibration
from driftloop.baseline import baseline
from driftloop.diagnosis.misses import Misses
from driftloop.errors import IntegrityError, TrainingError
from driftloop.estimation import fitting
from driftloop.frame import Frame
from driftloop.plan import conformal, load, schema
from driftloop.plan.background import with_background
from driftloop.plan.export import export
from driftloop.plan.recalibrated import recalibrated
from driftloop.spec import Spec

PLAN, PIPELINE = "plan.json", "pipeline.skops"
BASELINE, ENVIRONMENT = "baseline.json", "environment.json"
FILES = (PLAN, PIPELINE, BASELINE, ENVIRONMENT)
TOLERANCE = 1e-9  # between plan and pipeline; seen are 0 for trees, 1e-15 where exp is involved


@dataclass(frozen=True)
class Candidate:
    """A trained model as files by name (all of ``FILES``)."""

    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        if set(self.files) != set(FILES):
            found = ", ".join(sorted(self.files))
            raise IntegrityError(f"a candidate has the files {', '.join(FILES)}, not {found}")

    @property
    def plan_sha256(self) -> str:
        return schema.digest(self.files[PLAN])

    @property
    def name(self) -> str:
        """16 hexadecimal digits, from the content of every file."""
        digests = "".join(hashlib.sha256(self.files[name]).hexdigest() for name in FILES)
        return hashlib.sha256(digests.encode()).hexdigest()[:16]

    def summary(self, model: str, choice: Mapping[str, Any], train_rows: int) -> dict[str, Any]:
        """What the run carries on: references only."""
        at = {name: keys.version_artefact(model, self.name, name) for name in FILES}
        null = json.loads(self.files[BASELINE])["null"]
        return {
            "candidate": self.name,
            "plan_key": at[PLAN],
            "plan_sha256": self.plan_sha256,
            "pipeline_key": at[PIPELINE],
            "baseline_key": at[BASELINE],
            "environment_key": at[ENVIRONMENT],
            "estimator": choice["estimator"],
            "params": choice["params"],
            "train_rows": train_rows,
            "windows": {name: null[name] for name in ("how", "windows", "support")},
            "form": "plan",
        }


def train(frame: Frame, spec: Spec, choice: Mapping[str, Any], code: str) -> Candidate:
    """Fit, export, check the export, make the interval of a regression and the baseline.

    choice: ``{"estimator", "params"}`` as :func:`driftloop.tune.choose` gives it.
    code: the digest of the code that trains, for the record.

    Raises TrainingError if the model cannot be fitted, exported or profiled, or if its plan does
    not answer as it does.
    """
    fitted = pipeline.fit(spec, choice["estimator"], choice["params"], frame, frame.train)
    exported = export(fitted, spec.features, frame.classes, spec.task)
    exported = with_background(exported, frame.take(frame.train))
    holdout = frame.take(frame.holdout)
    answers = _answers(schema.dump(exported), holdout)
    everything = np.asarray(pipeline.predict(fitted, frame), np.float64)
    _check(answers, everything[frame.holdout])
    everything[frame.holdout] = answers
    made = environment(spec, code)
    return _described(frame, spec, exported, everything, persisted.dumps(fitted), made)


def recalibrate(
    frame: Frame,
    spec: Spec,
    choice: Mapping[str, Any],
    code: str,
    champion: Mapping[str, bytes],
) -> Candidate:
    """The champion's plan with its answers set right by the newest rows of the training part.

    choice: with ``recalibrate``, as :func:`driftloop.tune.recalibration` proposed it. champion:
    its files ``PLAN`` and ``PIPELINE``. The pipeline is kept as it was fitted: what is shifted is
    the plan, and by how much is written down with the environment.

    Raises TrainingError if there is nothing to judge or describe it by.
    """
    plan = schema.read(champion[PLAN])
    before = _answers(champion[PLAN], frame)
    newest = recalibration.newest(frame)
    found = recalibration.of(before[newest], frame.target[newest], frame.classes)
    shifted = recalibrated(plan, found)
    made = environment(spec, code) | {
        "recalibrated": {
            **choice["recalibrate"],
            "slope": found.slope,
            "intercept": list(found.intercept),
            "rows": int(newest.size),
        }
    }
    everything = _answers(schema.dump(shifted), frame)
    return _described(frame, spec, shifted, everything, champion[PIPELINE], made)


def _described(
    frame: Frame,
    spec: Spec,
    exported: schema.Plan,
    everything: npt.NDArray[np.float64],
    fitted: bytes,
    made: Mapping[str, Any],
) -> Candidate:
    """The candidate with all that is measured of it; ``everything``: its answers to all rows."""
    holdout, answers = frame.take(frame.holdout), everything[frame.holdout]
    if frame.classes is None:
        exported |= {"interval": conformal.interval((holdout.target - answers).tolist())}
    metric = spec.metric
    value = losses.value(metric, holdout.target, answers)
    if value is None:
        raise TrainingError(f"{metric} is undefined on the {holdout.rows} rows of the holdout")
    try:
        misses = Misses.of_frame(holdout, answers, spec.watched)
        described = baseline(
            frame, everything, metric, value, spec,
            estimate=fitting.fit(spec, holdout, answers, spec.watched), misses=misses.to_json(),
        )  # fmt: skip
    except ValueError as error:
        raise TrainingError(f"no baseline can be made: {error}") from error
    return Candidate(
        {
            PLAN: schema.dump(schema.check(exported)),
            PIPELINE: fitted,
            BASELINE: _json(described.to_json()),
            ENVIRONMENT: _json(made),
        }
    )


def environment(spec: Spec, code: str) -> dict[str, Any]:
    """All that decides the plan's bytes beside the frame and the choice."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "wheels": {
            "numpy": np.__version__,
            "pandas": pandas.__version__,
            "scikit-learn": sklearn.__version__,
            "scipy": scipy.__version__,
            "skops": skops.__version__,
        },
        "blas": _blas(),
        "threads": 1,
        "seed": spec.training.seed,
        "spec": hashlib.sha256(spec.to_json()).hexdigest(),
        "code": code,
    }


def _blas() -> list[str]:
    """Its kernels differ by processor, and with them the last digits of a linear model."""
    libraries = (lib for lib in threadpool_info() if lib["user_api"] == "blas")
    parts = ("internal_api", "version", "architecture")
    return sorted({" ".join(str(lib.get(part)) for part in parts) for lib in libraries})


def _answers(plan: bytes, part: Frame) -> npt.NDArray[np.float64]:
    scorer = load(plan)
    return np.array(scorer.score(scorer.lenient_rows(part.instances())), np.float64)


def _check(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> None:
    off = np.abs(ours - theirs) / (1.0 + np.abs(theirs))
    if off.size and not off.max() <= TOLERANCE:
        raise TrainingError(
            f"the plan answers differently from its pipeline: off by {off.max():.3g} in row "
            f"{int(off.reshape(len(ours), -1).max(axis=1).argmax())} of the holdout"
        )


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
