"""The rest of a spec, fitting the size of the data: no gate that cannot be met, no split too thin
to judge by, no window that never fills."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from driftloop.infer.guess import Guess
from driftloop.infer.roles import Roles
from driftloop.infer.seen import Table
from driftloop.pages.readable import share

HOLDOUTS = (0.2, 0.25, 0.3, 0.35)
FEWEST_TRAIN, FEWEST_HOLDOUT = 50, 20  # as `prepare` has it
MANY_ROWS = 200_000  # a trial takes minutes from here on
REPEATED = 0.005  # share of equal rows above which they are no accident
DAY = 86_400_000.0  # milliseconds


@dataclass(frozen=True)
class Size:
    """Rows of the file; those that the spec rejects; those that equal another accepted one."""

    total: int
    rejected: int
    repeated: int

    @property
    def bad(self) -> float:
        return self.rejected / self.total

    @property
    def left(self) -> int:
        return max(self.total - self.rejected, 0)


def settings(
    table: Table, roles: Roles, size: Size, leaves_out: bool, by_hash: str
) -> tuple[dict[str, Any], list[Guess]]:
    """The spec from ``data`` on, and what there is to say about it. ``by_hash``: why not to split
    by time."""
    guesses: list[Guess] = []
    data = _data(roles, size, leaves_out, guesses) | _split(roles, size, by_hash, guesses)
    metric = "log_loss" if roles.task == "classification" else "rmse"
    trials = 8 if size.left <= MANY_ROWS else 4
    performance = {"performance": {"metric": metric, "tolerance": 0.1}}
    told = "a new version that too few requests came to see goes back; promote would keep it"
    guesses.append(Guess("release.unseen", "roll_back", told))
    return {
        "data": data,
        "training": {"trials": trials, "metric": metric, "seed": 7},
        "gates": {"beats_champion": {"metric": metric, "confidence": 0.95}},
        "release": {"strategy": "canary", "share": 0.1, "bake": "10m", "unseen": "roll_back"},
        "monitor": _monitor(table, roles, guesses) | performance,
        "retrain": {"on": ["upload", "drift", "performance"], "cooldown": "6h"},
    }, guesses


def _data(roles: Roles, size: Size, leaves_out: bool, guesses: list[Guess]) -> dict[str, Any]:
    allowed = 0.05
    if size.bad > 0.04:
        allowed = min(1.0, math.ceil(size.bad * 125) / 100 + 0.01)
        told = f"{share(size.bad)} of the rows are rejected as they are"
        guesses.append(Guess("data.reject_above", f"{allowed:g}", told, unsure=True))
    data: dict[str, Any] = {"reject_above": allowed}
    if not roles.key and size.repeated > REPEATED * size.total:
        told = f"{size.repeated:,} rows equal another one in all that is named here"
        guesses.append(Guess("data.duplicates", "keep", told, True, ("drop, if by accident",)))
        data["duplicates"] = "keep"
    return data | ({"other_columns": "ignore"} if leaves_out else {})


def _split(roles: Roles, size: Size, by_hash: str, guesses: list[Guess]) -> dict[str, Any]:
    """A holdout large enough to judge by, however the hash may fall."""
    rows = size.left
    exact = roles.task == "classification" or (roles.time and not by_hash)
    spread = 0.0 if exact else 2.5
    enough = [h for h in HOLDOUTS if rows * (1 - h) >= FEWEST_TRAIN
              and h * rows - spread * math.sqrt(rows * h * (1 - h)) >= FEWEST_HOLDOUT]  # fmt: skip
    holdout = enough[0] if enough else 0.3
    if not enough:
        told = f"{rows} rows are too few to learn from; the first upload needs about 100"
        guesses.append(Guess("data.holdout", f"{holdout:g}", told, unsure=True))
    elif holdout != HOLDOUTS[0]:
        told = f"{rows} rows: a smaller share would be too few to judge by"
        guesses.append(Guess("data.holdout", f"{holdout:g}", told))
    split: dict[str, Any] = {"by": "hash"} if by_hash else {}
    if by_hash:
        guesses.append(Guess("data.split", "by hash", by_hash, unsure=True))
    if (by_hash or not roles.time) and roles.task == "classification":
        split["stratify"] = True
    return {**({"split": split} if split else {}), "holdout": holdout}


def _monitor(table: Table, roles: Roles, guesses: list[Guess]) -> dict[str, Any]:
    """A window that fills if requests come as often as rows did."""
    monitor: dict[str, Any] = {"window": "1d", "min_rows": 500}
    seen = next((s for s in table.columns if s.name == roles.time), None)
    if seen is None or seen.low is None or seen.high is None or seen.high - seen.low < DAY:
        return monitor
    daily = table.rows / ((seen.high - seen.low) / DAY)
    if daily >= 600:
        return monitor
    days = 1 if daily >= 100 else 7
    fewest = min(500, max(50, int(daily * days / 2)))
    told = f"the file has {daily:.3g} rows a day; if as many are predicted, a window can be judged"
    guesses.append(Guess("monitor.min_rows", str(fewest), told, unsure=True))
    return monitor | {"window": f"{days}d", "min_rows": fewest}
