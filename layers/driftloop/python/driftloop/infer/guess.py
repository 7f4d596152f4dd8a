"""A decision made for somebody else: what, why, how sure, and what it might have been instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from driftloop.infer.seen import Seen

Kind = Literal["number", "category", "time", "out"]


@dataclass(frozen=True)
class Guess:
    """``about``: the path in the spec (``target``, ``features.temp``), or ``left out.<column>``."""

    about: str
    choice: str
    why: str
    unsure: bool = False
    others: tuple[str, ...] = ()
    """Other candidates, or what to write instead."""


@dataclass(frozen=True)
class Reading:
    """What a column is taken for. ``words``: what the spec says of it as a feature; ``strays``:
    rows that the spec will reject because of it."""

    seen: Seen
    kind: Kind
    why: str
    words: dict[str, Any] = field(default_factory=dict)
    strays: int = 0
    unsure: bool = False
    others: tuple[str, ...] = ()
    identifies: bool = False
    """Names its row, or whatever the row is about: no feature, perhaps the key."""


def listed(words: list[str], most: int = 5) -> str:
    """``'a', 'b' and 3 more``; long words cut."""
    shown = [repr(w if len(w) <= 40 else w[:39] + "…") for w in words[:most]]
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(shown) + more
