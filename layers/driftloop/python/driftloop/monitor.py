"""Closed windows → judgements: reports for people, ratios for alarms, the watch for the governor.

A window closes when it is over and ``monitor.grace`` has passed. Each call judges the closed
windows whose captures or labels are not those they were judged from
(:mod:`driftloop.monitoring.windows`): a new one gets revision 1, one that reads differently now the
next. Only the version that is champion now drives the alarms: what a retired one did is for the
reports. The watch is written before the metrics go out, and these before the state is, so that a
crash repeats them rather than losing them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftloop import captured, keys, truth
from driftloop.baseline import Baseline
from driftloop.blobs import Blobs
from driftloop.captured import Record, pack
from driftloop.data.dataset import dump
from driftloop.errors import IntegrityError, NotFound
from driftloop.ids import digest, id_ms
from driftloop.judgement import Report, Sketches, judge, without_thresholds
from driftloop.monitoring import earlier, metrics, watching
from driftloop.monitoring.metrics import Said
from driftloop.monitoring.state import Entry, State, concluded
from driftloop.monitoring.windows import Task, Watched, Windows
from driftloop.plan import Scorer, load
from driftloop.realised import Labelled
from driftloop.sketches.sketch import Floats
from driftloop.spec import Spec
from driftloop.watch import Watch
from driftloop.when import from_ms, parse, to_ms

MOST = 200  # judgements of one call; the next one goes on …
MOST_ROWS = 1_000_000  # … as after so many rows were read
SAMPLE = 100_000  # rows: of a larger window no more are judged

Page = Callable[[Report, Baseline, Sketches], str]


@dataclass
class Monitor:
    """``env``: whose metrics. ``versions``: all there are; ``champion`` is one of them, and
    ``serving`` those that are in the route besides. ``emit`` takes each metric line, ``tell`` the
    watch; ``page`` makes the HTML of a report, None if nobody is to read it."""

    env: str
    store: Blobs
    spec: Spec
    versions: Mapping[int, Watched]
    champion: int | None
    emit: Callable[[str], object]
    tell: Callable[[Watch], object] = lambda watch: None
    page: Page | None = None
    serving: Collection[int] = ()
    _baselines: dict[int, Baseline | str] = field(default_factory=dict)
    _plans: dict[int, Scorer | None] = field(default_factory=dict)
    _told: tuple[tuple[str, ...], dict[str, Any]] = ((), {})  # the labels read last
    _rows: int = 0  # read by this call

    def run(self, now: str) -> dict[str, Any]:
        """Judge what is to be judged as of ``now`` (ISO). Returns ``{"judged": [summaries],
        "left": windows for the next call}``."""
        moment, name = to_ms(parse(now)), self.spec.name
        state = State.read(self.store, name, self._span)
        serving = {*self.serving, *([self.champion] if self.champion else ())}
        windows = Windows(self.spec, moment, state, self.versions, serving)
        tasks = windows.due(self.store)
        said: dict[int, Said] = {}
        summaries: list[dict[str, Any]] = []
        done = self._rows = 0
        for task in tasks[:MOST]:
            if self._rows >= MOST_ROWS:
                break
            before = state.entry(task.start, task.version)
            entry, report = self._judged(task, before, state.revisions)
            state.note(task.start, task.version, entry)
            done += 1
            if report:
                summaries.append(_summary(report))
                if task.version == self.champion:
                    said[task.start] = Said(report, before)
        left = len(tasks) - done
        if not left:
            state.asked = max(moment, state.asked or moment)
        self._quarantine(state)
        self._tell(moment, state, said)
        state.forget(windows.first)
        state.write(self.store, name)
        summaries.sort(key=lambda each: (each["window"]["start"], each["version"]))
        return {"judged": summaries, "left": left}

    def _judged(self, task: Task, before: Entry, revisions: int) -> tuple[Entry, Report | None]:
        """What to remember of the window, and its report if that is not the one there was.
        ``revisions``: those a window may have had that is not remembered."""
        entry = {**before, "in": list(task.inputs)}
        records = self._records(task, before)
        if not records:
            return entry, None
        report, page = self._report(task, records)
        content = digest(dump(report).decode())[:16]
        if content == before.get("content"):
            return entry, None
        report["revision"] = before.get("revision", revisions) + 1
        for kind, body in (("html", page), ("json", lambda: dump(report))):
            if body:
                key = keys.window_report(
                    self.spec.name, _name(task), task.version, report["revision"], kind
                )
                self.store.put(key, body())
        done = {"revision": report["revision"], "content": content}
        return entry | concluded(report) | done, report

    def _records(self, task: Task, before: Entry) -> list[Record]:
        """The window's captures, each once, which are frozen when they are new."""
        frozen = self._key(task, "captures.jsonl.gz")
        if task.captures is None or before.get("in", [""])[0] == task.inputs[0]:
            return [*self._read([frozen])] if "revision" in before else []
        end = task.start + self._span
        records = captured.once(
            (
                record
                for record in self._read(task.captures)
                if task.start <= id_ms(record["id"]) < end and record.get("role") != captured.SHADOW
            ),
            SAMPLE,
        )
        if records:
            self.store.put(frozen, pack(records))
        return records

    def _read(self, objects: Iterable[str]) -> Iterator[Record]:
        for record in captured.read(self.store, objects):
            self._rows += 1
            yield record

    def _report(
        self, task: Task, records: list[Record]
    ) -> tuple[Report, Callable[[], bytes] | None]:
        """The report, and what makes its page."""
        spec, version, end = self.spec, task.version, task.start + self._span
        baseline = self._baseline(version)
        if isinstance(baseline, str):
            return without_thresholds(spec, version, task.start, end, records, baseline), None
        labelled = Labelled.of(records, self._labels(task.labels), baseline.classes)
        seen = Sketches.of(spec, baseline, records, labelled)
        self.store.put(self._key(task, "sketch.json"), dump(seen.to_json()))

        def before(rows: Labelled) -> Floats | None:
            scorer = self._earlier(version)
            return None if scorer is None else earlier.row_losses(scorer, spec, baseline, rows)

        report = judge(
            spec, baseline, version, task.start, end, records, seen, labelled, before
        )  # fmt: skip
        make = self.page
        return report, make and (lambda: make(report, baseline, seen).encode())

    def _labels(self, objects: tuple[str, ...]) -> dict[str, Any]:
        """Short windows of a day, one judged after the other, share its labels."""
        if self._told[0] != objects:
            self._told = objects, truth.labels(self.store, objects)
        return self._told[1]

    def _quarantine(self, state: State) -> None:
        """Keep the list of windows that nothing may be learned from."""
        key = keys.quarantined_windows(self.spec.name)
        try:
            old = json.loads(self.store.get(key))
        except NotFound:
            old = []
        new = watching.quarantined(state, old)
        if new != old:
            self.store.put(key, dump(new))

    def _tell(self, now: int, state: State, said: Mapping[int, Said]) -> None:
        if self.champion is None:
            return
        watch = watching.watch(state, self.champion, self.spec.monitor)
        if watch:
            self.tell(watch)
        for line in metrics.lines(self.env, now, self.spec, state, watch, said):
            self.emit(line)

    def _baseline(self, version: int) -> Baseline | str:
        """The baseline, or why there is none."""
        if version not in self._baselines:
            try:
                document = json.loads(self.store.get(self.versions[version].baseline_key))
                self._baselines[version] = Baseline.from_json(document)
            except IntegrityError:
                self._baselines[version] = "its baseline is of an older form"
            except NotFound:
                self._baselines[version] = "its baseline is gone"
        return self._baselines[version]

    def _earlier(self, version: int) -> Scorer | None:
        """The plan of the champion that ``version`` was made to replace, if it can be had."""
        number = self.versions[version].champion_at_birth
        if number is None or number not in self.versions:
            return None
        if number not in self._plans:
            old = self.versions[number]
            try:
                self._plans[number] = load(self.store.get(old.plan_key), old.plan_sha256)
            except (IntegrityError, NotFound):
                self._plans[number] = None
        return self._plans[number]

    @property
    def _span(self) -> int:
        return round(self.spec.monitor.window.total_seconds() * 1000)

    def _key(self, task: Task, file: str) -> str:
        return keys.monitor(self.spec.name, _name(task), f"v{task.version:06d}/{file}")


def _name(task: Task) -> str:
    return f"{from_ms(task.start):%Y-%m-%dT%H%M%SZ}"


def _summary(report: Report) -> dict[str, Any]:
    """``freed``: labelled rows that waited for the window to be judged and may be learned from."""
    performance, found = report["performance"], report["diagnosis"]
    held = report["revision"] > 1 or (found or {}).get("action") == watching.QUARANTINE
    return {
        "window": report["window"],
        "version": report["version"],
        "role": report["role"],
        "revision": report["revision"],
        "status": report["status"],
        "rows": report["rows"],
        "labelled": performance["rows"],
        "freed": 0 if held else performance["rows"],
        "drift_ratio": report["drift_ratio"],
        "performance_ratio": performance["ratio"],
        "moved": report["ranked"][:3],
        "diagnosis": found and found["kind"],
    }
