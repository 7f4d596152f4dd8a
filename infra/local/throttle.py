"""The token bucket that holds callers of an HTTP API to a rate.

AWS: "Throttle requests to your HTTP APIs for better throughput in API Gateway" (API Gateway
Developer Guide, http-api-throttling): a bucket of ``burst`` tokens, refilled at ``rate`` a second;
an empty one answers 429. Callers send in real time, so buckets refill in real time.
"""

import threading
import time
from collections.abc import Callable

# An account's own limits, which hold where a stage sets none.
ACCOUNT_RATE = 10_000.0
ACCOUNT_BURST = 5_000


class Bucket:
    """``rate`` tokens a second, at most ``burst`` of them; ``now`` counts seconds."""

    def __init__(
        self,
        rate: float = ACCOUNT_RATE,
        burst: int = ACCOUNT_BURST,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate, self.burst = rate, burst
        self._now = now
        self._tokens = float(burst)
        self._filled = now()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one token; False when there is none, and the request must be refused."""
        with self._lock:
            now = self._now()
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
