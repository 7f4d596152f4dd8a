"""Five things that go wrong on the deployed loop, day by day: what is said of each, and done."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import yaml

from driftloop import keys
from tests.loop.conftest import Loop, as_csv, deployed

MODEL = "scenes"
SPEC: dict[str, Any] = {
    "name": MODEL,
    "task": "classification",
    "target": "y",
    "features": {
        **{name: {"type": "number"} for name in ("temp", "dewp", "wind", "late")},
        "carrier": {"type": "category"},
    },
    "training": {"estimators": ["logistic_regression"], "trials": 1},
    "release": {"strategy": "all_at_once"},
    "monitor": {"min_rows": 200, "performance": {"metric": "log_loss", "tolerance": 0.1}},
    "retrain": {"on": ["upload", "drift", "performance"], "cooldown": "12h"},
}
DAY = timedelta(days=1)
Rows = list[dict[str, Any]]
Change = Callable[[dict[str, Any]], dict[str, Any]]


class World:
    """What is true outside: rows and their outcomes, drawn from one seed."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(11)

    def rows(self, count: int, true: Change = dict, flip: float = 1.0) -> Rows:
        """``true``: what the rows are instead; ``flip``: of what ``late`` says of the outcome."""
        return [self._row(true, flip) for _ in range(count)]

    def _row(self, true: Change, flip: float) -> dict[str, Any]:
        draw = self._rng
        temp = draw.normal(40.0, 8.0)
        row: dict[str, Any] = {
            "temp": temp, "dewp": temp - draw.gamma(3.0, 3.0), "wind": draw.gamma(4.0, 2.5),
            "late": draw.normal(), "carrier": str(draw.choice(["AA", "DL", "UA"])),
        }  # fmt: skip
        row = {n: v if isinstance(v, str) else round(v, 3) for n, v in true(row).items()}
        odds = np.exp(flip * 2.0 * row["late"] + 0.05 * (row["temp"] - 40) + (row["wind"] > 12))
        return {**row, "y": str(int(draw.random() < odds / (1 + odds)))}


class Scene:
    """One model, day after day."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.world = loop, World()

    def day(self, rows: Rows, sent: Change = dict) -> str:
        """A day of traffic, of which ``sent`` is what the endpoint is given; its labels come the
        same evening, and it is judged in the night. Returns the day."""
        clock = self.loop.local.clock
        clock.advance_to(clock.now().replace(hour=9, minute=0) + DAY)
        day = f"{clock.now():%Y-%m-%d}"
        asked = [{n: v for n, v in sent(row).items() if n != "y"} for row in rows]
        answer = self.loop.predict(MODEL, asked)
        assert answer.status == 200, answer.body
        told = zip(answer.body["predictions"], rows, strict=True)
        text = "id,y\n" + "".join(f"{p['id']},{row['y']}\n" for p, row in told)
        self.loop.put(keys.label_file(MODEL, f"{day}.csv"), text.encode())
        clock.advance_to(clock.now().replace(hour=4, minute=0) + DAY)
        self.loop.local.wait_idle(240)
        return day

    def said(self, day: str) -> dict[str, Any] | None:
        """The diagnosis of the day's last report."""
        prefix = keys.monitor(MODEL, f"{day}T000000Z")
        reports = sorted(k for k in self.loop.stored(prefix) if k.endswith(".json") and "/rep" in k)
        found: dict[str, Any] | None = json.loads(self.loop.store(reports[-1]))["diagnosis"]
        return found

    def decisions(self, day: str) -> Rows:
        """What was decided about alarms since that day, oldest first; sweeps find them standing."""
        found = [r for r in self.loop.items(MODEL, keys.LEDGER) if str(r["time"]) > day]
        told = [r for r in found if r["kind"] in ("alarm", "sweep") and r["decision"] != "recorded"]
        return sorted(told, key=lambda r: str(r["time"]))

    @property
    def runs(self) -> Rows:
        return self.loop.runs(MODEL)

    @property
    def champion(self) -> int:
        return int(self.loop.route(MODEL)["champion"]["version"])


@pytest.fixture(scope="module")
def scene(synth: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    path = tmp_path_factory.mktemp("scenes") / "scenes.yaml"
    path.write_text(yaml.safe_dump(SPEC, sort_keys=False))
    # At three, so that schedules find the day before closed.
    with deployed(synth(models=str(path)), speed=0, start=datetime(2013, 2, 1, 3, tzinfo=UTC)) as w:
        found = Scene(w)
        w.upload(MODEL, "first.csv", as_csv(found.world.rows(4_000)))
        assert found.champion == 1
        yield found


def test_five_scenarios_are_named_and_met_as_the_policy_says(scene: Scene) -> None:
    _wrong_unit(scene)
    _season(scene)
    _new_carrier(scene)
    _flipped_relation(scene)
    _bad_release(scene)


def _wrong_unit(scene: Scene) -> None:
    """Whatever comes after it, nothing is learned from such a day."""
    runs = len(scene.runs)
    day = scene.day(scene.world.rows(300), sent=lambda row: {**row, "wind": row["wind"] * 100})
    said = scene.said(day)
    assert said is not None and (said["kind"], said["action"]) == ("unit_bug", "quarantine")
    assert [f["name"] for f in said["features"]] == ["wind"]
    scene.loop.local.clock.advance(2 * DAY)  # sweeps, and the alarm stands
    scene.loop.local.wait_idle(240)
    assert len(scene.runs) == runs
    decisions = scene.decisions(day)
    assert len(decisions) > 3 and {r["decision"] for r in decisions} == {"suppressed"}
    assert all("100 times too large" in r["reason"] for r in decisions)
    held = json.loads(scene.loop.store(keys.quarantined_windows(MODEL)))
    assert len(held) == 1


def _season(scene: Scene) -> None:
    def warm(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "temp": row["temp"] + 30.0, "dewp": row["dewp"] + 27.0}

    assert scene.said(scene.day(scene.world.rows(300))) is None
    runs = len(scene.runs)
    said = scene.said(day := scene.day(scene.world.rows(300, true=warm)))
    assert said is not None and (said["kind"], said["action"]) == ("population_shift", "retrain")
    assert {f["name"] for f in said["features"]} == {"temp", "dewp"}
    _one_more_run(scene, runs, day)


def _new_carrier(scene: Scene) -> None:
    assert scene.said(scene.day(scene.world.rows(300))) is None
    runs = len(scene.runs)
    new = scene.world.rows(200) + scene.world.rows(100, true=lambda row: {**row, "carrier": "ZZ"})
    said = scene.said(day := scene.day(new))
    assert said is not None and (said["kind"], said["action"]) == ("new_category", "retrain")
    assert "'ZZ'" in said["text"]
    _one_more_run(scene, runs, day)


def _flipped_relation(scene: Scene) -> None:
    assert scene.said(scene.day(scene.world.rows(300))) is None
    runs = len(scene.runs)
    said = scene.said(day := scene.day(scene.world.rows(300, flip=-1.0)))
    assert said is not None and (said["kind"], said["action"]) == ("concept_shift", "retrain")
    assert said["features"][0]["name"] == "late"
    _one_more_run(scene, runs, day, "performance")


def _bad_release(scene: Scene) -> None:
    """Somebody uploads rows whose labels are the wrong way round, and the gates let it pass."""
    good = scene.champion
    scene.loop.upload(MODEL, "wrong.csv", as_csv(scene.world.rows(9_000, flip=-1.0)))
    assert scene.champion == good + 1
    runs = len(scene.runs)
    said = scene.said(day := scene.day(scene.world.rows(300)))
    assert said is not None and (said["kind"], said["action"]) == ("bad_release", "roll_back")
    assert scene.champion == good
    assert len(scene.runs) == runs
    (met,) = [r for r in scene.decisions(day) if r["decision"] == "rolled_back"]
    assert f"version {good} answers again" in met["reason"]


def _one_more_run(scene: Scene, runs: int, day: str, cause: str = "drift") -> None:
    assert [run["cause"] for run in scene.runs[runs:]] == [cause], scene.decisions(day)
    assert scene.runs[-1]["outcome"] == "released"
    assert scene.champion == int(scene.runs[-1]["version"])
