"""A small world with a known truth, and everything that can go wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import losses
from driftloop.baseline import Baseline
from driftloop.diagnosis import Diagnosis, diagnose
from driftloop.frame import Frame
from driftloop.judgement import Sketches
from driftloop.plan import Scorer, load
from driftloop.realised import Labelled, performance
from driftloop.spec import Spec
from driftloop.train import train

Rows = dict[str, npt.NDArray[Any]]
DAY = 86_400_000
START = 1_700_000_000_000 // DAY * DAY
CARRIERS = ["AA", "B6", "DL", "EV", "HA", "MQ", "UA", "US", "WN"]
_CARRIER_EFFECT = dict(zip(CARRIERS, np.linspace(-0.8, 0.8, 9), strict=True))


def spec_of(task: str = "classification") -> Spec:
    number, category = {"type": "number", "nullable": True}, {"type": "category"}
    return Spec.parse(
        {
            "name": "world", "task": task, "target": "y", "time": "at",
            "features": {
                "temp": number, "dewp": number, "wind": number, "hour": number,
                "distance": number, "late": number, "carrier": category, "origin": category,
            },
            "training": {"seed": 1},
            "monitor": {"min_rows": 200, "performance": {"metric": "log_loss" if
                        task == "classification" else "rmse", "tolerance": 0.05}},
        }
    )  # fmt: skip


def draw(rng: np.random.Generator, rows: int) -> Rows:
    """Rows as they are in ordinary times."""
    temp = rng.normal(45.0, 9.0, rows)
    return {
        "temp": temp,
        "dewp": temp - rng.gamma(3.0, 3.0, rows),
        "wind": rng.gamma(4.0, 2.5, rows),
        "hour": rng.integers(5, 24, rows).astype(np.float64),
        "distance": np.exp(rng.normal(6.6, 0.7, rows)),
        "late": rng.normal(0.0, 1.0, rows),
        "carrier": rng.choice(CARRIERS, rows, p=np.linspace(9, 1, 9) / 45).astype(object),
        "origin": rng.choice(["EWR", "JFK", "LGA"], rows).astype(object),
    }


def signal(rows: Rows, flip: float = 1.0) -> npt.NDArray[np.float64]:
    """What the truth follows, as log-odds. ``flip``: of the relation to ``late``."""
    carrier = np.array([_CARRIER_EFFECT.get(c, 1.5) for c in rows["carrier"]])
    return np.asarray(
        0.05 * (rows["temp"] - 45.0)
        + 0.1 * (rows["hour"] - 14.0)
        + flip * 1.2 * rows["late"]
        + carrier
        - 0.4
    )


def truth(rng: np.random.Generator, z: npt.NDArray[np.float64], task: str) -> Any:
    if task == "regression":
        return 10.0 + 3.0 * z + rng.normal(0.0, 2.0, z.size)
    return (rng.random(z.size) < 1 / (1 + np.exp(-z))).astype(np.int32)


@dataclass(frozen=True)
class Model:
    spec: Spec
    scorer: Scorer
    baseline: Baseline


@cache
def model(task: str = "classification", estimator: str = "", flip: float = 1.0) -> Model:
    """Trained on 60 ordinary days; ``flip`` as :func:`signal` has it, in its training data."""
    spec, rng = spec_of(task), np.random.default_rng(7)
    n = 9_000
    rows = draw(rng, n)
    words = {"carrier": CARRIERS, "origin": ["EWR", "JFK", "LGA"]}
    columns = {
        name: np.array([words[name].index(v) for v in values], np.int32)
        if name in words
        else values
        for name, values in rows.items()
    }
    frame = Frame(
        columns=columns,
        vocabulary=words,
        target=truth(rng, signal(rows, flip), task),
        classes=["0", "1"] if task == "classification" else None,
        train=np.arange(n) < 0.7 * n,
        time=START - 60 * DAY + np.sort(rng.integers(0, 60 * DAY, n)),
    )
    chosen = estimator or "hist_gradient_boosting"
    params = {"max_iter": 40} if chosen == "hist_gradient_boosting" else {}
    made = train(frame, spec, {"estimator": chosen, "params": params}, "code")
    baseline = Baseline.from_json(json.loads(made.files["baseline.json"]))
    return Model(spec, load(made.files["plan.json"]), baseline)


@dataclass(frozen=True)
class Trouble:
    """``true``: what the rows really are; ``sent``: what the endpoint gets to see of them;
    ``tells``: the truth's log-odds; ``served``: which model answers, and which did before."""

    true: Callable[[np.random.Generator, Rows], Rows] = lambda rng, rows: rows
    sent: Callable[[np.random.Generator, Rows], Rows] = lambda rng, rows: rows
    tells: Callable[[Rows], npt.NDArray[np.float64]] = signal
    served: float = 1.0
    before: float | None = None


def window(
    trouble: Trouble,
    seed: int,
    rows: int = 1_500,
    task: str = "classification",
    labels: bool = True,
    estimator: str = "",
    order: int = 1,
) -> Diagnosis | None:
    """A day of serving in that trouble, and what is said of it; ``order`` -1: read backwards."""
    rng = np.random.default_rng(seed)
    real = trouble.true(rng, draw(rng, rows))
    y = truth(rng, trouble.tells(real), task)
    sent = trouble.sent(rng, {name: values.copy() for name, values in real.items()})
    made = model(task, estimator, trouble.served)
    instances = [
        {n: None if v != v else v for n, v in zip(sent, row, strict=True)}
        for row in zip(*(values.tolist() for values in sent.values()), strict=True)
    ]
    scores = made.scorer.score(made.scorer.lenient_rows(instances))
    records = [
        {"id": _id(START + i * DAY // rows, i), "role": "champion", "features": f, "prediction": s}
        for i, (f, s) in enumerate(zip(instances, scores, strict=True))
    ]
    known = Labelled(records[::order], y.astype(np.float64)[::order]) if labels else None
    seen = Sketches.of(made.spec, made.baseline, records, known or Labelled([], np.empty(0)))
    report = _report(made, records, seen, known)
    before = None
    if trouble.before is not None:
        other = model(task, estimator, trouble.before).scorer
        theirs = np.array(other.score(other.lenient_rows(instances)), np.float64)
        before = losses.row_losses(made.baseline.metric, y, theirs)[::order]
    return diagnose(made.spec, made.baseline, report, seen, known, before)


def _report(made: Model, records: Any, seen: Sketches, known: Labelled | None) -> dict[str, Any]:
    """What judging has said by the time a diagnosis is made."""
    scores = made.baseline.score(made.spec.monitor, seen.features, seen.prediction)
    ranked = sorted(scores.features, key=lambda name: -scores.features[name]["ratio"])
    labelled = known or Labelled([], np.empty(0))
    return {
        "features": scores.features,
        "prediction": scores.prediction,
        "ranked": ranked,
        "drift_ratio": max(
            scores.prediction["ratio"], *(s["ratio"] for s in scores.features.values())
        ),
        "performance": performance(made.spec, made.baseline, records, labelled),
    }


def _id(ms: int, i: int) -> str:
    digits = f"{ms:012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{i:012x}"


# --- what can go wrong --------------------------------------------------------------------------


def put(name: str, values: Callable[[np.random.Generator, Any], Any], share: float = 1.0) -> Any:
    """Replaces a column, or a share of its values."""

    def change(rng: np.random.Generator, rows: Rows) -> Rows:
        hit = rng.random(rows[name].size) < share
        return {**rows, name: np.where(hit, values(rng, rows[name]), rows[name])}

    return change


def factor(name: str, by: float, share: float = 1.0) -> Trouble:
    return Trouble(sent=put(name, lambda rng, v: v * by, share))


def _season(rng: np.random.Generator, rows: Rows) -> Rows:
    warmer = rng.normal(27.0, 2.0)
    temp = rows["temp"] * 0.8 + 9.0 + warmer
    dewp = temp - rng.gamma(4.0, 4.0, temp.size)
    return {**rows, "temp": temp, "dewp": dewp, "wind": rows["wind"] * 0.8}


NOTHING = Trouble()
TROUBLES: dict[str, dict[str, Trouble]] = {
    "unit_bug": {
        "temp ×100": factor("temp", 100),
        "distance ×1000": factor("distance", 1000),
        "distance ÷1000": factor("distance", 0.001),
        "hour ×60": factor("hour", 60),
        "late ×10": factor("late", 10),
        "temp ×100 in a third": factor("temp", 100, 0.33),
        "distance ×100 in a tenth": factor("distance", 100, 0.1),
        "temp in °C": Trouble(sent=put("temp", lambda rng, v: (v - 32) / 1.8)),
        "wind inverted": Trouble(sent=put("wind", lambda rng, v: 1 / v)),
        "temp negated": factor("temp", -1),
        "carrier in small letters": Trouble(
            sent=put("carrier", lambda rng, v: np.array([c.lower() for c in v], object))
        ),
        "×100 in a season": Trouble(true=_season, sent=put("temp", lambda rng, v: v * 100)),
    },
    "missing_source": {
        "temp gone": Trouble(sent=put("temp", lambda rng, v: np.nan)),
        "wind gone in a fifth": Trouble(sent=put("wind", lambda rng, v: np.nan, 0.2)),
        "temp -999": Trouble(sent=put("temp", lambda rng, v: -999.0, 0.5)),
        "wind stuck": Trouble(sent=put("wind", lambda rng, v: 10.25)),
        "late always 0": Trouble(sent=put("late", lambda rng, v: 0.0)),
    },
    "new_category": {
        "carrier ZZ": Trouble(true=put("carrier", lambda rng, v: "ZZ", 0.2)),
        "carrier ZZ, few": Trouble(true=put("carrier", lambda rng, v: "ZZ", 0.06)),
        "origin PHL": Trouble(true=put("origin", lambda rng, v: "PHL", 0.3)),
    },
    "population_shift": {
        "season": Trouble(true=_season),
        "more evening flights": Trouble(true=put("hour", lambda rng, v: np.minimum(23, v + 4))),
        "longer flights": Trouble(true=put("distance", lambda rng, v: v * np.exp(0.4))),
        "one carrier strikes": Trouble(
            true=put("carrier", lambda rng, v: np.where(v == "AA", "WN", v))
        ),
        "later planes": Trouble(true=put("late", lambda rng, v: v + 0.7)),
    },
    "calibration_shift": {
        "more of all": Trouble(tells=lambda rows: signal(rows) + 1.0),
        "less sure of all": Trouble(tells=lambda rows: 0.55 * signal(rows) + 0.6),
    },
    "concept_shift": {
        "flipped": Trouble(tells=lambda rows: signal(rows, flip=-1.0)),
        "relation lost": Trouble(tells=lambda rows: signal(rows, flip=0.0)),
        "all turned round": Trouble(tells=lambda rows: -signal(rows)),
    },
    "bad_release": {
        "learned the wrong way": Trouble(served=-1.0, before=1.0),
    },
}


def tally(seeds: int, **more: Any) -> dict[str, dict[str, int]]:
    """Case → how often each kind was named."""
    found: dict[str, dict[str, int]] = {}
    cases = {"nothing": NOTHING}
    for kind, troubles in TROUBLES.items():
        cases |= {f"{kind}: {name}": trouble for name, trouble in troubles.items()}
    for name, trouble in cases.items():
        row = found.setdefault(name, {})
        for seed in range(seeds):
            said = window(trouble, seed, **more)
            kind = said.kind if said else "none"
            row[kind] = row.get(kind, 0) + 1
    return found


__all__ = ["NOTHING", "TROUBLES", "Trouble", "model", "replace", "tally", "window"]
