"""What callers of a model need to know: what a row holds and what comes back. Pure.

Read from what was released, the champion's plan and card; so it is what the endpoint checks, not
what some spec says meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftloop.plan import schema
from driftloop.plan.inputs import LARGEST, Input, inputs_of
from driftloop.plan.shapley import most_rows


@dataclass(frozen=True)
class Interface:
    """One released model.

    ``key``, ``time``: columns of the caller's own that a row may carry besides the inputs.
    ``known``: by category input with no fixed list, values the model has learned from.
    ``largest``: the greatest number it computes with. ``confidence``: of the interval it gives
    beside a value, if it does. ``explains``: whether it can say what each input contributed.
    """

    model: str
    version: int
    description: str
    task: str
    target: str
    classes: tuple[str, ...] | None
    inputs: tuple[Input, ...]
    known: Mapping[str, tuple[str, ...]]
    typical: Mapping[str, float]
    key: str | None = None
    time: str | None = None
    largest: float = LARGEST["float64"]
    confidence: float | None = None
    explains: bool = False

    @classmethod
    def of(cls, data: bytes, card: Mapping[str, Any]) -> Interface:
        """From the plan's bytes and the parsed card of the version that answers. Raises
        IntegrityError."""
        plan = schema.read(data)
        interval = plan["interval"]
        return cls(
            model=card["model"],
            version=card["version"],
            description=card["description"],
            task=plan["task"],
            target=card["target"],
            classes=tuple(plan["classes"]) if plan["classes"] else None,
            inputs=inputs_of(plan),
            known={
                i["name"]: tuple(c for c in i["codes"] if _fits(c, i["pattern"]))
                for i in plan["inputs"]
                if i["type"] == "category" and i["allowed"] is None
            },
            typical={
                i["name"]: _typical(i) for i in plan["inputs"] if i["type"] == "number"
            },
            key=card.get("key"),
            time=card.get("time"),
            largest=LARGEST[plan["precision"]],
            confidence=interval["confidence"] if interval else None,
            explains=most_rows(plan) > 0,
        )  # fmt: skip

    def example(self) -> dict[str, Any]:
        """A row the model answers; no row anybody has sent."""
        return {item.name: self._value(item) for item in self.inputs}

    def _value(self, item: Input) -> Any:
        if item.type == "number":
            return self.typical[item.name]
        words = item.categories or self.known.get(item.name)
        if words:
            return words[0]
        return None if item.nullable else "text"


def _fits(word: str, pattern: str | None) -> bool:
    """The pattern may be younger than the data."""
    return pattern is None or re.fullmatch(pattern, word) is not None


def _typical(item: Mapping[str, Any]) -> float:
    """A number a caller might send: what a missing one counts as, the mean the model was scaled
    by or the middle of what is allowed, whichever is known first; two digits of it."""
    low, high = item["min"], item["max"]
    middle = None if None in (low, high) else (low + high) / 2
    known = (item["missing"], item["center"], middle, low, high, 0.0)
    value = float(f"{next(v for v in known if v is not None):.2g}")
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
