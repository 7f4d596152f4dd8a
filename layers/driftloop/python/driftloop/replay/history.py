"""What happened whatever was decided: rows that were asked about, their truths, data that came."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftloop import captured, keys, truth
from driftloop.blobs import Blobs, get_all
from driftloop.captured import Record
from driftloop.ids import id_ms
from driftloop.replay.memory import Memory
from driftloop.uploads.intake import Intake, intakes
from driftloop.version import Version
from driftloop.when import from_ms, iso
from driftloop.withheld import DAY


@dataclass(frozen=True)
class History:
    """``objects``: captures, labels, parts and artefacts by key. ``hours``: capture objects by
    hour since the epoch; ``labels``: when each label object was told (epoch milliseconds, as all
    times), in order; ``intakes``: uploads, and what was learned of labels before ``start`` (what is
    labelled later, each policy gathers itself). ``versions``: all there are; ``champion`` is the
    one of them that answered at ``start``."""

    model: str
    start: int
    end: int
    objects: Mapping[str, bytes]
    hours: Mapping[int, Sequence[str]]
    labels: Sequence[tuple[int, str]]
    intakes: Sequence[Intake]
    versions: Sequence[Version]
    champion: int

    @classmethod
    def read(
        cls,
        store: Blobs,
        model: str,
        versions: Sequence[Version],
        champion: int,
        start: int,
        end: int,
    ) -> History:
        """From a store as the loop keeps it, which is only read. ``versions``: all there are."""
        hours = range(start // captured.HOUR, -(-end // captured.HOUR))
        numbers = [version.version for version in versions]
        by_hour: dict[int, list[str]] = defaultdict(list)
        for key, hour in captured.object_keys(store, model, numbers, hours).items():
            by_hour[hour].append(key)
        came = [
            intake
            for intake in intakes(store, model)
            if intake.source == "upload" or intake.ingested <= iso(from_ms(start))
        ]
        prefix = keys.labels(model) + "dt="
        days = {str(day) for day in _days(start, end)}
        labels = [k for k in store.list(prefix) if k.removeprefix(prefix)[:10] in days]
        wanted = [
            *(key for found in by_hour.values() for key in found),
            *labels,
            *(keys.part(model, part.sha256) for intake in came for part in intake.parts),
            *(key for v in versions for key in (v.plan_key, v.baseline_key)),
            *filter(store.exists, (_pipeline(model, v) for v in versions)),
        ]
        objects = dict(get_all(store, dict.fromkeys(wanted)))
        told = sorted((_told(objects[key]), key) for key in labels)
        return cls(
            model, start, end, objects, dict(by_hour), told, came, versions, champion
        )  # fmt: skip

    def asked(self) -> Iterator[Record]:
        """Every row that was answered, once, in order of time."""
        for hour in sorted(self.hours):
            records = (
                json.loads(line)
                for key in sorted(self.hours[hour])
                for line in gzip.decompress(self.objects[key]).splitlines()
            )
            served = captured.once(r for r in records if r.get("role") != captured.SHADOW)
            yield from (r for r in served if self.start <= id_ms(r["id"]) < self.end)

    def truths(self) -> dict[str, Any]:
        """Prediction id → truth, however late it was told."""
        return truth.labels(Memory(self.objects), [key for _, key in self.labels])


def _pipeline(model: str, version: Version) -> str:
    return keys.version_artefact(model, version.candidate, "pipeline.skops")


def _told(data: bytes) -> int:
    """When the claims of a label object came."""
    return max(int(json.loads(line)["time"]) for line in gzip.decompress(data).splitlines())


def _days(start: int, end: int) -> Iterable[str]:
    return (f"{from_ms(day * DAY):%Y-%m-%d}" for day in range(start // DAY, end // DAY + 1))
