"""What the windows of a version amount to: what its alarms are told, and what is not to be learned
from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driftloop import thresholds
from driftloop.monitoring.state import Entry, State
from driftloop.spec import Monitor
from driftloop.spec_words import of
from driftloop.watch import Watch
from driftloop.when import from_ms, iso

QUARANTINE = "quarantine"
_CAREFUL = (QUARANTINE, "tell", "roll_back", "recalibrate", "retrain", None, "ignore")
"""None: nothing explains it, so that it asks for retraining; that may not be ignored."""
Spans = list[list[int]]


@dataclass(frozen=True)
class _Alarm:
    """What the windows up to the newest amount to. ``ratio`` is what the alarm compares with 1;
    while it is over, ``since`` is the first window over its threshold among those that raised it,
    and ``diagnosis`` that of the newest which is over."""

    ratio: float | None = None
    since: str = ""
    diagnosis: Mapping[str, Any] = field(default_factory=dict)


def watch(state: State, version: int, monitor: Monitor) -> Watch | None:
    """Of ``version``, for the alarms that the spec asks for; None while none of its windows could
    be judged.

    The newest window with labels may be an older one than the newest. Where both alarms stand the
    more careful action is told: rows that are wrong are nothing to learn from, whatever else is.
    What the other is about, if it is another thing, stands beside it.
    """
    alarm = monitor.alarm
    drift = state.of(version, "drift") if monitor.drift else {}
    performance = state.of(version, "performance") if monitor.performance else {}
    if not drift and not performance:
        return None
    found = [_standing(drift, "drift", alarm), _standing(performance, "performance", alarm)]
    standing = [each for each in found if each.since]
    told = min(standing, key=_care) if standing else _Alarm()
    reasons = [each.diagnosis for each in standing if each.diagnosis]
    kind = told.diagnosis.get("kind")
    beside: Mapping[str, Any] = next((r for r in reasons if r.get("kind") != kind), {})
    newest = max((*drift, *performance))
    return Watch(
        version=version,
        window=iso(from_ms(newest)),
        end=iso(from_ms(newest + state.span)),
        since=told.since,
        drift_ratio=found[0].ratio,
        performance_ratio=found[1].ratio,
        other=beside.get("kind"),
        besides=beside.get("text", ""),
        windows=alarm if of(alarm)[1] > 1 else "",
        **told.diagnosis,
    )


def _standing(windows: Mapping[int, Entry], ratio: str, alarm: str) -> _Alarm:
    starts, ratios = [*windows], [entry[ratio] for entry in windows.values()]
    now = thresholds.standing(ratios, alarm)
    first = len(starts)  # of the windows up to which the alarm has stood without a break
    while first and (thresholds.standing(ratios[:first], alarm) or 0.0) > 1.0:
        first -= 1
    if first == len(starts):
        return _Alarm(now)
    earliest = max(0, first + 1 - of(alarm)[1])  # those before it that raised it as well
    over = [start for start in starts[earliest:] if windows[start][ratio] > 1.0]
    return _Alarm(now, iso(from_ms(over[0])), windows[over[-1]]["diagnosis"] or {})


def _care(standing: _Alarm) -> int:
    return _CAREFUL.index(standing.diagnosis.get("action"))


def quarantined(state: State, before: Spans) -> Spans:
    """``[start, end, version]`` of the windows nothing may be learned from: those known by
    ``state`` whose diagnosis says so, and those of ``before`` that it does not know: they are not
    judged any more, or were of another length."""
    known = {(start, start + state.span, version): (start, version)
             for start, version in state.known()}  # fmt: skip
    held = {
        span
        for span, window in known.items()
        if (state.entry(*window).get("diagnosis") or {}).get("action") == QUARANTINE
    }
    return sorted(map(list, held | ({(a, b, of) for a, b, of in before} - {*known})))
