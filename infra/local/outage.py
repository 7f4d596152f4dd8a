"""A service that does not answer for a while, to see who can live without it.

https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
(``aws:fis:inject-api-unavailable-error``: the calls of an IAM role to a service fail; there for few
services, here for every one.)
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Outage:
    """``service`` as signatures name it; only for callers whose ARN holds ``role``; each call
    waits ``delay`` seconds before it fails."""

    service: str
    role: str = ""
    delay: float = 0.0


class Outages:
    """Those of now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: list[Outage] = []

    def begin(self, outage: Outage) -> None:
        with self._lock:
            self._now = [*self._now, outage]

    def end(self) -> None:
        """All of them."""
        with self._lock:
            self._now = []

    @contextmanager
    def of(self, service: str, role: str = "", delay: float = 0.0) -> Iterator[None]:
        """``with local.outages.of("dynamodb"): …``"""
        self.begin(Outage(service, role, delay))
        try:
            yield
        finally:
            self.end()

    def strikes(self, service: str, principal: str) -> bool:
        """Whether a call fails; it has waited by then."""
        for outage in self._now:
            if outage.service == service and outage.role in principal:
                time.sleep(outage.delay)
                return True
        return False
