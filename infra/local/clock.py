"""The clock of the embedded AWS: real pace, faster, or standing still between jumps.

What AWS stamps (events, logs, metrics, states, executions) and what it waits for (schedules,
alarm periods, Wait states, back-offs) follow this clock; signatures and TLS follow the real one.

A jump is a discrete-event simulation: callbacks fire in the order they are due, and between two of
them the clock waits until no work is in flight, so that an hour may pass in a millisecond and
still nothing happens out of turn.
"""

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType

log = logging.getLogger(__name__)


class StillBusy(TimeoutError):
    """Work in flight did not end in time; the message names it."""


@dataclass(order=True)
class Handle:
    """A callback that is due at ``when``."""

    when: datetime
    order: int
    call: Callable[[], None] = field(compare=False)
    name: str = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Busy:
    """Work in flight, named; may be entered and left on different threads."""

    def __init__(self, clock: "Clock", name: str) -> None:
        self.clock, self.name = clock, name

    def __enter__(self) -> "Busy":
        self.clock._count(self.name, +1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clock._count(self.name, -1)


class Clock:
    """``speed`` seconds pass for each real one; 0 stands still until :meth:`advance`.

    Parameters
    ----------
    start : the first moment, time-zone aware; now by default.
    patience : real seconds to wait for work in flight before :class:`StillBusy` is raised.
    """

    def __init__(
        self, start: datetime | None = None, speed: float = 1.0, patience: float = 300.0
    ) -> None:
        self.patience = patience
        self._base = (start or datetime.now(UTC)).astimezone(UTC)
        self._real = time.monotonic()
        self._speed = float(speed)
        self._due: list[Handle] = []
        self._order = itertools.count()
        self._busy: Counter[str] = Counter()
        self._change = threading.Condition(threading.RLock())
        self._jump = threading.RLock()
        self._jumping = False
        self._stopped = False
        threading.Thread(target=self._run, name="clock", daemon=True).start()

    # --- telling the time --------------------------------------------------------------------

    def now(self) -> datetime:
        with self._change:
            if self._jumping or not self._speed:
                return self._base
            return self._base + timedelta(seconds=(time.monotonic() - self._real) * self._speed)

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        if value < 0:
            raise ValueError(f"speed: {value:g} is negative; time does not run backwards")
        with self._change:
            self._set(self.now())
            self._speed = float(value)
            self._change.notify_all()

    def _set(self, when: datetime) -> None:
        self._base, self._real = when, time.monotonic()

    # --- asking to be called -----------------------------------------------------------------

    def call_at(self, when: datetime, fn: Callable[[], None], name: str) -> Handle:
        handle = Handle(when.astimezone(UTC), next(self._order), fn, name)
        with self._change:
            heapq.heappush(self._due, handle)
            self._change.notify_all()
        return handle

    def call_later(self, seconds: float, fn: Callable[[], None], name: str) -> Handle:
        return self.call_at(self.now() + timedelta(seconds=max(0.0, seconds)), fn, name)

    def sleep(
        self, seconds: float, name: str = "sleep", stop: threading.Event | None = None
    ) -> None:
        """Block for ``seconds`` of this clock, or until ``stop`` is set.

        A sleeper who holds :meth:`busy` work lays it down first (see :meth:`pause`).
        """
        woken = stop or threading.Event()
        handle = self.call_later(seconds, woken.set, name)
        woken.wait()
        handle.cancel()

    def pause(self, busy: Busy, seconds: float, stop: threading.Event | None = None) -> None:
        """Sleep with ``busy`` laid down, taken up again before anybody can see it idle."""
        woken = stop or threading.Event()
        taken_up = threading.Lock()
        up = False

        def wake() -> None:
            nonlocal up
            with taken_up:
                if not up:
                    busy.__enter__()
                    up = True
            woken.set()

        handle = self.call_later(seconds, wake, busy.name)
        busy.__exit__(None, None, None)
        woken.wait()
        handle.cancel()
        with taken_up:
            if not up:
                busy.__enter__()
                up = True

    # --- work in flight ----------------------------------------------------------------------

    def busy(self, name: str = "work") -> Busy:
        """A context in which :meth:`advance` holds the clock."""
        return Busy(self, name)

    def _count(self, name: str, change: int) -> None:
        with self._change:
            self._busy[name] += change
            if self._busy[name] <= 0:
                del self._busy[name]
            self._change.notify_all()

    def in_flight(self) -> dict[str, int]:
        """What is going on, by name."""
        with self._change:
            return dict(self._busy)

    def wait_idle(self, timeout: float | None = None) -> None:
        """Wait until nothing is in flight. Raises StillBusy, naming what is."""
        limit = self.patience if timeout is None else timeout
        with self._change:
            if not self._change.wait_for(lambda: not self._busy, limit):
                named = ", ".join(f"{n} ({k})" if k > 1 else n for n, k in self._busy.items())
                raise StillBusy(f"after {limit:g} s these are still under way: {named}")

    # --- moving on ---------------------------------------------------------------------------

    def advance(self, delta: timedelta) -> None:
        """Jump by ``delta``; everything due meanwhile happens, in order."""
        self.advance_to(self.now() + delta)

    def advance_to(self, when: datetime) -> None:
        """Jump to ``when``. Raises StillBusy if work in flight does not end."""
        when = when.astimezone(UTC)
        with self._jump:
            self.wait_idle()
            with self._change:
                self._set(self.now())
                self._jumping = True
            try:
                while (handle := self._next(when)) is not None:
                    self._fire(handle)
                    self.wait_idle()
            finally:
                with self._change:
                    self._set(max(self._base, when))
                    self._jumping = False
                    self._change.notify_all()

    def _next(self, until: datetime) -> Handle | None:
        """Take the next callback due by ``until`` and set the clock to its moment."""
        with self._change:
            while self._due and self._due[0].when <= until:
                handle = heapq.heappop(self._due)
                if not handle.cancelled:
                    if self._jumping:
                        self._base = max(self._base, handle.when)
                    return handle
        return None

    def _fire(self, handle: Handle) -> None:
        try:
            handle.call()
        except Exception:
            log.exception("%s failed", handle.name)

    def _run(self) -> None:
        """Fire what falls due while the clock runs by itself."""
        while True:
            with self._change:
                if self._stopped:
                    return
                handle = None
                if not self._jumping and (self._speed or self._due):
                    handle = self._next(self.now())
                if handle is None:
                    self._change.wait(self._until_next())
                    continue
            self._fire(handle)

    def _until_next(self) -> float | None:
        """Real seconds until the next callback, or None if only a change can bring one."""
        if self._jumping or not self._speed or not self._due:
            return None
        wait = (self._due[0].when - self.now()).total_seconds() / self._speed
        return max(0.0, min(wait, 3600.0))

    def stop(self) -> None:
        """Fire nothing any more."""
        with self._change:
            self._stopped = True
            self._change.notify_all()
