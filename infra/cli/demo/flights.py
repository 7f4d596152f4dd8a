"""The example's flights as a client meets them: rows to ask about, in order of departure."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from driftloop.spec import Spec
from infra.cli.synth import ROOT

FOLDER = ROOT / "examples" / "flights"
DAY_BEGINS = timedelta(hours=8)
"""UTC. Between three and four in the night of New York nobody departs, and nearly all that
departed the day before has landed: the natural seam between two days of flying."""
MOST_ROWS = 500  # of one request
MOST_SPAN = timedelta(hours=10)  # from the first departure of a request to its last


@dataclass(frozen=True)
class Flight:
    """``instance`` is what the endpoint is asked; ``late`` what becomes known afterwards."""

    departs: datetime
    instance: dict[str, Any]
    late: int

    @property
    def day(self) -> date:
        return (self.departs - DAY_BEGINS).date()


def file(month: int) -> Path:
    return FOLDER / f"2013-{month:02d}.csv.gz"


def read(month: int, spec: Spec) -> list[Flight]:
    """A month's flights, in order of departure."""
    with gzip.open(file(month), "rt", encoding="utf-8", newline="") as lines:
        found = [_flight(row, spec) for row in csv.DictReader(lines)]
    return sorted(found, key=lambda flight: flight.departs)


def _flight(row: Mapping[str, str], spec: Spec) -> Flight:
    instance: dict[str, Any] = {
        name: (float(row[name]) if feature.type == "number" else row[name]) if row[name] else None
        for name, feature in spec.features.items()
    }
    for extra in (spec.key, spec.time):  # ours and the event's time: they come back with captures
        if extra:
            instance[extra] = row[extra]
    return Flight(datetime.fromisoformat(row["sched_dep"]), instance, int(row[spec.target]))


def days(flights: list[Flight]) -> Iterator[tuple[date, list[Flight]]]:
    """Flights by day of flying, in order."""
    found: dict[date, list[Flight]] = {}
    for flight in flights:
        found.setdefault(flight.day, []).append(flight)
    yield from found.items()


def batches(flights: list[Flight]) -> Iterator[list[Flight]]:
    """A day's flights as requests."""
    batch: list[Flight] = []
    for flight in flights:
        if batch and (len(batch) == MOST_ROWS or flight.departs - batch[0].departs > MOST_SPAN):
            yield batch
            batch = []
        batch.append(flight)
    if batch:
        yield batch
