"""One day of flying: the endpoint is asked before each departure, the truth is told at night."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from driftloop import keys
from driftloop.client import Endpoint
from infra.cli.demo.flights import DAY_BEGINS, Flight, batches
from infra.cli.demo.world import World

LABELS_COME = timedelta(minutes=30)  # before the next day begins


@dataclass(frozen=True)
class Answer:
    """A flight, and what was answered about it: the chance that it is late, by which version."""

    flight: Flight
    id: str
    version: int
    chance: float


def begins(day: date) -> datetime:
    """The moment a day of flying begins, UTC."""
    return datetime.combine(day, time(), UTC) + DAY_BEGINS


def serve(world: World, endpoint: Endpoint, day: date, flights: list[Flight]) -> list[Answer]:
    """Ask about a day's flights as they come up; the clock goes with them."""
    answers: list[Answer] = []
    for batch in batches(flights):
        world.local.clock.advance_to(batch[0].departs)
        said = endpoint.predict([flight.instance for flight in batch])
        answers += [
            Answer(flight, p["id"], p["version"], p["probability"])
            for flight, p in zip(batch, said, strict=True)
        ]
    return answers


def tell(world: World, model: str, target: str, day: date, answers: list[Answer]) -> None:
    """Hand in what became of a day's flights; then the night passes, and the monitor looks."""
    clock = world.local.clock
    morning = begins(day + timedelta(days=1))
    clock.advance_to(morning - LABELS_COME)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", target])
    writer.writerows([answer.id, answer.flight.late] for answer in answers)
    key = keys.label_file(model, f"arrivals-{day}.csv")
    world.deployment.landing.put(key, text.getvalue().encode(), "text/csv")
    clock.advance_to(morning)
