"""Runs without AWS: prepare, tune, train and validate in this process, each timed.

What was trained once is trained once: a candidate follows from its dataset and spec (law 2), so
policies that come to the same share it, and its measured time, through a folder.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from driftloop import keys, tune
from driftloop.data import dataset
from driftloop.frame import Frame
from driftloop.ids import canonical, digest
from driftloop.plan import Scorer, load, schema
from driftloop.prepare import prepare
from driftloop.replay.memory import Memory
from driftloop.spec import Spec
from driftloop.train import FILES, PLAN, Candidate, recalibrate, train
from driftloop.validate import Champion, Verdict, validate
from driftloop.version import Version

CODE = "replay"
IRRELEVANT = ("name", "description", "gates", "release", "retrain", "capture", "stream")
"""What of a spec no candidate depends on."""
Seconds = dict[str, float]


@dataclass
class Learnt:
    """A candidate in the store. ``seconds``: measured, by stage."""

    candidate: dict[str, Any]
    frame: Frame
    data: dict[str, Any]
    seconds: Seconds

    def version(self, number: int, run: str, cause: str, now: str, birth: int | None) -> Version:
        """Its record, as far as replay needs one."""
        made = self.candidate
        return Version(
            version=number,
            candidate=made["candidate"],
            plan_key=made["plan_key"],
            plan_sha256=made["plan_sha256"],
            run=run,
            cause=cause,
            dataset=self.data["dataset"],
            frame=self.data["frame"],
            estimator=made["estimator"],
            params=made["params"],
            champion_at_birth=birth,
            created=now,
            spec_digest="",
            code_digest=CODE,
            baseline_key=made["baseline_key"],
        )


@dataclass
class Workshop:
    """``clock``: seconds, to measure with."""

    folder: Path
    clock: Callable[[], float]
    _scorers: dict[str, Scorer] = field(default_factory=dict)

    def learn(
        self,
        store: Memory,
        spec: Spec,
        now: str,
        mode: str = "train",
        champion: Version | None = None,
    ) -> Learnt:
        """A candidate of what counts ``now`` (ISO); in the mode ``recalibrate`` the champion's
        plan set right, where that can be done. Raises NotEnoughData, TrainingError."""
        began = self.clock()
        found = dataset.current(store, spec)
        data = prepare(store, spec, found.digest if found else None, now)
        frame = Frame.from_bytes(store.get(data["key"]))
        store.forget(data["key"])
        seconds = {"prepare": self.clock() - began}
        trials = tune.propose(spec)
        if champion and mode == "recalibrate":
            plan = schema.read(store.get(champion.plan_key))
            trials = tune.recalibration(spec, champion, plan, frame.classes)
        place = self.folder / digest(data["frame"], canonical(trials), _relevant(spec))[:32]
        if not place.exists():
            self._train(store, frame, spec, trials, place)
        kept = json.loads((place / "kept.json").read_text())
        made = Candidate({name: (place / name).read_bytes() for name in FILES})
        for name, body in made.files.items():
            store.put_if_absent(keys.version_artefact(spec.name, made.name, name), body)
        answer = made.summary(spec.name, kept["choice"], data["train_rows"])
        return Learnt(answer, frame, data, seconds | kept["seconds"])

    def judge(self, store: Memory, spec: Spec, learnt: Learnt, champion: Version | None) -> Verdict:
        """The verdict, its time added to ``learnt.seconds``."""
        began = self.clock()
        scorer = self.scorer(store, learnt.candidate)
        theirs = None
        if champion:
            theirs = Champion(champion.version, self.scorer(store, vars(champion)))
        verdict = validate(learnt.frame, spec, scorer, theirs, self.clock)
        learnt.seconds["validate"] = self.clock() - began
        return verdict

    def scorer(self, store: Memory, made: Mapping[str, Any]) -> Scorer:
        """The plan of a version or candidate (by ``plan_key`` and ``plan_sha256``), loaded once."""
        sha256 = made["plan_sha256"]
        if sha256 not in self._scorers:
            self._scorers[sha256] = load(store.get(made["plan_key"]), sha256)
        return self._scorers[sha256]

    def _train(
        self, store: Memory, frame: Frame, spec: Spec, trials: list[tune.Trial], place: Path
    ) -> None:
        began = self.clock()
        whose = trials[0].get("recalibrate")
        files = {name: store.get(key) for name, key in whose["files"].items()} if whose else {}
        scorer = load(files[PLAN]) if whose else None
        choice = tune.choose(spec, [tune.evaluate(frame, spec, t, scorer) for t in trials])
        tuned = self.clock()
        if whose:
            made = recalibrate(frame, spec, choice, CODE, files)
        else:
            made = train(frame, spec, choice, CODE)
        seconds = {"tune": tuned - began, "train": self.clock() - tuned}
        folder = Path(mkdtemp(dir=self.folder))
        for name, data in made.files.items():
            (folder / name).write_bytes(data)
        (folder / "kept.json").write_text(json.dumps({"choice": choice, "seconds": seconds}))
        try:
            folder.rename(place)
        except OSError:  # another policy was faster; what it made is the same
            if not place.exists():
                raise


def _relevant(spec: Spec) -> str:
    said = spec.model_dump(mode="json")
    features = list(said.pop("features").items())  # their order counts
    return json.dumps([{k: v for k, v in said.items() if k not in IRRELEVANT}, features])
