"""What CloudWatch is told of the champion: of its newest windows, stamped with the time of telling.

CloudWatch keeps every point, so what was told of a window's drift is not told again when late
captures restate it. Labels, whenever they come, are the first word on how well it was answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftloop import emf
from driftloop.judgement import Report
from driftloop.monitoring.state import Entry, State
from driftloop.spec import Spec
from driftloop.watch import Watch

MOST_FEATURES = 50  # those that moved most: CloudWatch bills each metric by the month
Values = dict[str, float | None]
_UNITS = {"WindowRows": "Count", "LabelledRows": "Count"}


@dataclass(frozen=True)
class Said:
    """A new report, and what was known of its window before."""

    report: Report
    before: Entry


def lines(
    env: str, now: int, spec: Spec, state: State, watch: Watch | None, said: Mapping[int, Said]
) -> list[str]:
    """EMF lines of ``now`` (epoch milliseconds). ``said``: of the champion, by the window's start;
    ``watch``: what its windows amount to."""
    values: Values = {}
    features: dict[str, float] = {}
    if fresh := [start for start, each in said.items() if "revision" not in each.before]:
        values["WindowRows"] = said[max(fresh)].report["rows"]
    if watch and (moved := _newest(state, watch, "drift", said)):
        values["EstimatedPerformance"] = (moved["performance"]["estimate"] or {}).get("value")
        if spec.monitor.drift:
            values["DriftRatio"] = watch.drift_ratio
            ranked = moved["ranked"][:MOST_FEATURES]
            features = {name: moved["features"][name]["ratio"] for name in ranked}
    if watch and spec.monitor.performance:
        if any(_labelled(each) for each in said.values()):
            values["PerformanceRatio"] = watch.performance_ratio
        if labelled := _newest(state, watch, "performance", said):
            values["RealisedPerformance"] = labelled["performance"]["value"]
            values["PromisedPerformance"] = labelled["performance"]["baseline"]
            values["LabelledRows"] = labelled["performance"]["rows"]
    model = {"model": spec.name}
    return [
        *_line(env, now, model, values),
        *(
            line
            for name, ratio in features.items()
            for line in _line(env, now, model | {"feature": name}, {"FeatureDriftRatio": ratio})
        ),
    ]


def _newest(state: State, watch: Watch, ratio: str, said: Mapping[int, Said]) -> Report | None:
    """The report of the newest window that has ``ratio``, if this is news."""
    each = said.get(max(state.of(watch.version, ratio), default=-1))
    old = each and each.before.get(ratio)
    if each is None or (ratio == "drift" and old is not None):
        return None
    return each.report if ratio == "drift" or _labelled(each) else None


def _labelled(said: Said) -> bool:
    """Whether labels say something new."""
    ratio: float | None = said.report["performance"]["ratio"]
    return ratio is not None and ratio != said.before.get("performance")


def _line(env: str, now: int, dimensions: Mapping[str, str], values: Values) -> list[str]:
    told = {
        name: (value, _UNITS.get(name, "None"))
        for name, value in values.items()
        if value is not None
    }
    return [emf.line(env, now, dimensions, told)] if told else []
