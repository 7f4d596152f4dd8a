"""What a spec says of watching a model, and of what follows from what is seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from driftloop.spec_data import Section
from driftloop.spec_words import Alarm, Budget, Duration, Minutes, Schedule

Cause = Literal["upload", "drift", "performance", "schedule", "manual"]
Metric = Literal["log_loss", "brier", "roc_auc", "accuracy", "f1", "rmse", "mae", "r2"]
Statistic = Literal[
    "psi", "jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein", "chi_squared",
    "missing", "new_category", "out_of_range",
]  # fmt: skip
Trouble = Literal[
    "unit_bug", "missing_source", "new_category", "population_shift", "calibration_shift",
    "concept_shift", "bad_release",
]  # fmt: skip
"""What an alarm is about, as :mod:`driftloop.diagnosis` tells them apart."""
Action = Literal["retrain", "recalibrate", "roll_back", "quarantine", "tell", "ignore"]


class Performance(Section):
    metric: Metric
    tolerance: float = Field(0.1, gt=0)
    """How much worse than at training, as a share, still passes."""


class Monitor(Section):
    window: Minutes = timedelta(days=1)
    grace: Duration = timedelta(hours=1)
    min_rows: int = Field(500, ge=1)
    statistics: list[Statistic] = Field(
        ["psi", "kolmogorov_smirnov", "missing", "new_category"], min_length=1
    )
    """What tells drift, of each column those that suit its kind."""
    alarm: Alarm = "1 of 1"
    """How many of how many windows in a row have to be over their thresholds."""
    false_alarms: Budget | None = None
    """Windows that raise an alarm though nothing changed. None: 4 a year, or as few as the
    training data can tell."""
    drift: bool = True
    performance: Performance | None = None


class Policy(Section):
    """What an alarm leads to, by what it is about."""

    unit_bug: Action = "quarantine"
    missing_source: Action = "tell"
    new_category: Action = "retrain"
    population_shift: Action = "retrain"
    calibration_shift: Action = "recalibrate"
    concept_shift: Action = "retrain"
    bad_release: Action = "roll_back"

    def action(self, kind: Trouble) -> Action:
        found: Action = getattr(self, kind)
        return found


class Retrain(Section):
    on: list[Cause] = Field(["upload", "drift", "performance"])
    schedule: Schedule | None = None
    cooldown: Duration = timedelta(hours=6)
    max_per_day: int = Field(4, ge=1, le=96)
    give_up_after: int = Field(3, ge=1)
    policy: Policy = Field(default_factory=Policy)

    @property
    def sweep(self) -> timedelta:
        """How often the governor looks for what no event told."""
        return min(max(self.cooldown, timedelta(hours=1)), timedelta(days=1))
