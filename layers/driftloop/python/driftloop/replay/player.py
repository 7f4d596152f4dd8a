"""One policy over a history, event by event, on a clock that only they move."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count, groupby
from typing import Any

from driftloop import keys, withheld
from driftloop.arrived import Arrived
from driftloop.captured import Record
from driftloop.decision import Standing
from driftloop.errors import DriftloopError
from driftloop.event import Event, read
from driftloop.gathering import HELD_BACK, gather
from driftloop.ids import id_ms
from driftloop.monitor import Monitor
from driftloop.replay import events
from driftloop.replay.alarm import METRICS, Alarm
from driftloop.replay.asked import Ahead, keep
from driftloop.replay.books import Books
from driftloop.replay.history import History
from driftloop.replay.memory import Memory
from driftloop.replay.policy import Policy
from driftloop.replay.tally import Outcome, Ran, Rang, Served
from driftloop.replay.workshop import Workshop
from driftloop.route import Route, promoted
from driftloop.route import Served as Answering
from driftloop.run import Run
from driftloop.uploads.intake import Intake
from driftloop.validate import Verdict
from driftloop.version import Version
from driftloop.watch import Watch
from driftloop.when import from_ms, iso, parse, to_ms

Next = Callable[[str, datetime, datetime], datetime | None]
"""When a schedule fires next: its expression, after when, counted from when."""
CAME, TOLD, ENDED, JUDGE, SCHEDULE, SWEEP = range(6)
"""What happens first of what happens at once."""


class Player:
    """``workshop`` None: nothing is trained. Then rows are answered as they were recorded, and a
    run is taken to release what was released."""

    def __init__(
        self, history: History, policy: Policy, workshop: Workshop | None, fires: Next
    ) -> None:
        self.history, self.spec, self.workshop = history, policy.spec, workshop
        self.name, self._fires = policy.name, fires
        first = {v.version: v for v in history.versions}
        self.versions = {n: v for n, v in first.items() if not workshop or n <= history.champion}
        self.store = Memory(history.objects)
        champion = _answering(self.versions[history.champion])
        self.books = Books(Route(1, champion, iso(from_ms(history.start))), self.versions)
        self.alarms = {cause: Alarm(cause) for cause in METRICS}
        self.served = Served(self._metric)
        self._truths = history.truths()
        self._rows = Ahead(history.asked())
        self._queue: list[tuple[int, int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order, self._deliveries = count(), count(1)
        self._lines: list[str] = []
        self._judged: dict[tuple[str, int], float | None] = {}
        self._rang: list[tuple[int, str, tuple[str, int]]] = []
        self._ran: dict[str, Ran] = {}
        self._days: set[str] = set()
        self._held: dict[str, int] = {}

    def play(self, memory: Mapping[str, int]) -> Outcome:
        """From the history's start to its end. ``memory``: MiB of each stage, for the cost."""
        history, span = self.history, _ms(self.spec.monitor.window)
        for intake in history.intakes:
            self._at(to_ms(parse(intake.ingested)), CAME, self._come, intake)
        for when, key in history.labels:
            self._at(when, TOLD, self._told, key)
        self._at(history.start + span, JUDGE, self._judge)
        self._at(history.start + _ms(self.spec.retrain.sweep), SWEEP, self._sweep)
        self._next_schedule(history.start)
        while self._queue and self._queue[0][0] < history.end:
            now, _, _, happen, given = heappop(self._queue)
            if now > history.start:
                self._serve(now)
            happen(now, *given)
        self._serve(history.end)
        return self._outcome(memory)

    def _at(self, when: int, rank: int, happen: Callable[..., None], *given: Any) -> None:
        heappush(self._queue, (when, rank, next(self._order), happen, given))

    # --- what happens whatever is decided ---------------------------------------------------------

    def _serve(self, until: int) -> None:
        """Answer what was asked before ``until``, with the version that answers now."""
        records = self._rows.before(until)
        if not records:
            return
        if self.workshop is not None:
            number = self.books.route.champion.version
            scorer = self.workshop.scorer(self.store, vars(self.versions[number]))
            scores = scorer.score(scorer.lenient_rows(r["features"] for r in records))
            change = {"version": number, "role": "champion"}
            records = [r | change | {"prediction": p} for r, p in zip(records, scores, strict=True)]
            self.served.add(records, self._truths, scorer.classes)
        else:
            self._as_recorded(records)
        keep(self.store, self.spec.name, records, str(next(self._order)))

    def _as_recorded(self, records: list[Record]) -> None:
        for number, found in groupby(records, key=lambda r: int(r["version"])):
            document = json.loads(self.store.get(self.versions[number].baseline_key))
            self.served.add(list(found), self._truths, document["classes"])
        crowned = [r["version"] for r in records if r["role"] == "champion"]
        if crowned and crowned[-1] != self.books.route.champion.version:
            self._promote(self.versions[crowned[-1]], id_ms(records[-1]["id"]))

    def _come(self, now: int, intake: Intake) -> None:
        """Labelled data comes in."""
        self.store.put(keys.facts(self.spec.name, intake.name), intake.dump())
        self.books.arrived = Arrived(intake.ingested, sum(part.rows for part in intake.parts))
        if now > self.history.start and intake.source == "upload":
            self._hear(now, events.uploaded(intake, now))

    def _told(self, now: int, key: str) -> None:
        """Truths come in; they are gathered into parts when somebody wants to learn."""
        self.store.put(key, self.history.objects[key])
        day = key.removeprefix(keys.labels(self.spec.name) + "dt=")[:10]
        self._days.add(day)
        moment = iso(from_ms(now))
        waiting = withheld.to_be_judged(self.store, self.spec, moment)
        if not withheld.touching(waiting, day):
            self.books.arrived = Arrived(moment)

    def _gather(self, now: int) -> None:
        marked = {
            f"{from_ms(at):%Y-%m-%d}"
            for start, end, _ in withheld.quarantined(self.store, self.spec.name)
            for at in (*range(start, end, withheld.DAY), end - 1)
        }
        versions = list(self.versions)
        for report in gather(
            self.store, self.spec, versions, self._days | marked, iso(from_ms(now))
        ):  # fmt: skip
            told = report["reasons"].items()
            held = sum(rows for rule, rows in told if rule.startswith(HELD_BACK))
            self._held[report["day"]] = held
        self._days.clear()

    # --- what is decided --------------------------------------------------------------------------

    def _judge(self, now: int) -> None:
        spec, champion = self.spec, self.books.route.champion.version
        monitor = Monitor(
            "replay", self.store, spec, self.versions, champion, self._lines.append, self._watched,
            serving={self.books.route.previous or champion},
        )  # fmt: skip
        judged = monitor.run(iso(from_ms(now)))["judged"]
        for summary in judged:
            place = summary["window"]["start"], summary["version"]
            self._judged[place] = summary["performance_ratio"]
            if summary["freed"]:
                self.books.arrived = Arrived(iso(from_ms(now)))
        lines, self._lines = self._lines, []
        for cause, alarm in self.alarms.items():
            if alarm.hear(lines, now):
                window = self._blamed(judged, champion, f"{cause}_ratio")
                self._rang.append((now, cause, (window, champion)))
                self._hear(now, events.alarmed(spec.name, cause, now))
        self._at(now + _ms(spec.monitor.window), JUDGE, self._judge)

    def _blamed(self, judged: list[dict[str, Any]], champion: int, ratio: str) -> str:
        """The newest window that an alarm went off for; with several to an alarm, the last."""
        mine = [j for j in judged if j["version"] == champion and j[ratio] is not None]
        found = max(mine, key=lambda j: (j[ratio] > 1, j["window"]["start"]))
        return str(found["window"]["start"])

    def _watched(self, watch: Watch) -> None:
        self.books.watch = watch

    def _sweep(self, now: int) -> None:
        self._hear(now, events.scheduled("sweep", now))
        self._at(now + _ms(self.spec.retrain.sweep), SWEEP, self._sweep)

    def _schedule(self, now: int) -> None:
        self._hear(now, events.scheduled("retrain", now))
        self._next_schedule(now)

    def _next_schedule(self, now: int) -> None:
        if self.spec.retrain.schedule:
            start = from_ms(self.history.start)
            if when := self._fires(self.spec.retrain.schedule, from_ms(now), start):
                self._at(to_ms(when), SCHEDULE, self._schedule)

    def _hear(self, now: int, raw: events.Raw) -> None:
        event: Event = read(raw, f"d{next(self._deliveries):06d}", self.spec.name)
        standing = tuple(
            Standing(a.cause, iso(from_ms(a.since))) for a in self.alarms.values() if a.since
        )
        decision = self.books.hear(event, self.spec, standing)
        if decision.start:
            self._run(now, decision.start)

    # --- runs -------------------------------------------------------------------------------------

    def _run(self, now: int, run: Run) -> None:
        """Train and judge at once; what passes is released when its bake is over."""
        mode = json.loads(run.input).get("mode", "train")
        if self.workshop is None:
            self._ran[run.run] = Ran(run.started, run.cause, mode, "asked for", None, run.reason)
            output: dict[str, Any] = {"release": {"status": "promoted", "reason": "as recorded"}}
            return self._at(now, ENDED, self._ended, run, output)
        seconds: dict[str, float] = {}
        champion = self.versions[self.books.route.champion.version]
        self._gather(now)
        try:
            learnt = self.workshop.learn(self.store, self.spec, run.started, mode, champion)
            seconds = learnt.seconds
            verdict = self.workshop.judge(self.store, self.spec, learnt, champion)
        except DriftloopError as error:
            why = f"{type(error).__name__}: {error}"
            self._note(run, mode, "failed", None, why, seconds)
            return self._at(now, ENDED, self._failed, run, error)
        said = {"verdict": verdict.summary()}
        if not verdict.accepted:
            self._note(run, mode, "rejected", None, _words(verdict), seconds)
            return self._at(now, ENDED, self._ended, run, said)
        number = max(self.versions) + 1
        made = learnt.version(number, run.run, run.cause, run.started, champion.version)
        self.versions[number] = made
        self._note(run, mode, "released", number, _words(verdict), seconds)
        release = {"status": "promoted", "reason": "its bake is over"}
        output = {**said, "version": {"version": number}, "release": release}
        bake = _ms(self.spec.release.bake) * len(self.spec.release.shares)
        return self._at(now + bake, ENDED, self._ended, run, output)

    def _note(
        self, run: Run, mode: str, outcome: str, number: int | None, why: str,
        seconds: Mapping[str, float],
    ) -> None:  # fmt: skip
        self._ran[run.run] = Ran(run.started, run.cause, mode, outcome, number, why, seconds)

    def _ended(self, now: int, run: Run, output: dict[str, Any]) -> None:
        if "version" in output:
            self._promote(self.versions[output["version"]["version"]], now)
        self._hear(now, events.ended(run, "SUCCEEDED", now, output=json.dumps(output)))

    def _failed(self, now: int, run: Run, error: Exception) -> None:
        cause = json.dumps({"errorMessage": str(error)})
        said = {"error": type(error).__name__, "cause": cause}
        self._hear(now, events.ended(run, "FAILED", now, **said))

    def _promote(self, version: Version, now: int) -> None:
        self.books.route = promoted(self.books.route, _answering(version), iso(from_ms(now)))

    # --- what it came to --------------------------------------------------------------------------

    @property
    def _metric(self) -> str:
        watched = self.spec.monitor.performance
        return watched.metric if watched else self.spec.metric

    def _outcome(self, memory: Mapping[str, int]) -> Outcome:
        value, rows = self.served.value()
        runs = sorted(self._ran.values(), key=lambda ran: ran.time)
        alarms = [
            Rang(iso(from_ms(now)), cause, place[0], None if (r := self._judged[place]) is None
                 else r <= 1)
            for now, cause, place in self._rang
        ]  # fmt: skip
        return Outcome(
            policy=self.name,
            metric=self.served.metric,
            value=value,
            rows=rows,
            months={month: self.served.value(month)[0] for month in self.served.months},
            runs=runs,
            alarms=alarms,
            decisions=dict(sorted(Counter(row.decision for row in self.books.ledger).items())),
            held_back=sum(self._held.values()),
            gb_seconds=sum(run.gb_seconds(memory) for run in runs),
        )


def _answering(version: Version) -> Answering:
    return Answering(version.version, version.plan_key, version.plan_sha256)


def _words(verdict: Verdict) -> str:
    """The gates that decided."""
    reasons = [r.text for r in verdict.reasons if not r.passed]
    return "; ".join(reasons or [r.text for r in verdict.reasons if r.gate == "beats_champion"])


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
