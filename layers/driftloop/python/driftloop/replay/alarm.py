"""CloudWatch's alarms on the monitor's ratios, as infra sets them: above 1, one point of one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

METRICS = {"drift": "DriftRatio", "performance": "PerformanceRatio"}


@dataclass
class Alarm:
    """``since``: when it went off, epoch milliseconds; None while it is quiet. Between two points
    the last one stands."""

    cause: str
    since: int | None = None

    def hear(self, lines: Iterable[str], now: int) -> bool:
        """Take what the monitor printed in one minute; whether the alarm goes off by it."""
        name = METRICS[self.cause]
        points = [line[name] for line in map(json.loads, lines) if name in line]
        if not points:
            return False
        over, quiet = max(points) > 1, self.since is None
        self.since = (now if quiet else self.since) if over else None
        return over and quiet
