"""What was seen of one version while two of them shared the requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Traffic:
    """``errors``: requests it could not answer. ``latency_ms``: mean; None without requests."""

    requests: int = 0
    errors: int = 0
    latency_ms: float | None = None
