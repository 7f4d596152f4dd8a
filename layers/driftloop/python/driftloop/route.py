"""The route: which version answers what share of requests, and how it may change.

Pure. Every transition makes a new :class:`Route` with the next revision; the registry writes it
only over the revision it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Self

from driftloop.errors import RouteMoved

STEADY = "steady"  # nothing is being released
CANARY, LINEAR, BLUE_GREEN, SHADOW = "canary", "linear", "blue_green", "shadow"


@dataclass(frozen=True)
class Served:
    """A version as the endpoint needs it: where its plan lies and what its bytes must hash to."""

    version: int
    key: str
    sha256: str


@dataclass(frozen=True)
class Paused:
    """Who holds the release where it is, and why."""

    by: str
    reason: str
    since: str


@dataclass(frozen=True)
class Route:
    """``share``: the challenger's, from 0 (nothing, or shadow) to 1 (everything, the champion
    standing by); 0 without a challenger.

    ``strategy``: how the challenger is released, STEADY without one. ``step``: the number of its
    step, from 1; ``since`` is when this step began, ``began`` when the challenger did.
    ``terms`` are what its run holds the challenger to. ``previous`` is the champion before the
    present one.
    """

    revision: int
    champion: Served
    since: str
    challenger: Served | None = None
    share: float = 0.0
    strategy: str = STEADY
    step: int = 0
    began: str | None = None
    paused: Paused | None = None
    terms: Mapping[str, Any] | None = None
    previous: int | None = None

    @property
    def shadow(self) -> bool:
        """Whether the challenger scores every request, and answers none."""
        return self.challenger is not None and self.strategy == SHADOW

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        challenger, paused, step = item.get("challenger"), item.get("paused"), item["step"]
        if isinstance(step, str):  # written before there were steps: the strategy's name
            item = {**item, "strategy": step, "began": item["since"] if challenger else None}
            step = 1 if challenger else 0
        return cls(
            revision=item["revision"],
            champion=Served(**item["champion"]),
            since=item["since"],
            challenger=Served(**challenger) if challenger else None,
            share=float(item.get("share", 0)),
            strategy=item["strategy"],
            step=int(step),
            began=item.get("began"),
            paused=Paused(**paused) if paused else None,
            terms=json.loads(item["terms"]) if "terms" in item else None,
            previous=item.get("previous"),
        )

    def to_item(self) -> dict[str, Any]:
        item: dict[str, Any] = {
            "revision": self.revision,
            "champion": vars(self.champion),
            "since": self.since,
            "strategy": self.strategy,
            "step": self.step,
        }
        if self.challenger:
            # A decimal as text: what people wrote, not its nearest binary fraction.
            item |= {"challenger": vars(self.challenger), "share": str(self.share)}
        if self.began is not None:
            item["began"] = self.began
        if self.paused is not None:
            item["paused"] = vars(self.paused)
        if self.terms is not None:
            item["terms"] = json.dumps(self.terms)
        if self.previous is not None:
            item["previous"] = self.previous
        return item

    def pick(self, key: str) -> Served:
        """The version that answers ``key``: the same one as long as the challenger stays.

        ``key`` falls below the share by the hash of (challenger, key), so a new challenger draws
        a new sample of keys, and a larger share keeps the keys of the smaller one.
        """
        if self.challenger is None:
            return self.champion
        text = f"{self.challenger.version}|{key}".encode("utf-8", "surrogatepass")
        draw = int.from_bytes(blake2b(text, digest_size=8).digest(), "big") / 2**64
        return self.challenger if draw < self.share else self.champion


def first(version: Served, now: str) -> Route:
    """The route of a model's first version: nobody to compare with, so it answers at once."""
    return Route(revision=1, champion=version, since=now)


def promoted(route: Route, version: Served, now: str) -> Route:
    """``version`` answers everything; the champion before it is remembered."""
    return Route(
        revision=route.revision + 1,
        champion=version,
        since=now,
        previous=route.champion.version,
    )


def challenged(
    route: Route,
    version: Served,
    share: float,
    now: str,
    strategy: str = CANARY,
    terms: Mapping[str, Any] | None = None,
) -> Route:
    """``version`` answers ``share`` of the requests; replaces any challenger before it."""
    return replace(
        route,
        revision=route.revision + 1,
        challenger=version,
        share=share,
        strategy=strategy,
        step=1,
        since=now,
        began=now,
        paused=None,
        terms=terms,
    )


def advanced(route: Route, share: float, now: str) -> Route:
    """The next step: the challenger answers ``share`` from now on."""
    _challenger(route)
    return replace(route, revision=route.revision + 1, share=share, step=route.step + 1, since=now)


def held(route: Route, by: str, reason: str, now: str) -> Route:
    """Paused: the challenger keeps its share until somebody resumes."""
    _challenger(route)
    return replace(route, revision=route.revision + 1, paused=Paused(by, reason, now))


def resumed(route: Route, now: str) -> Route:
    """The step begins again, so that it is judged by what comes from now on."""
    _challenger(route)
    return replace(route, revision=route.revision + 1, paused=None, since=now)


def withdrawn(route: Route, now: str) -> Route:
    """The challenger is gone; the champion answers everything."""
    _challenger(route)
    return replace(
        route,
        revision=route.revision + 1,
        challenger=None,
        share=0.0,
        strategy=STEADY,
        step=0,
        since=now,
        began=None,
        paused=None,
        terms=None,
    )


def _challenger(route: Route) -> Served:
    """Raises RouteMoved when there is none."""
    if route.challenger is None:
        raise RouteMoved("there is no challenger; nothing is being released")
    return route.challenger
