"""The spec: the one file that declares a model. Every key, its default and its check are here.

``Spec.load(path)`` reads YAML at synth; ``Spec.read(path)`` reads the JSON that a layer carries.
Both raise :class:`~driftloop.errors.SpecError` naming each mistake's path, what was found and the
nearest valid name.
"""

from __future__ import annotations

import difflib
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from driftloop.errors import SpecError

MAX_BYTES = 64 * 1024
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: object) -> object:
    """``"10m"`` → ten minutes. Units: s, m, h, d, w. Anything else is left to the type check."""
    if isinstance(value, str):
        match = re.fullmatch(r"(\d+)\s*([smhdw])", value.strip())
        if not match:
            raise ValueError("is no duration; write a whole number and s, m, h, d or w, like 10m")
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    if isinstance(value, (int, float)):
        raise ValueError("has no unit; write s, m, h, d or w behind the number, like 10m")
    return value


def format_duration(value: timedelta) -> str:
    """The shortest exact form: 600 seconds → ``10m``."""
    seconds = int(value.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(format_duration, when_used="json")
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Column = Annotated[str, Field(min_length=1, max_length=128)]
Share = Annotated[float, Field(gt=0, lt=1)]
Estimator = Literal[
    "hist_gradient_boosting", "random_forest", "logistic_regression", "linear_regression"
]
Cause = Literal["upload", "drift", "performance", "schedule", "manual"]
Metric = Literal["log_loss", "brier", "roc_auc", "accuracy", "f1", "rmse", "mae", "r2"]
GREATER_IS_BETTER: dict[str, bool] = {
    "log_loss": False, "brier": False, "roc_auc": True, "accuracy": True, "f1": True,
    "rmse": False, "mae": False, "r2": True,
}  # fmt: skip
CLASSIFICATION_METRICS = ("log_loss", "brier", "roc_auc", "accuracy", "f1")
REGRESSION_METRICS = ("rmse", "mae", "r2")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Feature(_Part):
    """One input column. Rows that break it are quarantined at ingest and refused by predict."""

    type: Literal["number", "category"]
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    categories: list[str] | None = None
    max_categories: int = Field(50, ge=1, le=1000)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.type == "category" and (self.min is not None or self.max is not None):
            raise ValueError("min and max belong to a number; for a category, list `categories`")
        if self.type == "number" and self.categories is not None:
            raise ValueError("categories belong to type: category")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


class Data(_Part):
    reject_above: float = Field(0.05, ge=0, le=1)
    duplicates: Literal["drop", "keep"] = "drop"
    window: Duration | None = None
    holdout: Share = 0.2


class Training(_Part):
    estimators: list[Estimator] = Field([], max_length=4)
    trials: int = Field(8, ge=1, le=64)
    metric: Metric | None = None
    compute: Literal["lambda", "sagemaker"] = "lambda"
    seed: int = Field(0, ge=0, le=2**31 - 1)


class BeatsChampion(_Part):
    metric: Metric
    confidence: float = Field(0.95, gt=0.5, lt=1)


GateRule = Annotated[str, Field(pattern=r"^\s*(>=|<=|>|<)\s*-?\d+(\.\d+)?([eE]-?\d+)?\s*$")]


class Gates(_Part):
    metrics: dict[Metric, GateRule] = Field(default_factory=dict)
    beats_champion: BeatsChampion | None = None
    slices: list[Column] = Field(default_factory=list)
    latency_ms: float | None = Field(None, gt=0)


class Release(_Part):
    strategy: Literal["all_at_once", "canary"] = "canary"
    share: Share = 0.1
    bake: Duration = timedelta(minutes=10)
    approval: Literal["none"] = "none"


class Performance(_Part):
    metric: Metric
    tolerance: float = Field(0.1, gt=0)


class Monitor(_Part):
    window: Duration = timedelta(days=1)
    grace: Duration = timedelta(hours=1)
    min_rows: int = Field(500, ge=1)
    false_alarms: Annotated[str, Field(pattern=r"^\d+/(day|week|month|year)$")] = "4/year"
    drift: bool = True
    performance: Performance | None = None


class Retrain(_Part):
    on: list[Cause] = ["upload", "drift", "performance"]
    schedule: str | None = Field(None, pattern=r"^(rate|cron)\(.+\)$")
    cooldown: Duration = timedelta(hours=6)
    max_per_day: int = Field(4, ge=1, le=96)
    give_up_after: int = Field(3, ge=1)


class Capture(_Part):
    sample: float = Field(1.0, ge=0, le=1)
    redact: list[Column] = Field(default_factory=list)


class Spec(_Part):
    """One model. ``spec.training.metric`` and ``estimators`` are filled in by ``task``."""

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

    @property
    def metric(self) -> Metric:
        """The metric trials are ranked by."""
        return self.training.metric or ("log_loss" if self.task == "classification" else "rmse")

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
        extra = [c for c in (self.target, self.time, self.key) if c]
        return [*self.features, *(c for c in extra if c not in self.features)]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.target in self.features:
            raise ValueError(f"features.{self.target}: the target cannot be a feature")
        if self.time is not None and self.time in (self.target, *self.features):
            raise ValueError(
                f"time: {self.time!r} orders the rows and cannot be a feature or the target; "
                "derive a column of its own from it (hour, weekday …)"
            )
        if self.key in (self.target, self.time) and self.key is not None:
            raise ValueError(f"key: {self.key!r} is already the target or the time")
        classification = self.task == "classification"
        allowed = CLASSIFICATION_METRICS if classification else REGRESSION_METRICS
        asked: list[tuple[str, str | None]] = [
            ("training.metric", self.training.metric),
            *((f"gates.metrics.{m}", m) for m in self.gates.metrics),
        ]
        if self.gates.beats_champion:
            asked.append(("gates.beats_champion.metric", self.gates.beats_champion.metric))
        if self.monitor.performance:
            asked.append(("monitor.performance.metric", self.monitor.performance.metric))
        for path, metric in asked:
            if metric is not None and metric not in allowed:
                raise ValueError(
                    f"{path}: {metric!r} is no {self.task} metric; one of {', '.join(allowed)}"
                )
        wrong = {"linear_regression"} if classification else {"logistic_regression"}
        for estimator in wrong & set(self.training.estimators):
            raise ValueError(f"training.estimators: {estimator!r} does not do {self.task}")
        for path, names in (("gates.slices", self.gates.slices),
                            ("capture.redact", self.capture.redact)):  # fmt: skip
            for name in names:
                if name not in self.columns:
                    raise ValueError(f"{path}: {name!r} is no column{_nearest(name, self.columns)}")
        if self.retrain.schedule and "schedule" not in self.retrain.on:
            raise ValueError("retrain.schedule: is set, but `retrain.on` does not list schedule")
        return self

    @classmethod
    def load(cls, path: Path) -> Spec:
        """Read a YAML spec file. Raises SpecError."""
        import yaml

        try:
            text = path.read_text(encoding="utf-8")
            raw = yaml.safe_load(text)
        except FileNotFoundError:
            raise SpecError(f"{path}: there is no such file") from None
        except UnicodeDecodeError:
            raise SpecError(f"{path}: is not UTF-8 text") from None
        except yaml.YAMLError as error:
            raise SpecError(f"{path}: is not YAML: {error}") from None
        return cls.parse(raw, str(path))

    @classmethod
    def read(cls, path: Path) -> Spec:
        """Read the canonical JSON that the model's layer carries."""
        return cls.model_validate_json(path.read_bytes())

    @classmethod
    def parse(cls, raw: Any, source: str = "spec") -> Spec:
        """Check a parsed document. Raises SpecError with one line per mistake."""
        if not isinstance(raw, dict):
            raise SpecError(f"{source}: should be a mapping of keys (name, task, target, …)")
        # YAML 1.1 reads the key `on:` as true; people mean the word.
        retrain = raw.get("retrain")
        if isinstance(retrain, dict) and True in retrain:
            raw = {**raw, "retrain": {("on" if k is True else k): v for k, v in retrain.items()}}
        try:
            spec = cls.model_validate(raw)
        except ValidationError as error:
            lines = [f"{source}: {line}" for line in explain(error, cls)]
            raise SpecError("\n".join(lines)) from None
        if len(spec.to_json()) > MAX_BYTES:
            raise SpecError(f"{source}: is over {MAX_BYTES // 1024} KiB as JSON")
        return spec

    def to_json(self) -> bytes:
        """Canonical JSON: defaults filled in, keys sorted; same spec, same bytes."""
        body = self.model_dump(mode="json")
        return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _nearest(name: str, valid: list[str]) -> str:
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; one of {', '.join(valid)}"


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line per mistake of a pydantic error: path, what is wrong, the nearest valid name."""
    lines = []
    for item in error.errors():
        path = ".".join(str(p) for p in item["loc"] if p != "[key]")
        found = item.get("input")
        if item["type"] == "extra_forbidden":
            valid = _keys_at(model, item["loc"][:-1])
            lines.append(f"{path}: unknown key{_nearest(str(item['loc'][-1]), valid)}")
        elif item["type"] == "missing":
            lines.append(f"{path}: is missing")
        elif item["type"] == "literal_error":
            valid = re.findall(r"'([^']+)'", item["ctx"]["expected"])
            lines.append(f"{path}: {found!r} is not valid{_nearest(str(found), valid)}")
        else:
            message = item["msg"].removeprefix("Value error, ")
            lines.append(
                f"{path}: {found!r}: {message}" if path and not isinstance(found, dict)
                else f"{path}: {message}" if path else message
            )  # fmt: skip
    return lines


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Valid keys of the sub-model that ``loc`` leads to."""
    current: Any = model
    for step in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            if str(step) not in current.model_fields:
                return []
            current = current.model_fields[str(step)].annotation
        else:  # dict[str, Sub]: the step was a key of the user's own
            current = current.__args__[-1]
        for arg in getattr(current, "__args__", ()):  # Optional[Sub] → Sub
            if isinstance(arg, type) and issubclass(arg, BaseModel) and arg is not Feature:
                current = arg
    return list(current.model_fields) if isinstance(current, type) and issubclass(
        current, BaseModel) else []  # fmt: skip
