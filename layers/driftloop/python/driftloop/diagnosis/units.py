"""The ways in which a number may come in another unit or writing: what was done to it, in words,
and how to undo it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from driftloop.diagnosis.found import Floats


@dataclass(frozen=True)
class Change:
    """``undo``: the value before, of one after (NaN where there is none); ``stretch``: its
    derivative's size; ``far``: whether values end up so far off that nothing natural does it. The
    others must fit the better, since a season may look like them. A small factor alone (miles for
    kilometres) is none of them: other rows look just like it, and a model may learn it."""

    text: str
    repair: str
    undo: Callable[[Floats], Floats]
    stretch: Callable[[Floats], Floats]
    far: bool


def _scaled(factor: float, text: str, repair: str) -> Change:
    def stretch(v: Floats) -> Floats:
        return np.full(v.shape, 1.0 / factor)

    return Change(text, repair, lambda v: v / factor, stretch, far=True)


def _shifted(slope: float, offset: float, text: str, repair: str) -> Change:
    """after = slope · before + offset."""
    return Change(
        text,
        repair,
        lambda v: (v - offset) / slope,
        lambda v: np.full(v.shape, 1.0 / slope),
        far=False,
    )


def _all() -> Iterator[Change]:
    for size in (100, 1000, 10, 1_000_000, 10_000, 100_000, 1_000_000_000):
        yield _scaled(size, f"{size:,} times too large", f"divided by {size:,}")
        yield _scaled(1 / size, f"{size:,} times too small", f"multiplied by {size:,}")
    for size, small, large in ((60, "minutes", "hours"), (3600, "seconds", "hours"),
                               (24, "hours", "days"), (86_400, "seconds", "days")):  # fmt: skip
        words = f" ({small} for {large}, or the like)"
        yield _scaled(size, f"{size:,} times too large{words}", f"divided by {size:,}")
        words = f" ({large} for {small}, or the like)"
        yield _scaled(1 / size, f"{size:,} times too small{words}", f"multiplied by {size:,}")
    yield _shifted(1.8, 32.0, "in °F instead of °C", "turned into °C")
    yield _shifted(1 / 1.8, -32.0 / 1.8, "in °C instead of °F", "turned into °F")
    yield _shifted(1.0, 273.15, "in kelvin instead of °C", "turned into °C")
    yield _shifted(1.0, -273.15, "in °C instead of kelvin", "turned into kelvin")
    yield Change("turned over (1/x)", "as 1/x", _inverse, lambda v: _inverse(v) ** 2, far=False)
    yield Change("of the other sign", "negated", np.negative, np.ones_like, far=False)


def _inverse(v: Floats) -> Floats:
    return np.asarray(np.divide(1.0, v, out=np.full(v.shape, np.nan), where=v != 0))


CHANGES = tuple(_all())
