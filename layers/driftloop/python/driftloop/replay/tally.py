"""What a policy came to: quality served, runs, alarms, cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from driftloop import losses
from driftloop.captured import Record
from driftloop.ids import id_ms
from driftloop.truth import reader
from driftloop.when import from_ms


@dataclass(frozen=True)
class Ran:
    """A run: when, why, what came of it; ``seconds`` measured, by stage."""

    time: str
    cause: str
    mode: str
    outcome: str
    version: int | None
    why: str
    seconds: Mapping[str, float] = field(default_factory=dict)

    def gb_seconds(self, memory: Mapping[str, int]) -> float:
        """``memory``: MiB of each stage."""
        return sum(took * memory.get(stage, 0) / 1024 for stage, took in self.seconds.items())


@dataclass(frozen=True)
class Rang:
    """An alarm that went off. ``false``: the newest window it judged by kept what was promised at
    training, as its labels told; None where they told nothing."""

    time: str
    cause: str
    window: str
    false: bool | None


@dataclass
class Served:
    """Answers beside their truths, by month and by the classes the version knew."""

    metric: str
    unknown: int = 0
    _of: dict[str, dict[tuple[str, ...] | None, tuple[list[float], list[Any]]]] = field(
        default_factory=dict
    )

    def add(
        self, records: Sequence[Record], truths: Mapping[str, Any], classes: Sequence[str] | None
    ) -> None:
        """``records`` that one version answered, with its classes. A truth it never learned is
        counted apart, as the monitor does."""
        read, names = reader(classes), None if classes is None else tuple(classes)
        for record in records:
            if record["id"] not in truths:
                continue
            truth = read(truths[record["id"]])
            if truth is None:
                self.unknown += 1
                continue
            month = f"{from_ms(id_ms(record['id'])):%Y-%m}"
            target, said = self._of.setdefault(month, {}).setdefault(names, ([], []))
            target.append(truth)
            said.append(record["prediction"])

    def value(self, month: str | None = None) -> tuple[float | None, int]:
        """The metric over a month (or all of them) and the rows it is of. Versions that knew
        different classes are measured apart and weighed by their rows."""
        groups: dict[Any, tuple[list[float], list[Any]]] = {}
        for name, found in self._of.items():
            if month in (None, name):
                for names, (target, said) in found.items():
                    both = groups.setdefault(names, ([], []))
                    both[0].extend(target)
                    both[1].extend(said)
        weighed = []
        for target, said in groups.values():
            value = losses.value(self.metric, np.array(target), np.array(said, np.float64))
            if value is not None:
                weighed.append((value, len(target)))
        rows = sum(n for _, n in weighed)
        return (sum(v * n for v, n in weighed) / rows if rows else None), rows

    @property
    def months(self) -> list[str]:
        return sorted(self._of)


@dataclass(frozen=True)
class Outcome:
    """A policy's year. ``held_back``: labelled rows of windows that it did not learn from.
    Everything but ``gb_seconds`` (of Lambda's memory) and the runs' ``seconds``, which
    are measured, is the same each time it is played."""

    policy: str
    metric: str
    value: float | None
    rows: int
    months: dict[str, float | None]
    runs: list[Ran] = field(default_factory=list)
    alarms: list[Rang] = field(default_factory=list)
    decisions: dict[str, int] = field(default_factory=dict)
    held_back: int = 0
    gb_seconds: float = 0.0

    @property
    def released(self) -> int:
        return sum(run.outcome == "released" for run in self.runs)

    @property
    def false_alarms(self) -> int:
        return sum(rang.false is True for rang in self.alarms)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "released": self.released,
            "false_alarms": self.false_alarms,
        }
