"""A policy replayed: the loop's own decisions, on what was known when they were made."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from driftloop.replay.oracle import oracle
from driftloop.replay.player import Player
from driftloop.replay.policy import Policy
from driftloop.replay.tally import Outcome
from driftloop.replay.workshop import Workshop
from infra.local.schedule_expression import parse
from tests.driftloop.replay.small import DAY, DAYS, FIRST, ROWS, TURNS, history, policy, spec

MEMORY = {"prepare": 1024, "tune": 1024, "train": 1024, "validate": 1024}
NEVER = {"retrain": {"on": []}}
WEEKLY = {
    "retrain": {"on": ["schedule"], "schedule": "rate(7 days)"},
    "gates": {"beats_champion": None},
}


def fires(expression: str, after: datetime, since: datetime) -> datetime | None:
    return parse(expression).next_after(after, since)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workshop")


def play(found: Policy, folder: Path, days: int = DAYS, train: bool = True) -> Outcome:
    ticks = iter(range(10**9))
    workshop = Workshop(folder, lambda: float(next(ticks))) if train else None
    return Player(history(days), found, workshop, fires).play(MEMORY)


@pytest.fixture(scope="module")
def never(folder: Path) -> Outcome:
    return play(policy(**NEVER), folder)


@pytest.fixture(scope="module")
def watched(folder: Path) -> Outcome:
    return play(policy(), folder)


def test_who_never_retrains_pays_nothing_and_hears_that_something_is_wrong(never: Outcome) -> None:
    assert (never.runs, never.gb_seconds, never.rows) == ([], 0.0, DAYS * ROWS)
    assert never.value is not None and never.value > 0.6  # 0.35 until the relation turned
    first = min(a.time for a in never.alarms if a.cause == "performance")
    assert first.startswith("2013-02-1")  # the 9th is the first wrong day; told on the 10th
    assert all(not a.false for a in never.alarms if a.cause == "performance")


def test_who_listens_learns_the_new_relation(never: Outcome, watched: Outcome) -> None:
    assert watched.value is not None and never.value is not None
    assert watched.value < never.value
    assert watched.released >= 1 and {run.cause for run in watched.runs} == {"performance"}
    assert min(run.time for run in watched.runs) >= f"2013-02-{TURNS + 1:02d}"
    assert watched.gb_seconds == sum(sum(run.seconds.values()) for run in watched.runs) > 0


def test_a_schedule_is_kept(folder: Path) -> None:
    found = play(policy(**WEEKLY), folder)
    assert [run.time[:10] for run in found.runs] == ["2013-02-08", "2013-02-15", "2013-02-22"]
    assert {run.cause for run in found.runs} == {"schedule"} and found.released == 3


def test_the_same_again_is_the_same_and_a_history_only_read_law_2(
    watched: Outcome, folder: Path
) -> None:
    before = dict(history().objects)
    again = play(policy(), folder)
    assert _without_times(again) == _without_times(watched)
    assert dict(history().objects) == before


def test_what_comes_later_changes_nothing_before_it(watched: Outcome, folder: Path) -> None:
    """The history cut short is the beginning of the whole one: nobody looked ahead."""
    short = play(policy(), folder, days=DAYS - 5)
    end = f"2013-02-{DAYS - 5 + 1:02d}T00"
    assert [r.time for r in short.runs] == [r.time for r in watched.runs if r.time < end]
    assert [a.time for a in short.alarms] == [a.time for a in watched.alarms if a.time < end]
    assert (
        short.runs
        and _without_times(short)["runs"] == _without_times(watched)["runs"][: len(short.runs)]
    )


def test_without_training_answers_are_as_recorded() -> None:
    found = play(policy(), Path(), train=False)
    assert found.value == pytest.approx(0.6931, abs=1e-4)  # the recorded half and half
    assert found.runs and {run.outcome for run in found.runs} == {"asked for"}
    assert found.gb_seconds == 0.0


def test_nobody_does_better_than_the_oracle(watched: Outcome, never: Outcome) -> None:
    ticks = iter(range(10**9))
    bound = oracle(history(), spec(), lambda: float(next(ticks)))
    assert bound.value is not None and watched.value is not None
    assert bound.value < watched.value and bound.rows == never.rows
    assert [run.time[:10] for run in bound.runs] == ["2013-02-08", "2013-02-15", "2013-02-22"]


def test_the_past_of_a_history_is_known_at_its_start(folder: Path) -> None:
    """Labels and parts of before are there from the first moment on."""
    late = replace(history(), start=FIRST + 3 * DAY)
    found = Player(late, policy(**NEVER), Workshop(folder, lambda: 0.0), fires).play(MEMORY)
    assert found.rows == (DAYS - 3) * ROWS


def _without_times(found: Outcome) -> dict[str, object]:
    said = found.to_json() | {"gb_seconds": 0}
    return said | {"runs": [run | {"seconds": {}} for run in said["runs"]]}
