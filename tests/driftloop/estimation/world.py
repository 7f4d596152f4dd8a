"""A small world whose concept is known: rows, a model of them, and windows that moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from driftloop import losses, pipeline
from driftloop.captured import Record
from driftloop.estimation import fitting
from driftloop.frame import Frame
from driftloop.spec import Spec

HELD = 0.3
BOOSTED = {"max_iter": 40, "learning_rate": 0.1, "max_leaf_nodes": 15}
KINDS = np.array([-0.5, 0.0, 0.5])


@dataclass(frozen=True)
class Window:
    """What was served: ``truth`` as a frame's target; ``scores`` as the model gave them."""

    records: list[Record]
    truth: npt.NDArray[Any]
    scores: npt.NDArray[np.float64]

    def realised(self, metric: str) -> float:
        value = losses.value(metric, self.truth, self.scores)
        assert value is not None
        return value


@dataclass(frozen=True)
class World:
    """``classes``: how many there are to tell apart; 0 for a regression."""

    classes: int
    seed: int = 0

    @property
    def names(self) -> list[str] | None:
        return [str(c) for c in range(self.classes)] if self.classes else None

    def spec(self) -> Spec:
        return Spec.parse({
            "name": "world", "target": "y",
            "task": "classification" if self.classes else "regression",
            "features": {"x": {"type": "number"}, "z": {"type": "number", "nullable": True},
                         "kind": {"type": "category"}},
        })  # fmt: skip

    def frame(self, rows: int, seed: int, *, shift: float = 0.0, flip: bool = False) -> Frame:
        """``shift``: how far x lies from where it lay at training; ``flip``: its relation to the
        truth is turned round."""
        rng = np.random.default_rng([self.seed, seed])
        x, z = rng.normal(shift, 1.0, rows), rng.normal(0.0, 1.0, rows)
        kind = rng.integers(0, 3, rows).astype(np.int32)
        signal = (-1.2 if flip else 1.2) * x + 0.5 * np.sin(2 * z) + KINDS[kind]
        if self.classes:
            logits = np.outer(signal, np.linspace(-0.5, 0.5, self.classes) * (self.classes - 1))
            target: Any = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1).astype(np.int32)
        else:  # the noise grows with x: losses differ from row to row
            target = signal + rng.normal(0, 0.3 + 0.4 * np.exp(0.5 * np.clip(x, -3, 3)))
        z[rng.random(rows) < 0.1] = np.nan
        return Frame(
            columns={"x": x, "z": z, "kind": kind}, vocabulary={"kind": ["a", "b", "c"]},
            target=target, classes=self.names, train=np.arange(rows) < rows * (1 - HELD),
        )  # fmt: skip

    @cache  # noqa: B019  # worlds are few, and small
    def model(self) -> tuple[Any, Frame, npt.NDArray[np.float64]]:
        frame = self.frame(6_000, 0)
        fitted = pipeline.fit(self.spec(), "hist_gradient_boosting", BOOSTED, frame, frame.train)
        holdout = frame.take(frame.holdout)
        return fitted, holdout, pipeline.predict(fitted, holdout)

    def document(self, metric: str) -> dict[str, Any]:
        """The estimator of its model."""
        _, holdout, answers = self.model()
        return fitting.fit(self.spec(), holdout, answers, metric)

    def serve(self, seed: int, rows: int = 2_000, **moved: Any) -> Window:
        frame = self.frame(rows, seed, **moved)
        scores = pipeline.predict(self.model()[0], frame)
        records = [
            {"id": f"{i:08d}", "features": row, "prediction": scores[i].tolist()}
            for i, row in enumerate(frame.instances())
        ]
        return Window(records, frame.target, scores)
