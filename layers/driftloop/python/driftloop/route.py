"""The route: which version answers what share of requests, and how it may change.

Pure. Every transition makes a new :class:`Route` with the next revision; the registry writes it
only over the revision it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Self

from driftloop.errors import RouteMoved

STEADY = "steady"
CANARY = "canary"


@dataclass(frozen=True)
class Served:
    """A version as the endpoint needs it: where its plan lies and what its bytes must hash to."""

    version: int
    key: str
    sha256: str


@dataclass(frozen=True)
class Route:
    """``share``: the challenger's, strictly between 0 and 1; 0 without a challenger.

    ``since`` is when this step began; ``previous`` the champion before the present one.
    """

    revision: int
    champion: Served
    since: str
    challenger: Served | None = None
    share: float = 0.0
    step: str = STEADY
    previous: int | None = None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        challenger = item.get("challenger")
        return cls(
            revision=item["revision"],
            champion=Served(**item["champion"]),
            since=item["since"],
            challenger=Served(**challenger) if challenger else None,
            share=float(item.get("share", 0)),
            step=item["step"],
            previous=item.get("previous"),
        )

    def to_item(self) -> dict[str, Any]:
        item: dict[str, Any] = {
            "revision": self.revision,
            "champion": vars(self.champion),
            "since": self.since,
            "step": self.step,
        }
        if self.challenger:
            # A decimal as text: what people wrote, not its nearest binary fraction.
            item |= {"challenger": vars(self.challenger), "share": str(self.share)}
        if self.previous is not None:
            item["previous"] = self.previous
        return item

    def pick(self, key: str) -> Served:
        """The version that answers ``key``: the same one as long as the challenger stays.

        ``key`` falls below the share by the hash of (challenger, key), so a new challenger draws
        a new sample of keys.
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


def canary(route: Route, version: Served, share: float, now: str) -> Route:
    """``version`` answers ``share`` of the requests; replaces any challenger before it."""
    return replace(
        route,
        revision=route.revision + 1,
        challenger=version,
        share=share,
        step=CANARY,
        since=now,
    )


def withdrawn(route: Route, now: str) -> Route:
    """The challenger is gone; the champion answers everything."""
    if route.challenger is None:
        raise RouteMoved("there is no challenger to withdraw")
    return replace(
        route,
        revision=route.revision + 1,
        challenger=None,
        share=0.0,
        step=STEADY,
        since=now,
    )
