"""Work a service does after it has answered: events, notifications and logs on their way."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock

log = logging.getLogger(__name__)


def in_background(clock: "Clock", work: Callable[[], None], name: str) -> None:
    """Run ``work`` on a thread of its own; the clock waits for it before it moves on.

    The clock counts it from now, not from when the thread gets its turn: nobody who asks in
    between may find everything idle.
    """
    busy = clock.busy(name)
    busy.__enter__()

    def run() -> None:
        try:
            work()
        except Exception:
            log.exception("%s failed", name)
        finally:
            busy.__exit__(None, None, None)

    threading.Thread(target=run, name=name, daemon=True).start()
