"""The watch: how the champion does, as of its newest judged window. One item a model, which the
monitor writes and the governor reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from driftloop.item import Item


@dataclass(frozen=True)
class Watch(Item):
    """Times are ISO 8601, UTC.

    ``window`` and ``end``: when the newest judged window of ``version`` begins and ends;
    ``since``: when the first of the consecutive windows over a threshold began, "" if this one
    is over none. A ratio is statistic ÷ threshold, above 1 over it; None where there was too
    little to say. ``windows``: how many windows have at least that, where the spec asks for
    several (``2 of 3``). ``kind``, ``action``, ``text`` and ``features`` (those concerned, worst
    first) are the window's diagnosis; without one, nothing is wrong. ``other`` and ``besides``:
    kind and text of what else is wrong, where the two alarms are about two things.
    """

    version: int
    window: str
    end: str
    since: str = ""
    drift_ratio: float | None = None
    performance_ratio: float | None = None
    kind: str | None = None
    action: str | None = None
    text: str = ""
    features: list[str] = field(default_factory=list)
    other: str | None = None
    besides: str = ""
    windows: str = ""
