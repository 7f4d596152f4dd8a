"""How a model does, in a line: from the monitor's watch of the champion."""

from __future__ import annotations

from driftloop.breaker import Breaker
from driftloop.pages.readable import listed
from driftloop.pages.window_words import KINDS
from driftloop.route import Route
from driftloop.watch import Watch


def health(route: Route | None, watch: Watch | None, breaker: Breaker) -> str:
    """``well``, or what is wrong, how bad and since when; and whether alarms still start runs."""
    text = _how(route, watch)
    if not breaker.gave_up:
        return text
    return f"{text}; given up on {breaker.gave_up[:10]}, alarms start nothing until it is retrained"


def _how(route: Route | None, watch: Watch | None) -> str:
    if route is None:
        return "no version yet"
    if watch is None or watch.version != route.champion.version:
        return "not judged yet"
    if not watch.since:
        return f"well, as of {watch.end[:10]}"
    names = {"drift": watch.drift_ratio, "performance": watch.performance_ratio}
    bad = [f"{name} {ratio:.2f}×" for name, ratio in names.items() if ratio and ratio > 1]
    text = f"{' and '.join(bad) or 'over a threshold'} since {watch.since[:10]}"
    if watch.kind:
        about = f" ({listed(watch.features, 3)})" if watch.features else ""
        text += f": {KINDS.get(watch.kind, watch.kind)}{about}"
    if watch.other:
        text += f"; besides, {KINDS.get(watch.other, watch.other)}"
    return text
