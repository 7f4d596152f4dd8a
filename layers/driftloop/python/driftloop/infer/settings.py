"""The rest of a spec, fitting the size of the data: no gate that cannot be met, no split too thin
to judge by, no window that never fills."""

from __future__ import annotations

import math
from typing import Any

from driftloop.infer.guess import Guess
from driftloop.infer.roles import Roles
from driftloop.infer.seen import Table
from driftloop.readable import share

HOLDOUTS = (0.2, 0.25, 0.3, 0.35, 0.4)
FEWEST_TRAIN, FEWEST_HOLDOUT = 50, 20  # as `prepare` has it
MANY_ROWS = 200_000  # a trial takes minutes from here on
DAY = 86_400_000.0  # milliseconds


def settings(
    table: Table, roles: Roles, rejected: int, leaves_out: bool, by_hash: str
) -> tuple[dict[str, Any], list[Guess]]:
    """The spec from ``data`` on, and what there is to say about it. ``rejected``: rows that the
    spec will reject, unreadable ones included; ``by_hash``: why not to split by time."""
    guesses: list[Guess] = []
    rows = max(table.rows + table.broken - rejected, 0)
    data, said = _data(table, roles, rejected, rows, leaves_out, by_hash)
    guesses += said
    metric = "log_loss" if roles.task == "classification" else "rmse"
    trials = 8 if rows <= MANY_ROWS else 4
    monitor, said = _monitor(table, roles)
    guesses += said
    return {
        "data": data,
        "training": {"trials": trials, "metric": metric, "seed": 7},
        "gates": {"beats_champion": {"metric": metric, "confidence": 0.95}},
        "release": {"strategy": "canary", "share": 0.1, "bake": "10m", "approval": "none"},
        "monitor": monitor | {"performance": {"metric": metric, "tolerance": 0.1}},
        "retrain": {"on": ["upload", "drift", "performance"], "cooldown": "6h"},
    }, guesses


def _data(
    table: Table, roles: Roles, rejected: int, rows: int, leaves_out: bool, by_hash: str
) -> tuple[dict[str, Any], list[Guess]]:
    guesses = []
    total = table.rows + table.broken
    bad, allowed = rejected / total, 0.05
    if bad > 0.04:
        allowed = min(1.0, math.ceil(bad * 125) / 100 + 0.01)
        told = f"{share(bad)} of the rows are rejected as they are"
        guesses.append(Guess("data.reject_above", f"{allowed:g}", told, unsure=True))
    data: dict[str, Any] = {"reject_above": allowed}
    if leaves_out:
        data["other_columns"] = "ignore"
    spread = 0.0 if roles.time or roles.task == "classification" else 2.5
    enough = [h for h in HOLDOUTS if h * rows - spread * math.sqrt(rows * h * (1 - h))
              >= FEWEST_HOLDOUT]  # fmt: skip
    holdout = enough[0] if enough else HOLDOUTS[-1]
    data["holdout"] = holdout
    if not enough or rows * (1 - holdout) < FEWEST_TRAIN:
        need = max(math.ceil(FEWEST_HOLDOUT / HOLDOUTS[-1]),
                   math.ceil(FEWEST_TRAIN / (1 - HOLDOUTS[-1])))  # fmt: skip
        told = f"{rows} rows are too few to learn from; the first upload needs about {need}"
        guesses.append(Guess("data.holdout", f"{holdout:g}", told, unsure=True))
    elif holdout != HOLDOUTS[0]:
        told = f"{rows} rows: a smaller share would be too few to judge by"
        guesses.append(Guess("data.holdout", f"{holdout:g}", told))
    if by_hash:
        guesses.append(Guess("data.split", "by hash", by_hash, unsure=True))
    if by_hash or not roles.time:
        split: dict[str, Any] = {"by": "hash"} if by_hash else {}
        split |= {"stratify": True} if roles.task == "classification" else {}
        data |= {"split": split} if split else {}
    return data, guesses


def _monitor(table: Table, roles: Roles) -> tuple[dict[str, Any], list[Guess]]:
    """A window that fills if requests come as often as rows did."""
    monitor: dict[str, Any] = {"window": "1d", "min_rows": 500, "false_alarms": "4/year"}
    seen = next((s for s in table.columns if s.name == roles.time), None)
    if seen is None or seen.low is None or seen.high is None or seen.high - seen.low < DAY:
        return monitor, []
    daily = table.rows / ((seen.high - seen.low) / DAY)
    if daily >= 600:
        return monitor, []
    days = 1 if daily >= 100 else 7
    monitor |= {"window": f"{days}d", "min_rows": min(500, max(50, int(daily * days / 2)))}
    told = f"the file has {daily:.3g} rows a day; if as many are predicted, a window can be judged"
    return monitor, [Guess("monitor.min_rows", str(monitor["min_rows"]), told, unsure=True)]
