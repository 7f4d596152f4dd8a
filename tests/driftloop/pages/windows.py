"""Windows as the monitor tells of them, made by hand, for the page and the terminal."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from driftloop.ledger import Audit, Entry
from driftloop.sketches.sketch import Sketch
from driftloop.timeline import Timeline, timeline

START, END = "2013-02-08T00:00:00.000Z", "2013-02-09T00:00:00.000Z"


def score(**ratios: float) -> dict[str, Any]:
    """A column's score: each statistic by its ratio, at a threshold of 0.05."""
    which = max(ratios, key=lambda name: ratios[name])
    statistics = {
        name: {"value": ratio * 0.05, "threshold": 0.05, "ratio": ratio}
        for name, ratio in ratios.items()
    }
    return {"statistics": statistics, "ratio": ratios[which], "statistic": which}


FEATURES = {
    "temp": score(psi=6.3, kolmogorov_smirnov=5.1, wasserstein=4.4, missing=0.2),
    "carrier": score(psi=0.8, chi_squared=0.9, new_category=1.4),
    "hour": score(psi=0.4, kolmogorov_smirnov=0.3),
    "visib": score(psi=0.2, kolmogorov_smirnov=0.1),
}
DIAGNOSIS = {
    "kind": "unit_bug",
    "action": "quarantine",
    "features": [
        {"name": "temp", "ratio": 6.3, "share": 0.86, "loss_share": 0.71},
        {"name": "carrier", "ratio": 1.4, "share": 0.12, "loss_share": None},
    ],
    "evidence": [
        "temp × 100 of training matches this window (PSI 0.01 instead of 0.32).",
        "96% of the rows are affected; <all> others look as before.",
    ],
    "text": "temp looks like 100 times what it was: a unit or schema bug upstream.",
}


def report(**changes: Any) -> dict[str, Any]:
    """A drifting window, labelled and diagnosed; ``changes`` replace what it says."""
    return {
        "model": "flights",
        "version": 3,
        "role": "champion",
        "revision": 2,
        "window": {"start": START, "end": END},
        "rows": 904,
        "status": "judged",
        "features": FEATURES,
        "ranked": sorted(FEATURES, key=lambda n: -float(FEATURES[n]["ratio"])),
        "prediction": score(psi=1.2, kolmogorov_smirnov=0.9),
        "target": score(psi=0.3),
        "drift_ratio": 6.3,
        "performance": {
            "metric": "log_loss",
            "baseline": 0.4876,
            "rows": 812,
            "unknown_classes": 0,
            "value": 0.6012,
            "threshold": 0.5544,
            "ratio": 1.08,
            "estimate": {"method": "cbpe", "value": 0.5213, "rows": 904, "error": 0.0799},
        },
        "diagnosis": DIAGNOSIS,
        "text": "Moved from the training data: temp (6.3× its threshold).",
        **changes,
    }


def quiet(**changes: Any) -> dict[str, Any]:
    """A window in which nothing is wrong, and no label has come."""
    features = {name: score(psi=0.3 + 0.1 * i) for i, name in enumerate(FEATURES)}
    performance = {**report()["performance"], "value": None, "threshold": None, "ratio": None,
                   "rows": 0}  # fmt: skip
    performance["estimate"] = {"method": "cbpe", "value": 0.4921, "rows": 904, "error": None}
    return report(
        features=features, ranked=[*FEATURES][::-1], prediction=score(psi=0.2), target=None,
        drift_ratio=0.6, diagnosis=None, performance=performance,
        text="The inputs look like the training data.",
    ) | changes  # fmt: skip


def no_data() -> dict[str, Any]:
    return quiet(
        status="no data", rows=12, features={}, ranked=[], prediction=None, drift_ratio=None,
        text="Too few rows to judge: 12, and at least 250 are needed.",
    )  # fmt: skip


def numbers(
    seed: int, rows: int, mean: float = 40.0, size: float = 12.0, gone: float = 0.02
) -> Any:
    rng = np.random.default_rng(seed)
    values = rng.normal(mean, size, rows)
    values[rng.random(rows) < gone] = np.nan
    return Sketch.numbers(values)


def texts(seed: int, rows: int, names: list[str], weights: list[float]) -> Any:
    rng = np.random.default_rng(seed)
    drawn = rng.choice(len(names), rows, p=np.array(weights) / sum(weights))
    return Sketch.codes(drawn.astype(np.int64), names)


def baseline() -> Any:
    """What of a baseline the page reads: the sketches."""
    rng = np.random.default_rng(0)
    features = {
        "temp": numbers(1, 60_000),
        "carrier": texts(2, 60_000, ["UA", "B6", "DL", "EV", "AA"], [5, 4, 4, 4, 3]),
        "hour": Sketch.numbers(rng.integers(5, 23, 60_000).astype(np.float64)),
        "visib": Sketch.numbers(np.full(60_000, 10.0)),
    }
    held = {name: SimpleNamespace(sketch=sketch) for name, sketch in features.items()}
    return SimpleNamespace(
        features=held, classes=["0", "1"],
        prediction=SimpleNamespace(sketch=Sketch.numbers(rng.beta(2, 6, 12_000))),
        target=SimpleNamespace(sketch=texts(5, 60_000, ["0", "1"], [4, 1])),
    )  # fmt: skip


def seen(factor: float = 100.0, labelled: bool = True) -> Any:
    """The window's sketches: temp by ``factor``, and a carrier nobody knew."""
    rng = np.random.default_rng(9)
    return SimpleNamespace(
        features={
            "temp": numbers(3, 904, 40 * factor, 12 * factor, 0.1),
            "carrier": texts(4, 904, ["UA", "B6", "DL", "EV", "AA", "Z<9>"], [5, 4, 3, 4, 3, 2]),
            "hour": Sketch.numbers(rng.integers(5, 23, 904).astype(np.float64)),
            "visib": Sketch.numbers(np.full(904, 10.0)),
        },
        prediction=Sketch.numbers(rng.beta(3, 5, 904)),
        target=texts(6, 812, ["0", "1"], [3, 1]) if labelled else None,
    )


def history(since: str | None = "2013-02-06T00:00:00.000Z") -> Timeline:
    """Two versions, a rejected candidate, alarms held back."""

    def at(day: str, hour: int = 9) -> str:
        return f"2013-{day}T{hour:02d}:00:00.000Z"

    audit = [
        Audit(at("01-02"), "promote", "release", "the first", None, 1),
        Audit(at("01-20", 8), "canary", "release", "version 2 answers 10%", 1, 2),
        Audit(at("01-20", 10), "promote", "release", "no worse in any check", 1, 2),
        Audit(at("01-28"), "rollback", "ann", "it <smells>", 2, 1),
        Audit(at("02-04"), "promote", "release", "no worse in any check", 1, 3),
    ]
    rows = [("01-19", "started", "The drift alarm rang: temp 2.1× its threshold.")]
    rows += [
        (f"01-2{n}", "suppressed", f"Cooling down: until 2013-01-2{n + 1}.") for n in (3, 4, 5)
    ]
    rows += [
        ("02-03", "started", "New data: 2013-02.csv."),
        ("02-07", "suppressed", "No new labels."),
    ]
    ledger = [Entry(at(day), "alarm", d, why, "e", day, cause="drift") for day, d, why in rows]
    return timeline(audit, ledger, END, since=since)
