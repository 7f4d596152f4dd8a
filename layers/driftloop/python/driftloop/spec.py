"""The spec: the one file that declares a model. Every key and its default are here; what it says
of the data is in :mod:`driftloop.spec_data`, of watching in :mod:`driftloop.spec_watch`.

``Spec.load(path)`` reads YAML at synth; ``Spec.read(path)`` reads the JSON that a layer carries.
Both raise :class:`~driftloop.errors.SpecError` with one line per mistake: its path, what was found
and the nearest valid name. What parts of a spec must not contradict is in
:mod:`driftloop.spec_checks`; how durations and the like are written, in
:mod:`driftloop.spec_words`.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from driftloop.errors import SpecError
from driftloop.mistakes import explain
from driftloop.spec_checks import (
    CLASSIFICATION_METRICS,
    GREATER_IS_BETTER,
    REGRESSION_METRICS,
    contradictions,
    said_in_vain,
)
from driftloop.spec_data import Data, Expect, Feature, Section, Split
from driftloop.spec_watch import (
    Action,
    Cause,
    Metric,
    Monitor,
    Performance,
    Policy,
    Retrain,
    Statistic,
    Trouble,
)
from driftloop.spec_words import (
    Column,
    Duration,
    GateRule,
    Kind,
    Name,
    Share,
    format_duration,
    parse_duration,
)

__all__ = [
    "CLASSIFICATION_METRICS", "GREATER_IS_BETTER", "MAX_BYTES", "REGRESSION_METRICS",
    "Action", "BeatsChampion", "Capture", "Cause", "Data", "Estimator", "Expect", "Feature",
    "Gates", "Kind", "Metric", "Monitor", "Performance", "Policy", "Release", "Retrain", "Spec",
    "Split", "Statistic", "Stream", "Training", "Trouble", "format_duration", "parse_duration",
]  # fmt: skip

MAX_BYTES = 64 * 1024
Estimator = Literal[
    "hist_gradient_boosting", "random_forest", "logistic_regression", "linear_regression"
]


class Training(Section):
    estimators: list[Estimator] = Field([], max_length=4)
    """Empty: gradient boosting and the linear model of the task."""
    trials: int = Field(8, ge=1, le=64)
    metric: Metric | None = None
    """None: log_loss, or rmse."""
    compute: Literal["lambda", "sagemaker"] = "lambda"
    seed: int = Field(0, ge=0, le=2**31 - 1)


class BeatsChampion(Section):
    metric: Metric
    confidence: float = Field(0.95, gt=0.5, lt=1)


class Gates(Section):
    metrics: dict[Metric, GateRule] = Field(default_factory=dict)
    beats_champion: BeatsChampion | None = None
    slices: list[Column] = Field(default_factory=list)
    latency_ms: float | None = Field(None, gt=0)


class Release(Section):
    strategy: Literal["all_at_once", "canary", "linear", "blue_green", "shadow"] = "canary"
    share: Share = 0.1
    """Of the requests: the canary's, or what each step of a linear release adds."""
    bake: Duration = timedelta(minutes=10)
    """After how long a step is judged; one that is clearly bad is withdrawn sooner."""
    patience: int = Field(3, ge=1, le=10)
    """Bakes a step waits for enough evidence."""
    min_requests: int = Field(30, ge=1, le=1_000_000)
    unseen: Literal["roll_back", "promote"] = "roll_back"
    """What becomes of a version that too few requests came to see in that time."""
    approval: Literal["none"] = "none"

    @property
    def shares(self) -> list[float]:
        """The challenger's share of the answers at each step, before it gets them all."""
        match self.strategy:
            case "all_at_once":
                return []
            case "canary":
                return [self.share]
            case "linear":
                return [s for k in range(1, 100) if (s := round(k * self.share, 9)) < 1]
            case "blue_green":
                return [1.0]
            case "shadow":
                return [0.0]


class Capture(Section):
    sample: float = Field(1.0, ge=0, le=1)
    redact: list[Column] = Field(default_factory=list)


class Stream(Section):
    """A queue whose messages are answered. None by default: Lambda asks a queue for messages all
    day long, and SQS bills each time it asks."""

    answers: Literal["eventbridge", "queue"] = "eventbridge"
    batch: int = Field(10, ge=1, le=1000)
    """Messages one invocation takes at most."""
    retries: int = Field(5, ge=1, le=100)
    """How often a message that could not be answered comes again."""


class Spec(Section):
    """One model. ``spec.metric`` and ``spec.estimators`` fill in what ``training`` leaves open."""

    name: Name
    description: str = Field("", max_length=500)
    task: Literal["classification", "regression"]
    target: Column
    time: Column | None = None
    key: Column | None = None
    features: dict[Column, Feature] = Field(min_length=1, max_length=500)
    data: Data = Field(default_factory=Data)
    training: Training = Field(default_factory=Training)
    gates: Gates = Field(default_factory=Gates)
    release: Release = Field(default_factory=Release)
    monitor: Monitor = Field(default_factory=Monitor)
    retrain: Retrain = Field(default_factory=Retrain)
    capture: Capture = Field(default_factory=Capture)
    stream: Stream | None = None

    @property
    def metric(self) -> Metric:
        """The metric trials are ranked by."""
        return self.training.metric or ("log_loss" if self.task == "classification" else "rmse")

    @property
    def watched(self) -> Metric:
        """The metric of the served model that the monitor keeps an eye on."""
        return self.monitor.performance.metric if self.monitor.performance else self.metric

    @property
    def estimators(self) -> list[Estimator]:
        if self.training.estimators:
            return self.training.estimators
        linear: Estimator = (
            "logistic_regression" if self.task == "classification" else "linear_regression"
        )
        return ["hist_gradient_boosting", linear]

    @property
    def columns(self) -> list[str]:
        """Every column an upload must have: features, target, time, key."""
        return [*self.features, *(c for c in (self.target, self.time, self.key) if c)]

    @property
    def kinds(self) -> dict[str, Kind]:
        """Every column and its kind, in the order of :attr:`columns`."""
        found: dict[str, Kind] = {
            name: "number" if feature.type == "number" else "text"
            for name, feature in self.features.items()
        }
        found[self.target] = "text" if self.task == "classification" else "number"
        if self.time:
            found.setdefault(self.time, "time")
        if self.key:
            found.setdefault(self.key, "text")
        return found

    @property
    def split_by(self) -> Literal["time", "hash"]:
        """How rows are divided: as said, else by time where there is one."""
        return self.data.split.by or ("time" if self.time else "hash")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if wrong := contradictions(self):
            raise ValueError("\n".join(wrong))
        return self

    @classmethod
    def load(cls, path: Path) -> Spec:
        """Read a YAML spec file. Raises SpecError."""
        from driftloop import yamlfile  # functions read JSON, and have no YAML

        return cls.parse(yamlfile.load(path, MAX_BYTES), str(path))

    @classmethod
    def read(cls, path: Path) -> Spec:
        """Read the canonical JSON that the model's layer carries. Raises SpecError."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise _refusal(str(path), explain(error, cls)) from None

    @classmethod
    def parse(cls, raw: Any, source: str = "spec") -> Spec:
        """Check a parsed document. Raises SpecError with one line per mistake."""
        if not isinstance(raw, dict):
            raise SpecError(f"{source}: should be a mapping of keys (name, task, target, …)")
        # YAML 1.1 reads the key `on:` as true; people mean the word.
        retrain = raw.get("retrain")
        if isinstance(retrain, dict) and True in retrain:
            raw = {**raw, "retrain": {("on" if k is True else k): v for k, v in retrain.items()}}
        vain = said_in_vain(raw)
        try:
            spec = cls.model_validate(raw)
        except ValidationError as error:
            raise _refusal(source, [*explain(error, cls), *vain]) from None
        if vain:
            raise _refusal(source, vain)
        if len(spec.to_json()) > MAX_BYTES:
            raise SpecError(f"{source}: is over {MAX_BYTES // 1024} KiB as JSON")
        return spec

    def to_json(self) -> bytes:
        """Canonical JSON, defaults filled in (but for nulls of features, of which there may be
        hundreds): same spec, same bytes. Features keep their order, since models see it."""
        body = self.model_dump(mode="json")
        for name, feature in body["features"].items():
            body["features"][name] = {k: v for k, v in feature.items() if v is not None}
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _refusal(source: str, lines: list[str]) -> SpecError:
    return SpecError("\n".join(f"{source}: {line}" for line in lines))
