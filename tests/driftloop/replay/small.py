"""A small history whose relation turns round in the middle, for the tests of replay."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from driftloop.replay.history import History
from driftloop.replay.memory import Memory
from driftloop.replay.policy import Policy, of
from driftloop.replay.recording import Row, served, upload
from driftloop.replay.workshop import Workshop
from driftloop.spec import Spec
from driftloop.when import from_ms, iso

DAY = 86_400_000
FIRST = 1_359_676_800_000  # 2013-02-01T00:00Z
ROWS = 120  # a day
BEFORE, DAYS, TURNS = 20, 24, 8


def spec() -> Spec:
    return Spec.parse(
        {
            "name": "small",
            "task": "classification",
            "target": "y",
            "time": "at",
            "key": "name",
            "features": {"x": {"type": "number"}, "kind": {"type": "category"}},
            "data": {"window": "20d"},
            "training": {"estimators": ["logistic_regression"], "trials": 1},
            "gates": {"beats_champion": {"metric": "log_loss", "confidence": 0.95}},
            "release": {"strategy": "all_at_once"},
            "monitor": {
                "min_rows": 60,
                "performance": {"metric": "log_loss", "tolerance": 0.1},
            },
            "retrain": {"on": ["performance"], "cooldown": "1d"},
        }
    )


def policy(**sections: Any) -> Policy:
    return of(sections, spec(), "test", "a policy")


@functools.cache
def history(days: int = DAYS) -> History:
    """From :data:`TURNS` on, the relation of x to y is another; truths are told a day later."""
    store, made = Memory(), spec()
    known = FIRST - DAY // 24
    upload(store, made, [r for day in range(-BEFORE, 0) for r in day_of(day)], known, "first.csv")
    with tempfile.TemporaryDirectory() as folder:
        learnt = Workshop(Path(folder), lambda: 0.0).learn(store, made, iso(from_ms(known)))
    version = learnt.version(1, "upload-1", "upload", iso(from_ms(known)), None)
    for day in range(days):
        served(store, made, day_of(day), FIRST + (day + 1) * DAY + DAY // 8, f"day {day}")
    return History.read(store, made.name, [version], 1, FIRST, FIRST + days * DAY)


def day_of(day: int) -> list[Row]:
    rng = np.random.default_rng(day + 100)
    x = rng.normal(size=ROWS)
    sign = 2.0 if day < TURNS else -2.0
    late = rng.random(ROWS) < 1 / (1 + np.exp(-sign * x))
    start = FIRST + day * DAY
    rows = []
    for i in range(ROWS):
        time = start + i * DAY // ROWS
        name = f"{day}/{i}"
        values = {"x": float(x[i]), "kind": "ab"[i % 2], "at": iso(from_ms(time)), "name": name}
        rows.append(Row(time, name, values, str(int(late[i]))))
    return rows
