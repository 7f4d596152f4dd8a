"""Closed windows → judgements: reports for people, ratios for alarms.

A window closes when it is over and ``monitor.grace`` has passed. Each call looks at every closed
window of the horizon whose captures or labels changed since it was judged: a new one gets revision
1, one that reads differently now (labels came, or late captures) the next. Only the version that is
champion now drives the alarms: what a retired one did is for the reports. Metrics are stamped with
the time of the call, and go out before the state is written, so that a crash repeats them rather
than losing them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftloop import captured, emf, keys, truth
from driftloop.baseline import Baseline
from driftloop.blobs import Blobs
from driftloop.captured import pack
from driftloop.data.dataset import dump
from driftloop.errors import NotFound
from driftloop.ids import digest, id_ms
from driftloop.judgement import Sketches, judge
from driftloop.pages.window_report import html
from driftloop.spec import Spec
from driftloop.when import from_ms, parse, to_ms

HORIZON_DAYS = 92  # how far back a window may still be judged or restated …
HORIZON_WINDOWS = 2000  # … or this many windows, if they are short
MOST = 200  # judgements of one call; the next one goes on

Line = str


@dataclass(frozen=True)
class Task:
    """A version's window that is to be judged, and the objects it is judged from."""

    start: int
    version: int
    objects: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def inputs(self) -> list[str]:
        return [digest(*self.objects)[:16], digest(*self.labels)[:16]]


@dataclass
class Monitor:
    """``env``: whose metrics. ``versions``: number → key of its baseline. ``emit`` takes each
    metric line."""

    env: str
    store: Blobs
    spec: Spec
    versions: Mapping[int, str]
    champion: int | None
    emit: Callable[[Line], None]
    _baselines: dict[int, Baseline] = field(default_factory=dict)

    def run(self, now: str) -> dict[str, Any]:
        """Judge what is to be judged as of ``now`` (ISO). Returns ``{"judged": [summaries],
        "left": windows for the next call}``."""
        state = self._state()
        tasks = [t for t in self.tasks(to_ms(parse(now))) if _entry(state, t).get("in") != t.inputs]
        summaries = []
        for task in tasks[:MOST]:
            entry = _entry(state, task)
            report = self._judge(task, entry)
            again = entry.get("content")
            if report and report["content"] != again:
                revision = entry.get("revision", 0) + 1
                entry["revision"], entry["content"] = revision, report.pop("content")
                self._publish(task, report, revision)
                summaries.append(_summary(report, revision))
                for line in self._metrics(report, revision, to_ms(parse(now))):
                    self.emit(line)
            entry["in"] = task.inputs
            state.setdefault(str(task.start), {})[str(task.version)] = entry
        if tasks:
            kept = self._horizon(to_ms(parse(now)))[0]
            state = {start: found for start, found in state.items() if int(start) >= kept}
            body = {"window": self._span, "windows": state}
            self.store.put(keys.monitor_state(self.spec.name), dump(body))
        return {"judged": summaries, "left": max(0, len(tasks) - MOST)}

    def tasks(self, now: int) -> list[Task]:
        """Every closed window of the horizon that holds captures, oldest first."""
        first, last = self._horizon(now)
        hours = range(first // captured.HOUR, -(-last // captured.HOUR))
        if not hours:
            return []
        truths = self._label_objects(first, last)
        found = []
        for version in sorted(self.versions):
            windows: dict[int, list[str]] = defaultdict(list)
            objects = captured.object_keys(self.store, self.spec.name, [version], hours)
            for key, hour in objects.items():
                begin = hour * captured.HOUR
                for start in range(self._floor(begin), begin + captured.HOUR, self._span):
                    if first <= start < last:
                        windows[start].append(key)
            for start, names in windows.items():
                days = {day for day in truths if start - _DAY < day < start + self._span}
                labels = tuple(sorted(key for day in days for key in truths[day]))
                found.append(Task(start, version, tuple(sorted(names)), labels))
        return sorted(found, key=lambda t: (t.start, t.version))

    @property
    def _span(self) -> int:
        return round(self.spec.monitor.window.total_seconds() * 1000)

    def _floor(self, ms: int) -> int:
        return ms - ms % self._span

    def _horizon(self, now: int) -> tuple[int, int]:
        """First and (excluded) last start of the windows in view."""
        last = self._floor(now - round(self.spec.monitor.grace.total_seconds() * 1000))
        reach = min(HORIZON_DAYS * _DAY, HORIZON_WINDOWS * self._span)
        return self._floor(last - reach), last

    def _label_objects(self, first: int, last: int) -> dict[int, list[str]]:
        """Label objects by the day (its start, epoch milliseconds) of their predictions."""
        found: dict[int, list[str]] = defaultdict(list)
        days = range(first // _DAY, -(-last // _DAY))
        prefix = keys.labels(self.spec.name)
        for month in sorted({f"{from_ms(day * _DAY):%Y-%m}" for day in days}):
            for key in self.store.list(f"{prefix}dt={month}-"):
                day = key.removeprefix(f"{prefix}dt=")[:10]
                found[to_ms(parse(day))].append(key)
        return found

    def _judge(self, task: Task, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        """Freeze the window's captures and judge them; None if none lies in the window."""
        end, baseline = task.start + self._span, self._baseline(task.version)
        frozen = self._key(task, "captures.jsonl.gz")
        same = entry.get("in", [None])[0] == task.inputs[0] and entry.get("revision")
        read = captured.read(self.store, [frozen] if same else task.objects)
        served = (r for r in read if r.get("role") != captured.SHADOW)
        records = captured.once(r for r in served if task.start <= id_ms(r["id"]) < end)
        if not records:
            return None
        seen = Sketches.of(baseline, records)
        if not same:
            self.store.put(frozen, pack(records))
            self.store.put(self._key(task, "sketch.json"), dump(seen.to_json()))
        labels = truth.labels(self.store, task.labels)
        report = judge(
            self.spec, baseline, task.version, task.start, end, records, seen, labels
        )  # fmt: skip
        return {**report, "sketches": seen, "content": digest(dump(report).decode())[:16]}

    def _publish(self, task: Task, report: dict[str, Any], revision: int) -> None:
        seen: Sketches = report.pop("sketches")
        report["revision"] = revision
        window, name = _name(task.start), self.spec.name
        page = html(report, self._baseline(task.version), seen)
        for kind, data in (("html", page.encode()), ("json", dump(report))):
            self.store.put(keys.window_report(name, window, task.version, revision, kind), data)

    def _metrics(self, report: Mapping[str, Any], revision: int, now: int) -> list[Line]:
        if report["version"] != self.champion:
            return []
        model = {"model": self.spec.name}
        values: dict[str, tuple[float, str]] = {}
        watched = self.spec.monitor
        if revision == 1:
            values["WindowRows"] = (report["rows"], "Count")
            if watched.drift and report["drift_ratio"] is not None:
                values["DriftRatio"] = (report["drift_ratio"], "None")
        if watched.performance and report["performance"]["ratio"] is not None:
            values["PerformanceRatio"] = (report["performance"]["ratio"], "None")
        lines = [emf.line(self.env, now, model, values)] if values else []
        if "DriftRatio" in values:
            lines += [
                emf.line(self.env, now, {**model, "feature": name},
                         {"FeatureDriftRatio": (report["features"][name]["ratio"], "None")})
                for name in report["ranked"]
            ]  # fmt: skip
        return lines

    def _baseline(self, version: int) -> Baseline:
        if version not in self._baselines:
            document = json.loads(self.store.get(self.versions[version]))
            self._baselines[version] = Baseline.from_json(document)
        return self._baselines[version]

    def _key(self, task: Task, file: str) -> str:
        return keys.monitor(self.spec.name, _name(task.start), f"v{task.version:06d}/{file}")

    def _state(self) -> dict[str, Any]:
        """What was judged, by window and version; forgotten when the window's length changes."""
        try:
            body = json.loads(self.store.get(keys.monitor_state(self.spec.name)))
        except NotFound:
            return {}
        return dict(body["windows"]) if body["window"] == self._span else {}


_DAY = 86_400_000


def _name(start: int) -> str:
    return f"{from_ms(start):%Y-%m-%dT%H%M%SZ}"


def _entry(state: Mapping[str, Any], task: Task) -> dict[str, Any]:
    return dict(state.get(str(task.start), {}).get(str(task.version), {}))


def _summary(report: Mapping[str, Any], revision: int) -> dict[str, Any]:
    return {
        "window": report["window"],
        "version": report["version"],
        "role": report["role"],
        "revision": revision,
        "status": report["status"],
        "rows": report["rows"],
        "labelled": report["performance"]["rows"],
        "drift_ratio": report["drift_ratio"],
        "performance_ratio": report["performance"]["ratio"],
        "moved": report["ranked"][:3],
    }
