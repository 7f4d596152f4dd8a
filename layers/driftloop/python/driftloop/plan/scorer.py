"""A plan, loaded: what answers requests."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from driftloop.errors import BadRequest, IntegrityError, RequestTooLarge
from driftloop.plan import compile, schema
from driftloop.plan.inputs import Encode, Input, Row, encoder, inputs_of

if TYPE_CHECKING:
    from driftloop.plan.shapley import Explained


class Scorer:
    """Scores rows as the fitted scikit-learn pipeline would, from data alone.

    task: ``classification`` or ``regression``.
    classes: the target's values as text; None for regression.
    inputs: what a row must hold, in order.
    sha256: the plan's identity.
    confidence: how often the truth lies within :meth:`interval`; None if it gives none.
    """

    def __init__(self, plan: schema.Plan, sha256: str) -> None:
        self.task: str = plan["task"]
        self.classes: list[str] | None = plan["classes"]
        self.inputs: tuple[Input, ...] = inputs_of(plan)
        self.sha256 = sha256
        self._interval: dict[str, float] | None = plan["interval"]
        self.confidence = self._interval["confidence"] if self._interval else None
        self._plan = plan
        self._encode = encoder(plan, strict=True)
        self._outputs = compile.outputs(plan)

    @property
    def outputs(self) -> int:
        """Numbers in one answer: 1, or one for each of three or more classes."""
        return len(self.classes) if self.classes and len(self.classes) > 2 else 1

    def row(self, instance: dict[str, Any], path: str = "instances[0]") -> Row:
        """Check and encode one row as a caller sent it; other fields than the inputs are ignored.

        Raises BadRequest whose ``field`` is ``path.name`` of the first wrong one.
        """
        return self._encode(instance, path)

    def mistakes(self, instance: dict[str, Any]) -> list[tuple[str, str]]:
        """Every input of an object that is wrong: its name, and what is wrong with it. Slow: for
        rows that :meth:`row` refused."""
        found = []
        for name, check in self._checks:
            try:
                check(instance, "")
            except BadRequest as error:
                found.append((name, str(error)[len(error.field) + 2 :]))
        return found

    @cached_property
    def _checks(self) -> list[tuple[str, Encode]]:
        """What checks each input by itself."""
        return [
            (item["name"], encoder(self._plan | {"inputs": [item]}, strict=True))
            for item in self._plan["inputs"]
        ]

    def lenient_rows(self, instances: Any) -> list[Row]:
        """Encode rows that were admitted elsewhere: no ranges, no required or fixed values."""
        encode = encoder(self._plan, strict=False)
        return [encode(instance, f"rows[{i}]") for i, instance in enumerate(instances)]

    def score(self, rows: list[Row]) -> list[float] | list[list[float]]:
        """Answers for encoded rows, in order.

        Two classes: the probability of ``classes[1]``. More: a list of probabilities a row.
        Regression: the value. Never NaN or infinite: raises BadRequest for a row so extreme.
        """
        link, columns = self._plan["model"]["link"], self._outputs(rows)
        if len(columns) > 1:
            function = compile.softmax if link == "softmax" else list
            lists = [function(outputs) for outputs in zip(*columns, strict=True)]
            _check_finite([sum(answers) for answers in lists])
            return lists
        answers = columns[0]
        if link == "logistic":
            answers = [compile.logistic(x) for x in answers]
        _check_finite(answers)
        return answers

    def interval(self, value: float) -> tuple[float, float] | None:
        """Where the truth lies, for a regression's answer; None for classes, or if the plan does
        not say (too few rows were kept back, or it is older than intervals)."""
        if self._interval is None:
            return None
        return value + self._interval["low"], value + self._interval["high"]

    @property
    def explainable(self) -> int:
        """How many rows :meth:`explain` takes at once; 0 if it cannot: the plan is older than
        explanations, or its leaves are too many. At most 100, fewer the more leaves there are."""
        from driftloop.plan import shapley  # here, so that loading a plan does not wait for it

        return shapley.most_rows(self._plan)

    def explain(self, rows: list[Row]) -> Explained:
        """What each input adds to the answers for encoded rows, on the model's own scale.

        Raises BadRequest if it cannot, RequestTooLarge for more than :attr:`explainable` rows;
        neither knows the field that asked. Never NaN or infinite, as in :meth:`score`.
        """
        from driftloop.plan import shapley

        most = shapley.most_rows(self._plan)
        if not most:
            raise BadRequest(
                "this version cannot say why: it was trained before plans kept what that takes, or "
                f"its trees have more than {shapley.MOST_LEAVES:,} leaves"
            )
        if len(rows) > most:
            raise RequestTooLarge(f"{len(rows):,} rows to explain; at most {most:,} at once")
        found = shapley.explain(self._plan, rows)
        _check_finite([sum(map(sum, outputs)) for outputs in found.contributions])
        return found


def _check_finite(answers: list[float]) -> None:
    """Raise BadRequest for the first that is not finite."""
    if math.isfinite(sum(answers)):  # so are all of them then, and it is the fastest way to see it
        return
    for i, answer in enumerate(answers):
        if not math.isfinite(answer):
            path = f"instances[{i}]"
            raise BadRequest(
                f"{path}: the numbers are so extreme that the answer is not finite", path
            )


def load(data: bytes, sha256: str | None = None) -> Scorer:
    """Check a plan's bytes and make it ready to score.

    Raises IntegrityError if they are no plan, or not the one that ``sha256`` names.
    """
    found = schema.digest(data)
    if sha256 is not None and found != sha256:
        raise IntegrityError(f"the plan's SHA-256 is {found}, but the registry names {sha256}")
    return Scorer(schema.read(data), found)
