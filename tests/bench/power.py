"""How often drift is called where there is none, and how often where there is.

    python tests/bench/power.py [--windows 1000] [--json FILE]

Simulated: 50 correlated features (40 numbers, 10 categories; half of each one's variance is common
to all), 300 rows a window. Of every training set 50 windows are judged that follow it, so that the
scatter of the training set is in the figures. Beside driftloop stand two rules in wide use: PSI
above 0.2 in any feature, and a Kolmogorov-Smirnov (numbers) or χ² (categories) test of any feature
with p below 0.05. All see the same counts (KS on 100 bins, so its test alarms a little less).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy import stats

from driftloop import drift
from driftloop.baseline import Baseline, baseline
from driftloop.frame import Frame
from driftloop.reference import Reference
from driftloop.sketches.bins import NumberBins, TextBins
from driftloop.spec import Spec
from driftloop.spec_words import of
from driftloop.thresholds import tail
from driftloop.thresholds.statistics import Counts

Floats = npt.NDArray[np.float64]

NUMBERS, CATEGORIES = 40, 10
NAMES = ["a", "b", "c", "d", "e", "f"]
CUTS = stats.norm.ppf([0.3, 0.55, 0.75, 0.9, 0.97])
HOUR = 3_600_000
ROWS, AFTER = 300, 50


@dataclass(frozen=True)
class World:
    """How windows differ though nothing happens. ``hours``: a window's length; ``windows`` of
    training; ``daily``: a feature's swing over the day; ``days``: the deviation of its mean from
    day to day, an autoregression with 0.5."""

    name: str
    hours: int
    windows: int
    daily: float = 0.0
    days: float = 0.0

    def draw(self, rng: np.random.Generator, windows: int) -> Floats:
        """float64[windows · ROWS, features], in order of time."""
        n, features = windows * ROWS, NUMBERS + CATEGORIES
        half = 0.5**0.5
        drawn = half * (rng.normal(size=(n, 1)) + rng.normal(size=(n, features)))
        per = 24 // self.hours
        if self.daily:
            phase = 2 * np.pi * (np.arange(n) // ROWS % per) / per
            angle = rng.uniform(0, 2 * np.pi, features)
            drawn += self.daily * np.sin(phase[:, None] + angle)
        if self.days:
            level = np.zeros((windows // per + 21, features))
            for day in range(1, len(level)):
                level[day] = 0.5 * level[day - 1] + 0.75**0.5 * rng.normal(size=features)
            drawn += self.days * np.repeat(level[20:], per * ROWS, axis=0)[:n]
        return drawn


WORLDS = (
    World("independent rows, windows of a day", 24, 40),
    World("days that differ, windows of a day", 24, 40, days=0.2),
    World("a daily pattern, windows of an hour", 1, 240, daily=0.7, days=0.1),
)
SHIFTS = {
    "mean of one number, by so many deviations": (0.1, 0.2, 0.3, 0.5, 1.0, 2.0),
    "deviation of one number, times": (1.1, 1.25, 1.5, 2.0),
    "share that leaves one category for the rarest": (0.02, 0.05, 0.1, 0.2, 0.3),
}


def shifted(drawn: Floats, kind: str, size: float) -> Floats:
    """The same rows after something happened to one feature."""
    moved = drawn.copy()
    if kind.startswith("mean"):
        moved[:, 0] += size
    elif kind.startswith("deviation"):
        moved[:, 0] *= size
    else:
        most = np.flatnonzero(moved[:, NUMBERS] < CUTS[0])
        moved[most[: round(size * len(moved))], NUMBERS] = 9.0
    return moved


def spec(world: World, budget: str, alarm: str = "1 of 1") -> Spec:
    features: dict[str, object] = {f"n{i}": {"type": "number"} for i in range(NUMBERS)}
    features |= {f"c{i}": {"type": "category"} for i in range(CATEGORIES)}
    monitor = {"window": f"{world.hours}h", "min_rows": 100, "false_alarms": budget, "alarm": alarm}
    return Spec.parse(
        {
            "name": "simulated",
            "task": "regression",
            "target": "y",
            "time": "at",
            "features": features,
            "monitor": monitor,
        }
    )


def codes(drawn: Floats) -> npt.NDArray[np.int32]:
    return np.searchsorted(CUTS, drawn).astype(np.int32)


def trained(world: World, drawn: Floats, made: Spec) -> Baseline:
    n = len(drawn)
    columns: dict[str, npt.NDArray[np.generic]] = {
        f"n{i}": drawn[:, i].copy() for i in range(NUMBERS)
    }
    columns |= {f"c{i}": codes(drawn[:, NUMBERS + i]) for i in range(CATEGORIES)}
    vocabulary = {f"c{i}": NAMES for i in range(CATEGORIES)}
    time = np.repeat(np.arange(n // ROWS, dtype=np.int64) * world.hours * HOUR, ROWS)
    frame = Frame(columns, vocabulary, drawn[:, 1], None, np.arange(n) < 0.8 * n, time)
    return baseline(frame, drawn[:, :8].mean(1), "rmse", 1.0, made)


def counted(base: Reference, values: Floats) -> Counts:
    """Of windows of ROWS rows each."""
    found = []
    for over in (base.bins, base.fine):
        if isinstance(over, NumberBins):
            assigned, width = over.assign(values), len(over.edges) + 1
        else:
            assert isinstance(over, TextBins)
            assigned, width = over.assign(codes(values), NAMES), len(over.categories) + 1
        windows = len(values) // ROWS
        at = np.repeat(np.arange(windows), ROWS) * width + assigned
        tally = np.bincount(at, minlength=windows * width).reshape(windows, width)
        found.append(tally.astype(np.float64))
    return Counts(*found, np.empty(0), np.full(windows, float(ROWS)))


def columns(base: Baseline, drawn: Floats) -> Iterator[tuple[Reference, Counts]]:
    for i in range(NUMBERS):
        yield base.features[f"n{i}"], counted(base.features[f"n{i}"], drawn[:, i])
    for i in range(CATEGORIES):
        yield base.features[f"c{i}"], counted(base.features[f"c{i}"], drawn[:, NUMBERS + i])
    yield base.prediction, counted(base.prediction, drawn[:, :8].mean(1))


def alarms(base: Baseline, made: Spec, drawn: Floats) -> dict[str, npt.NDArray[np.bool_]]:
    """By rule, whether each window is called drift."""
    windows = len(drawn) // ROWS
    levels = base.null.levels(made.monitor)
    ratio = np.zeros(windows)
    fixed, tested = np.zeros(windows, bool), np.zeros(windows, bool)
    for column, window in columns(base, drawn):
        for value, limit in column.measured(window, base.null, levels).values():
            ratio = np.maximum(ratio, value / limit)
        training = np.array(column.counts, np.float64)
        fixed |= drift.psi(training, window.coarse) > 0.2
        tested |= _p_value(column, training, window) < 0.05
    enough, last = of(made.monitor.alarm)
    return {
        "driftloop": tail.standing_of(ratio, enough, last) > 1,
        "PSI > 0.2": fixed,
        "p < 0.05": tested,
    }


def _p_value(column: Reference, training: Floats, window: Counts) -> Floats:
    if isinstance(column.fine, NumberBins):
        whole = np.array(column.fine.counts(column.sketch), np.float64)
        rows = 1 / (1 / whole.sum() + 1 / ROWS)
        far = drift.kolmogorov_smirnov(whole, window.fine)
        return np.asarray(stats.kstwobign.sf(far * rows**0.5))
    far = drift.chi_squared(training, window.coarse)
    return np.asarray(stats.chi2.sf(far, (training > 0).sum() - 1))


def false_alarms(
    world: World, asked: Sequence[tuple[str, str]], windows: int, seed: int = 0
) -> list[dict[str, Any]]:
    """For each budget and alarm, by rule the windows without drift that are in alarm; ``alarms``:
    how often driftloop's began; ``expected`` and the binomial interval (99 %) of as many windows.
    A baseline serves every budget."""
    total: list[dict[str, Any]] = [
        {"world": world.name, "budget": b, "alarm": a, "windows": 0} for b, a in asked
    ]
    for run in range(windows // AFTER):
        rng = np.random.default_rng([seed, run])
        drawn = world.draw(rng, world.windows + AFTER)
        split = world.windows * ROWS
        base = trained(world, drawn[:split], spec(world, asked[0][0]))
        for row, (budget, alarm) in zip(total, asked, strict=True):
            made = spec(world, budget, alarm)
            for rule, called in alarms(base, made, drawn[split:]).items():
                row[rule] = row.get(rule, 0) + int(called.sum())
                if rule == "driftloop":
                    begun = called & ~np.concatenate([[False], called[:-1]])
                    row["alarms"] = row.get("alarms", 0) + int(begun.sum())
            row["windows"] += AFTER + 1 - of(alarm)[1]
            row["rate"] = base.null.rate(made.monitor)
    for row in total:
        least, most = stats.binom.interval(0.99, row["windows"], row["rate"])
        row |= {"expected": row["rate"] * row["windows"], "least": least, "most": most}
    return total


def power(world: World, budget: str, windows: int, seed: int = 1) -> dict[str, dict[str, float]]:
    """Shares of windows called drift by rule, for each shift and size."""
    made = spec(world, budget)
    found: dict[str, dict[str, float]] = {}
    runs = max(1, windows // AFTER)
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        drawn = world.draw(rng, world.windows + AFTER)
        split = world.windows * ROWS
        base = trained(world, drawn[:split], made)
        for kind, sizes in SHIFTS.items():
            for size in sizes:
                after = drawn[split:].reshape(AFTER, ROWS, -1)
                moved = np.concatenate([shifted(each, kind, size) for each in after])
                shares = found.setdefault(f"{kind} {size:g}", {})
                for rule, called in alarms(base, made, moved).items():
                    shares[rule] = shares.get(rule, 0.0) + float(called.mean()) / runs
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    console = Console(width=120)
    quiet = []
    table = Table("no drift", "budget", "windows", "expected", "99 %", "driftloop", "(alarms)",
                  "PSI > 0.2", "p < 0.05")  # fmt: skip
    for world in WORLDS:
        often = "1/month" if world.hours == 24 else "1/week"
        asked = [("4/year", "1 of 1"), (often, "1 of 1"), (often, "2 of 3")]
        for row in false_alarms(world, asked, options.windows):
            quiet.append(row)
            table.add_row(
                row["world"], f"{row['budget']}, {row['alarm']}", f"{row['windows']:,}",
                f"{row['expected']:.1f}", f"{row['least']:.0f}–{row['most']:.0f}",
                *(f"{row[rule]:,}" for rule in ("driftloop", "alarms", "PSI > 0.2", "p < 0.05")),
            )  # fmt: skip
    console.print(table)
    loud = {}
    for world in WORLDS[:2]:
        loud[world.name] = power(world, "4/year", options.windows // 5)
        table = Table(f"drift in one of 50: {world.name}", "driftloop", "PSI > 0.2", "p < 0.05")
        for name, shares in loud[world.name].items():
            table.add_row(name, *(f"{share:.0%}" for share in shares.values()))
        console.print(table)
    if options.json:
        options.json.write_text(json.dumps({"quiet": quiet, "power": loud}, indent=1))


if __name__ == "__main__":
    main()
