"""What an invocation leaves in CloudWatch Logs, and how it gets there: behind the caller's back.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html

One thread takes the lines of all functions in order; the caller of a function does not wait for
what its log sets off (metrics, subscriptions, alarms), the clock does.
"""

import json
import logging
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.logs.models import logs_backends

if TYPE_CHECKING:
    from .lambda_worker import Outcome
    from .server import Local

log = logging.getLogger(__name__)


def lines(
    request_id: str,
    version: str,
    printed: list[str],
    outcome: "Outcome",
    *,
    milliseconds: float,
    memory: int,
    peak: int,
    init_ms: float | None,
) -> list[str]:
    """The log of one invocation, from START to REPORT; ``init_ms`` for a cold start only."""
    said = list(printed)
    if outcome.error in ("Sandbox.Timedout", "Runtime.ExitError"):
        said.append(json.loads(outcome.payload)["errorMessage"])
    report = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {milliseconds:.2f} ms",
        f"Billed Duration: {int(milliseconds) + 1} ms",
        f"Memory Size: {memory} MB",
        f"Max Memory Used: {peak} MB",
        *([] if init_ms is None else [f"Init Duration: {init_ms:.2f} ms"]),
    ]
    return [
        f"START RequestId: {request_id} Version: {version}",
        *said,
        f"END RequestId: {request_id}",
        "\t".join(report) + "\t",
    ]


class LogPump:
    """Carries on, one after the other, what is to happen after an invocation was answered."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="lambda logs", daemon=True).start()

    def later(self, work: Callable[[], None]) -> None:
        """The clock counts it as work in flight from now on."""
        busy = self.local.clock.busy("function logs").__enter__()

        def done() -> None:
            try:
                work()
            finally:
                busy.__exit__(None, None, None)

        self._waiting.put(done)

    def _run(self) -> None:
        while (work := self._waiting.get()) is not None:
            try:
                work()
            except Exception:
                log.exception("the log of a function")

    def stop(self) -> None:
        self._waiting.put(None)


def store(local: "Local", function: Any, stream: str, now_ms: int, text: list[str]) -> None:
    """Put lines into the function's group and tell the hooks."""
    logs = logs_backends[local.account][local.region]
    group = function.logs_group_name
    if group not in logs.groups:
        logs.create_log_group(group, {})
    if stream not in logs.groups[group].streams:
        logs.create_log_stream(group, stream)
    # past the backend's own check of ages, which knows only the real time
    logs.groups[group].put_log_events(stream, [{"timestamp": now_ms, "message": t} for t in text])
    for hook in local.on_log:
        hook(group, stream, [(now_ms, line) for line in text])
