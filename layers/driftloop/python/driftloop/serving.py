"""What is being served: the route and its versions in memory, kept fresh. Standard library only.

The route is looked up when the process starts and again when it is older than :data:`FRESH_MS`,
by the requests' own time or by a monotonic clock, whichever says so first: the one moves when a
frozen process thaws or a clock is replayed, the other when that clock stands still. A look-up that
fails leaves the loaded versions answering, and :attr:`Live.stale` says so.

All calls of one request share one budget. A plan too large for it arrives over several requests:
what has come is kept, and the next request goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from driftloop.capture_lines import columns
from driftloop.errors import DriftloopError, IntegrityError, NotFound, Unavailable
from driftloop.plan import Scorer, load
from driftloop.route import Route, Served

FRESH_MS = 10_000
FIRST_BUDGET = 5.0  # seconds a cold start may spend on calls
REFRESH_BUDGET = 0.2  # seconds a warm request may lose to them


class StillArriving(Unavailable):
    """A plan has come in part; the rest is asked for at the next request."""


class Source(Protocol):
    """Where routes and plans come from. ``budget`` is in seconds.

    Both raise a DriftloopError when they cannot give what is asked; a model that has no route
    yet gives None. ``plan`` gives the bytes from ``start`` on, as many as come in time, and the
    length of the whole.
    """

    def route(self, budget: float) -> Route | None: ...

    def plan(self, key: str, start: int, budget: float) -> tuple[bytes, int]: ...


@dataclass(frozen=True)
class Serving:
    """What the endpoint needs of the spec."""

    model: str
    key: str | None = None
    time: str | None = None
    sample: float = 1.0
    redact: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Serving:
        """From the spec's canonical JSON, parsed."""
        capture = spec["capture"]
        return cls(
            model=spec["name"],
            key=spec["key"],
            time=spec["time"],
            sample=capture["sample"],
            redact=tuple(capture["redact"]),
        )


@dataclass(frozen=True)
class Loaded:
    """A version in memory. ``known``: every field a row may have; ``columns``: those captured;
    ``time``: the field that is the row's own time, if there is one."""

    served: Served
    scorer: Scorer
    known: frozenset[str]
    columns: tuple[str, ...]
    time: str | None = None


@dataclass
class Live:
    """The model as it is served now; ``say`` takes a sentence for the log."""

    serving: Serving
    source: Source
    say: Callable[[str], None]
    route: Route | None = None
    stale: bool = False
    _versions: dict[int, Loaded] = field(default_factory=dict)
    _broken: int | None = None  # the challenger, if what is kept of it cannot be loaded
    _ahead: Route | None = None  # the route that was seen, until all it names is in memory
    _arriving: dict[str, bytearray] = field(default_factory=dict)  # what has come of plans, by key
    _looked: tuple[int | None, float] | None = None  # (request ms, monotonic s) of the last look
    _confirmed: int | None = None  # request ms of the last time the route was renewed

    def refresh(self, now: int | None, tick: float) -> None:
        """Look the route up if the last look is too old, and load what it names.

        now: epoch ms of the request; None while there is none yet. tick: monotonic seconds.
        Raises Unavailable, with the reason, when there is nothing in memory that could answer.
        """
        fresh = self._is_fresh(now, tick)
        if fresh and self._ahead is None:
            return
        end = monotonic() + (REFRESH_BUDGET if self.route else FIRST_BUDGET)
        try:
            if not fresh or self._ahead is None:
                self._looked = (now, tick)
                self._ahead = self._look(end)
            self._follow(self._ahead, end)
        except DriftloopError as error:
            if not isinstance(error, StillArriving):
                self._ahead = None  # not before the next look
            if self.route is None:
                raise Unavailable(f"{self.serving.model} cannot answer yet: {error}") from error
            self.stale = True
            serving = self.route.champion.version
            self.say(f"the route could not be renewed, version {serving} goes on: {error}")
        else:
            self.stale, self._confirmed = False, self._looked[0] if self._looked else None

    def age(self, now: int) -> int:
        """Seconds since the route was last renewed."""
        return 0 if self._confirmed is None else max(0, now - self._confirmed) // 1000

    def champion(self) -> Loaded:
        assert self.route is not None
        return self._versions[self.route.champion.version]

    def challenger_for(self, sticky: str) -> Loaded | None:
        """The challenger, if the route gives it the requests of this key."""
        if self.route is None or self.route.challenger is None:
            return None
        picked = self.route.pick(sticky)
        return None if picked is self.route.champion else self._versions.get(picked.version)

    def broken_for(self, sticky: str) -> int | None:
        """The number of a challenger that cannot be loaded, if this key's request was its to score:
        one that nobody can ask has failed, it was not merely unseen."""
        if self._broken is None or self.route is None:
            return None
        due = self.route.shadow or self.route.pick(sticky) is not self.route.champion
        return self._broken if due else None

    def shadow(self) -> Loaded | None:
        """The challenger, if it is to score every request and answer none."""
        if self.route is None or self.route.challenger is None or not self.route.shadow:
            return None
        return self._versions.get(self.route.challenger.version)

    def _is_fresh(self, now: int | None, tick: float) -> bool:
        if self.route is None or self._looked is None:
            return False
        ms, then = self._looked
        if (tick - then) * 1000 >= FRESH_MS:
            return False
        if ms is None:  # looked at before there was a request
            self._looked, self._confirmed = (now, then), now
            return True
        return now is None or abs(now - ms) < FRESH_MS

    def _look(self, end: float) -> Route:
        route = self.source.route(max(0.0, end - monotonic()))
        if route is None:
            raise NotFound(f"model {self.serving.model} has no released version")
        return route

    def _follow(self, route: Route, end: float) -> None:
        """Load what ``route`` names, then switch to it. A champion that cannot be loaded leaves
        everything as it was; a challenger that cannot be gets no request."""
        named = {served.key for served in (route.champion, route.challenger) if served}
        self._arriving = {key: data for key, data in self._arriving.items() if key in named}
        versions = {route.champion.version: self._load(route.champion, end)}
        ahead: Route | None = None
        broken: int | None = None
        if route.challenger:
            try:
                versions[route.challenger.version] = self._load(route.challenger, end)
            except StillArriving:
                ahead = route
            except DriftloopError as error:
                self.say(f"challenger {route.challenger.version} cannot be loaded: {error}")
                if not isinstance(error, Unavailable):  # the store's fault, not the challenger's
                    broken = route.challenger.version
        self.route, self._versions = route, versions
        self._ahead, self._broken = ahead, broken

    def _load(self, served: Served, end: float) -> Loaded:
        known = self._versions.get(served.version)
        if known is not None and known.served == served:
            return known
        try:
            scorer = load(self._arrived(served, end), served.sha256)
        except DriftloopError:
            raise
        except Exception as error:  # whatever it is, what is loaded goes on
            raise IntegrityError(f"the plan cannot be loaded: {error!r}") from error
        names = [i.name for i in scorer.inputs]
        extra = [name for name in (self.serving.key, self.serving.time) if name]
        return Loaded(
            served=served,
            scorer=scorer,
            known=frozenset([*names, *extra]),
            columns=tuple(columns(names, self.serving.key, self.serving.redact)),
            time=self.serving.time,
        )

    def _arrived(self, served: Served, end: float) -> bytes:
        """The whole plan, or StillArriving if more of it has come but not all, or there was no
        time left to ask. What came is kept unless the store refuses."""
        held = self._arriving.pop(served.key, bytearray())
        left = end - monotonic()
        if left <= 0:
            self._arriving[served.key] = held
            raise StillArriving(f"the plan of version {served.version} is not yet fetched")
        try:
            piece, total = self.source.plan(served.key, len(held), left)
        except Unavailable:
            self._arriving[served.key] = held
            raise
        held += piece
        if len(held) >= total:
            return bytes(held)
        self._arriving[served.key] = held
        problem = f"{len(held):,} of {total:,} bytes of version {served.version} have come"
        raise StillArriving(problem) if piece else Unavailable(problem)
