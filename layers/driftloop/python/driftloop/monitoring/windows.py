"""Which windows are to be judged, and from which objects.

Captures are listed by day and version, and only where some may have come since the last call: in
windows that closed since, in those of the last :data:`ALWAYS` days, and in an older one whenever
its age has doubled, so that what comes late is seen no later than as late again. Labels come late
as a rule: theirs are all listed. A version is only looked for where it may have answered: in the
route now, made since, or seen thereabouts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from driftloop import captured, keys
from driftloop.blobs import Blobs
from driftloop.ids import digest
from driftloop.monitoring.state import State
from driftloop.spec import Spec
from driftloop.when import from_ms, parse, to_ms

HORIZON_DAYS = 92  # how far back a window may still be judged or restated …
HORIZON_WINDOWS = 2000  # … or this many windows, if they are short
ALWAYS = 7  # days
DAY = 86_400_000
SKEW = 2 * DAY  # how far a version's ids may lie from the time it was made or is known to answer


class Watched(Protocol):
    """A version, as the registry knows it (:class:`driftloop.version.Version` is one)."""

    @property
    def created(self) -> str: ...
    @property
    def baseline_key(self) -> str: ...
    @property
    def plan_key(self) -> str: ...
    @property
    def plan_sha256(self) -> str: ...
    @property
    def champion_at_birth(self) -> int | None: ...


@dataclass(frozen=True)
class Task:
    """A version's window: the digests of the objects it is made of, and their keys. ``captures``
    is None where none was looked for: then what was frozen is all there is."""

    start: int
    version: int
    inputs: tuple[str, str]
    captures: tuple[str, ...] | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Windows:
    """The windows of a spec as of ``now`` (epoch milliseconds). ``serving``: the versions that are
    in the route."""

    spec: Spec
    now: int
    state: State
    versions: Mapping[int, Watched]
    serving: Collection[int]

    @property
    def span(self) -> int:
        """Milliseconds."""
        return round(self.spec.monitor.window.total_seconds() * 1000)

    @property
    def first(self) -> int:
        """Start of the first window in view."""
        reach = min(HORIZON_DAYS * DAY, HORIZON_WINDOWS * self.span)
        return self._floor(self.last - reach)

    @property
    def last(self) -> int:
        """Start of the first window that is not closed yet."""
        return self._closed(self.now)

    def due(self, store: Blobs) -> list[Task]:
        """Windows that hold captures and whose objects are not those they were judged from last
        time. Those never judged come first, and the newest of each: if there is too much to do,
        the present matters more."""
        captures, labels = self._captures(store), self._labels(store)
        found = []
        for start, version in sorted({*captures, *self._known()}):
            entry = self.state.entry(start, version)
            objects = captures.get((start, version))
            said = tuple(
                key
                for day in range(start // DAY, -(-(start + self.span) // DAY))
                for key in labels.get(day, ())
            )
            inputs = (
                digest(*objects)[:16] if objects else entry["in"][0],
                digest(*said)[:16],
            )
            if entry.get("in") != list(inputs):
                found.append(Task(start, version, inputs, objects, said))
        return sorted(found, key=self._urgency)

    def _urgency(self, task: Task) -> tuple[bool, int, int]:
        judged = "revision" in self.state.entry(task.start, task.version)
        return judged, -task.start, task.version

    def _known(self) -> Iterator[tuple[int, int]]:
        return (
            (start, version)
            for start, version in self.state.known()
            if self.first <= start < self.last and version in self.versions
        )

    def _captures(self, store: Blobs) -> dict[tuple[int, int], tuple[str, ...]]:
        """By window and version, of those windows that are looked into."""
        hours: dict[int, set[int]] = defaultdict(set)
        looked = [w for w in range(self.first, self.last, self.span) if self._may_have_changed(w)]
        for start in looked:
            for version in self._may_have_answered(start):
                hours[version] |= {*self._hours(start)}
        found: dict[tuple[int, int], list[str]] = defaultdict(list)
        for version, within in hours.items():
            by_hour: dict[int, list[str]] = defaultdict(list)
            names = captured.object_keys(store, self.spec.name, [version], within)
            for key, hour in names.items():
                by_hour[hour].append(key)
            for start in looked if by_hour else ():
                for hour in self._hours(start):
                    found[start, version] += by_hour.get(hour, ())
        return {at: tuple(sorted(names)) for at, names in found.items() if names}

    def _hours(self, start: int) -> range:
        return range(start // captured.HOUR, -(-(start + self.span) // captured.HOUR))

    def _may_have_changed(self, start: int) -> bool:
        before, end = self.state.asked, start + self.span
        if before is None or start >= self._closed(before) or end > self.now - ALWAYS * DAY:
            return True
        return ((self.now - end) // DAY).bit_length() != ((before - end) // DAY).bit_length()

    def _may_have_answered(self, start: int) -> list[int]:
        reach = SKEW + self.span
        found = []
        for number, made in self._made.items():
            seen = self._seen[number]
            at = bisect_left(seen, start - reach)
            lately = at < len(seen) and seen[at] <= start + reach
            young = made > start - SKEW
            if made - SKEW < start + self.span and (number in self.serving or lately or young):
                found.append(number)
        return found

    @cached_property
    def _made(self) -> dict[int, int]:
        return {n: to_ms(parse(self.versions[n].created)) for n in sorted(self.versions)}

    @cached_property
    def _seen(self) -> dict[int, list[int]]:
        """The windows each version was seen in."""
        found: dict[int, list[int]] = defaultdict(list)
        for start, version in sorted(self.state.known()):
            found[version].append(start)
        return found

    def _labels(self, store: Blobs) -> dict[int, list[str]]:
        """Label objects by the day (whole days since the epoch) of their predictions."""
        found: dict[int, list[str]] = defaultdict(list)
        days = range(self.first // DAY, -(-self.last // DAY))
        prefix = keys.labels(self.spec.name)
        for month in sorted({f"{from_ms(day * DAY):%Y-%m}" for day in days}):
            for key in store.list(f"{prefix}dt={month}-"):
                found[to_ms(parse(key.removeprefix(f"{prefix}dt=")[:10])) // DAY].append(key)
        return found

    def _closed(self, now: int) -> int:
        """Until when windows are over, and the spec's grace after them."""
        return self._floor(now - round(self.spec.monitor.grace.total_seconds() * 1000))

    def _floor(self, ms: int) -> int:
        return ms - ms % self.span
