"""New labelled data: what a run could learn from that no run has learned from yet."""

from __future__ import annotations

from dataclasses import dataclass

from driftloop.item import Item


@dataclass(frozen=True)
class Arrived(Item):
    """The registry's one item of it. ``newest``: when labelled rows last came in (ISO 8601, of the
    event that brought them: of an upload, its run's own ``now``), or, where they had come before
    their window was judged, when it was (``driftloop.withheld``); ``rows``: how many that were not
    there so before."""

    newest: str
    rows: int = 0
