"""The breaker: what the governor remembers of the runs that alarms started, and what people know.

One item a model, never forgotten. Pure: each change gives a new one, and the registry writes it
only over the ``revision`` it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from driftloop.event import ALARMS
from driftloop.item import Item
from driftloop.run import RUNNING, Run
from driftloop.run_end import RELEASED

_REMEMBERED = 12  # troubles
_LONGEST = 500  # characters of ``outcome``


@dataclass(frozen=True)
class Breaker(Item):
    """Moments as ISO 8601; "" where there was none.

    ``failed``: the last so many runs of alarms failed. ``fruitless``: so many of them released
    nothing since a version was released, or a person asked for a run. ``last``: the start of the
    newest of them; ``outcome``: what it came to. ``learned``: the start of the newest run, of any
    cause, that did not fail; what had arrived by then has been learned from. ``gave_up``: since
    when alarms start nothing. ``told``: the troubles that people were told of, and the versions
    that were taken back, newest last.
    """

    revision: int = 0
    failed: int = 0
    fruitless: int = 0
    last: str = ""
    outcome: str = ""
    learned: str = ""
    gave_up: str = ""
    told: list[str] = field(default_factory=list)

    def begun(self, run: Run) -> Breaker:
        """``run`` starts."""
        return replace(self, last=max(self.last, run.started)) if run.cause in ALARMS else self

    def ended(self, run: Run) -> Breaker:
        """``run`` has ended, as its record says."""
        assert run.status != RUNNING
        if run.outcome == RELEASED:
            return replace(self.closed(), learned=max(self.learned, run.started))
        failed, found = run.outcome == "failed", self
        if not failed:
            found = replace(found, learned=max(found.learned, run.started))
        if run.cause not in ALARMS:
            return found
        said = f"{run.run}: {run.outcome}" + (f": {run.message}" if run.message else "")
        return replace(
            found,
            failed=found.failed + 1 if failed else 0,
            fruitless=found.fruitless + 1,
            outcome=said[:_LONGEST],
        )

    def closed(self) -> Breaker:
        """A version was released, or a person asked for a run: alarms are heard again."""
        return replace(self, failed=0, fruitless=0, outcome="", gave_up="")

    def knowing(self, trouble: str) -> Breaker:
        """People are told of ``trouble``."""
        kept = [t for t in self.told if t != trouble][1 - _REMEMBERED :]
        return replace(self, told=[*kept, trouble])
