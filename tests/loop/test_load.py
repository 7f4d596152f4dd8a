"""Thousands of requests while one canary is promoted, another is withdrawn and the registry is out
of reach for a while: every one is answered, and answered by the version it names."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from scipy.stats import binom

from driftloop.plan import Scorer, load
from tests.conftest import ROOT
from tests.loop import challengers
from tests.loop.challengers import Desk
from tests.loop.conftest import Loop, deployed

MODEL, SHARE, SPEED, ASKERS = "busy", 0.3, 60, 3
FRESH = 11 / SPEED  # real seconds until every environment has looked for its route
SPEC = {
    "name": MODEL,
    "task": "classification",
    "target": "late",
    "key": "k",
    "features": {"x": {"type": "number"}, "y": {"type": "number", "nullable": True}},
    "release": {"strategy": "canary", "share": SHARE, "bake": "5m", "patience": 5},
}


def row(number: int) -> dict[str, Any]:
    y = None if number % 5 == 0 else number % 97 / 97
    return {"x": number % 1009 / 1009, "y": y, "k": f"customer {number}"}


@dataclass(frozen=True)
class Told:
    """What was answered about row ``number``; ``stale``: the seconds the answer owned up to."""

    number: int
    version: int
    probability: float
    stale: int


@dataclass
class Storm:
    """Askers that ask without a pause, each over a connection of its own."""

    url: str
    answers: list[Told] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Storm:
        self._askers = [threading.Thread(target=self._ask, args=(n,)) for n in range(ASKERS)]
        for asker in self._askers:
            asker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for asker in self._askers:
            asker.join(30)

    def _ask(self, number: int) -> None:
        parts = urlsplit(self.url)
        with closing(HTTPConnection(parts.netloc, timeout=30)) as connection:
            while not self.over.is_set():
                connection.request("POST", parts.path, json.dumps({"instances": [row(number)]}))
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200:
                    said = json.loads(text)
                    (found,) = said["predictions"]
                    stale = int(answer.headers.get("x-driftloop-stale", 0))
                    self.answers.append(Told(number, said["version"], found["probability"], stale))
                else:
                    self.problems.append(f"{answer.status}: {text.decode()}")
                number += ASKERS

    def goes_on(self, count: int) -> list[Told]:
        """The next ``count`` answers."""
        start, end = len(self.answers), time.monotonic() + 60
        while len(self.answers) < start + count and time.monotonic() < end:
            assert self.problems == []
            time.sleep(0.02)
        return self.answers[start : start + count]


@pytest.fixture(scope="module")
def world(synth: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    path = tmp_path_factory.mktemp("specs") / "busy.yaml"
    path.write_text(yaml.safe_dump(SPEC))
    environments = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
    environments["dev"] |= {"authorizer": "none", "throttling": {"rate": 5000, "burst": 5000}}
    assembly = synth(models=str(path), environments=environments)
    with deployed(assembly, speed=SPEED, start=datetime(2013, 2, 1, tzinfo=UTC)) as world:
        yield world


def lived(desk: Desk, step: dict[str, Any]) -> dict[str, Any]:
    """The release's end; the clock runs by itself."""
    end = time.monotonic() + 60
    while step["status"] == "baking" and time.monotonic() < end:
        time.sleep(step["wait_seconds"] / SPEED)
        step = desk.observe()
    return step


def test_law_6_live_always_resolves_whatever_happens_to_route_and_registry(world: Loop) -> None:
    desk = Desk(world, MODEL)
    plan = challengers.stumps("x", "y")
    plans = {1: plan, 2: challengers.good(plan), 3: challengers.wrong(plan)}
    assert desk.start(desk.register(plan))["status"] == "promoted"
    desk.end()
    url = f"{world.platform['ApiUrl']}/models/{MODEL}/predict"
    with Storm(url) as storm:
        assert {told.version for told in storm.goes_on(200)} == {1}

        step = desk.start(desk.register(plans[2]))
        time.sleep(FRESH)
        shared = storm.goes_on(1000)
        with world.local.outages.of("dynamodb", role=f"{MODEL}-Predict", delay=0.05):
            time.sleep(FRESH)
            during = storm.goes_on(500)
        step = lived(desk, step)
        assert step["status"] == "promoted", step
        time.sleep(FRESH)
        assert {told.version for told in storm.goes_on(200)} == {2}

        step = desk.start(desk.register(plans[3]))
        time.sleep(FRESH)
        risky = storm.goes_on(500)
        step = lived(desk, step)
        assert step["status"] == "rolled_back" and "answers: " in step["reason"], step
        time.sleep(FRESH)
        assert {told.version for told in storm.goes_on(200)} == {2}

    assert storm.problems == []
    assert len(storm.answers) > 2500
    assert max(told.stale for told in during) >= 10
    by_version = {number: load(data) for number, data in plans.items()}
    for told in storm.answers:
        assert told.probability == expected(by_version[told.version], row(told.number)), told
    for part, challenger in ((shared, 2), (during, 2), (risky, 3)):
        share = Counter(told.version for told in part)
        low, high = binom.interval(0.9999, len(part), SHARE)
        assert low <= share[challenger] <= high, (share, low, high)


def expected(scorer: Scorer, asked: dict[str, Any]) -> float:
    (found,) = scorer.score([scorer.row(asked)])
    assert isinstance(found, float)
    return found
