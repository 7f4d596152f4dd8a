"""Direct loss estimation: rows that cannot be read, and the spread that R² needs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from driftloop.estimation import dle, fitting
from driftloop.frame import Frame
from tests.driftloop.estimation.world import World

WORLD = World(0)


def test_a_row_that_cannot_be_read_counts_as_the_others_do() -> None:
    document = json.loads(json.dumps(WORLD.document("mae"), allow_nan=False))
    served = WORLD.serve(1, 50).records
    odd = {**served[0], "features": {**served[0]["features"], "x": "many"}}
    alone, beside = dle.losses(document, served), dle.losses(document, [*served, odd])
    assert (alone >= 0).all() and beside[:50].tolist() == alone.tolist()
    assert beside[50] == pytest.approx(alone.mean())
    assert dle.losses(document, [odd]).tolist() == [0.0]
    strange = {**served[0], "features": {"kind": "never seen", "z": None, "x": None}}
    assert np.isfinite(dle.losses(document, [strange])).all()


def test_r2_of_a_model_that_is_off_is_told_from_its_line() -> None:
    """Answers that say half of what is true: a worse R², though their own spread is smaller."""
    rng = np.random.default_rng(3)
    answers = rng.normal(0, 1, 50_000)
    truth = 0.5 + 2 * answers + rng.normal(0, 0.7, answers.size)
    off = np.full(answers.size, 0.7**2) + (0.5 + answers) ** 2
    realised = 1 - ((truth - answers) ** 2).mean() / truth.var()
    found = dle.value({"line": [0.5, 2.0]}, "r2", off, answers)
    assert found == pytest.approx(realised, abs=0.01)
    assert dle.value({"line": [0.0, 1.0]}, "r2", np.zeros(3), np.ones(3)) is None


def test_answers_all_alike_and_a_feature_named_as_the_answer_can_be_learned_from() -> None:
    rng = np.random.default_rng(0)
    spec = WORLD.spec()
    features = {"answer": spec.features["x"], "answer_": spec.features["x"]}
    frame = Frame(
        columns={name: rng.normal(size=80) for name in features}, vocabulary={},
        target=rng.normal(size=80), classes=None, train=np.zeros(80, dtype=bool),
    )  # fmt: skip
    named = spec.model_copy(update={"features": features})
    document = fitting.fit(named, frame, np.full(80, 0.5), "rmse")
    assert document["answer"] == "answer__" and document["line"][1] == 1.0
    rows = [{"features": row, "prediction": 0.5} for row in frame.instances()]
    found = dle.value(document, "rmse", dle.losses(document, rows), np.full(80, 0.5))
    assert found == pytest.approx(float(((frame.target - 0.5) ** 2).mean() ** 0.5), rel=0.01)
