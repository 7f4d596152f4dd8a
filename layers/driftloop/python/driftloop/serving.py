"""What is being served: the route and its versions in memory, kept fresh. Standard library only.

The route is looked up when the process starts and again when it is older than :data:`FRESH_MS`,
by the requests' own time or by a monotonic clock, whichever says so first: the one moves when a
frozen process thaws or a clock is replayed, the other when that clock stands still. A look-up that
fails leaves the loaded versions answering, and :attr:`Live.stale` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from driftloop.capture_lines import columns
from driftloop.errors import DriftloopError, NotFound, Unavailable
from driftloop.plan import Scorer, load
from driftloop.route import Route, Served

FRESH_MS = 10_000
FIRST_BUDGET = 5.0  # seconds a cold start may spend on calls
REFRESH_BUDGET = 0.2  # seconds a warm request may lose to looking
PLAN_BUDGET = 1.0  # seconds it may lose, once, to fetching a plan it has not seen


class Source(Protocol):
    """Where routes and plans come from. ``budget`` is in seconds.

    Both raise a DriftloopError when they cannot give what is asked; a model that has no route
    yet gives None.
    """

    def route(self, budget: float) -> Route | None: ...

    def plan(self, key: str, budget: float) -> bytes: ...


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
    """A version in memory. ``known``: every field a row may have; ``columns``: those captured."""

    served: Served
    scorer: Scorer
    known: frozenset[str]
    columns: tuple[str, ...]


@dataclass
class Live:
    """The model as it is served now; ``say`` takes a sentence for the log."""

    serving: Serving
    source: Source
    say: Callable[[str], None]
    route: Route | None = None
    stale: bool = False
    _versions: dict[int, Loaded] = field(default_factory=dict)
    _looked: tuple[int | None, float] | None = None  # (request ms, monotonic s) of the last look
    _confirmed: int | None = None  # request ms of the last look that succeeded

    def refresh(self, now: int | None, tick: float) -> None:
        """Look the route up if the last look is too old.

        now: epoch ms of the request; None while there is none yet. tick: monotonic seconds.
        Raises Unavailable, with the reason, when there is nothing in memory that could answer.
        """
        if self.route is not None and self._looked is not None:
            ms, then = self._looked
            if (tick - then) * 1000 < FRESH_MS and (
                ms is None or now is None or abs(now - ms) < FRESH_MS
            ):
                if ms is None:
                    self._looked, self._confirmed = (now, then), now
                return
        try:
            self._follow(self.source.route(REFRESH_BUDGET if self.route else FIRST_BUDGET))
        except DriftloopError as error:
            if self.route is None:
                raise Unavailable(f"{self.serving.model} cannot answer yet: {error}") from error
            self.stale = True
            serving = self.route.champion.version
            self.say(f"the route could not be renewed, version {serving} goes on: {error}")
        else:
            self.stale, self._confirmed = False, now
        self._looked = (now, tick)

    def age(self, now: int) -> int:
        """Seconds since the route was last confirmed."""
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

    def _follow(self, route: Route | None) -> None:
        """Load what ``route`` names, then switch to it. A champion that cannot be loaded leaves
        everything as it was; a challenger that cannot be gets no request."""
        if route is None:
            raise NotFound(f"model {self.serving.model} has no released version")
        versions = {route.champion.version: self._load(route.champion)}
        if route.challenger:
            try:
                versions[route.challenger.version] = self._load(route.challenger)
            except DriftloopError as error:
                self.say(f"challenger {route.challenger.version} cannot be loaded: {error}")
        self.route, self._versions = route, versions

    def _load(self, served: Served) -> Loaded:
        known = self._versions.get(served.version)
        if known is not None and known.served == served:
            return known
        data = self.source.plan(served.key, PLAN_BUDGET if self.route else FIRST_BUDGET)
        scorer = load(data, served.sha256)
        names = [i.name for i in scorer.inputs]
        extra = [name for name in (self.serving.key, self.serving.time) if name]
        return Loaded(
            served=served,
            scorer=scorer,
            known=frozenset([*names, *extra]),
            columns=tuple(columns(names, self.serving.key, self.serving.redact)),
        )
