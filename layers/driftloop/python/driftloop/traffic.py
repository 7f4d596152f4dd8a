"""What the endpoint reported of one version over a span of time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traffic:
    """``errors``: requests it could not answer. ``timed``: those whose time is known; of these
    ``median_ms`` and ``p99_ms``, and ``p30_ms`` and ``p98_ms``, what they may be by chance in few
    requests; None of none. The median, since one request that had to fetch a plan first would move
    the mean of thirty."""

    requests: int = 0
    errors: int = 0
    timed: int = 0
    median_ms: float | None = None
    p99_ms: float | None = None
    p30_ms: float | None = None
    p98_ms: float | None = None
