"""How a model does, in a line: from the monitor's watch of the champion."""

from __future__ import annotations

from driftloop.pages.readable import listed
from driftloop.pages.window_words import KINDS
from driftloop.route import Route
from driftloop.watch import Watch


def health(route: Route | None, watch: Watch | None) -> str:
    """``well``, or what is wrong, how bad and since when."""
    if route is None:
        return "no version yet"
    if watch is None or watch.version != route.champion.version:
        return "not judged yet"
    if not watch.since:
        return f"well, as of {watch.end[:10]}"
    names = {"drift": watch.drift_ratio, "performance": watch.performance_ratio}
    bad = [f"{name} {ratio:.1f}×" for name, ratio in names.items() if ratio and ratio > 1]
    text = f"{' and '.join(bad) or 'over a threshold'} since {watch.since[:10]}"
    if watch.kind:
        about = f" ({listed(watch.features, 3)})" if watch.features else ""
        text += f": {KINDS.get(watch.kind, watch.kind)}{about}"
    return text
