"""Every trouble is called by its name, nothing by none, and a wrong unit never argues for learning
from it. ``tests/bench/diagnosis.py`` counts over many more windows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.diagnosis import Diagnosis
from driftloop.errors import SpecError
from driftloop.spec import Policy, Spec
from tests.driftloop.diagnosis.worlds import (
    NOTHING,
    TROUBLES,
    factor,
    model,
    replace,
    signal,
    window,
)

CASES = [(kind, name) for kind, found in TROUBLES.items() for name in found]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_each_trouble_is_called_by_its_name(kind: str, name: str) -> None:
    said = window(TROUBLES[kind][name], seed=len(name), rows=1_000)
    assert said is not None
    assert said.kind == kind, said.evidence
    assert said.action == Policy().action(kind)  # type: ignore[arg-type]
    assert said.text and all(e.endswith(".") for e in said.evidence)
    shares = [f.share for f in said.features]
    assert all(0.0 <= share <= 1.0 for share in shares) and sum(shares) <= 1.0 + 1e-9
    json.dumps(said.to_json(), allow_nan=False)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_wrong_is_no_diagnosis(task: str, seed: int) -> None:
    assert window(NOTHING, seed, rows=1_000, task=task) is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [("unit_bug", "temp ×100"), ("population_shift", "season"),
     ("calibration_shift", "more of all"), ("concept_shift", "flipped"),
     ("bad_release", "learned the wrong way")],
)  # fmt: skip
def test_the_same_of_a_regression(kind: str, name: str) -> None:
    said = window(TROUBLES[kind][name], seed=1, rows=1_000, task="regression")
    assert said is not None
    assert said.kind == kind, said.evidence


@settings(max_examples=12, deadline=None)
@given(
    feature=st.sampled_from(["temp", "distance", "wind"]),
    by=st.sampled_from([100, 1000, 0.01, 60]),
    share=st.sampled_from([0.1, 0.3, 0.7, 1.0]),
    flipped=st.booleans(),
    labels=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_a_wrong_unit_never_argues_for_learning_from_it(
    feature: str, by: float, share: float, flipped: bool, labels: bool, seed: int
) -> None:
    trouble = factor(feature, by, share)
    if flipped:  # whatever else is the matter
        trouble = replace(trouble, tells=lambda rows: signal(rows, flip=-1.0))
    said = window(trouble, seed, rows=600, labels=labels)
    assert said is not None
    assert (said.kind, said.action) == ("unit_bug", "quarantine"), said.evidence
    assert not any("was estimated" in sentence for sentence in said.evidence)
    assert [f.name for f in said.features] == [feature]


def test_without_labels_a_moved_input_is_other_rows_and_an_estimate_of_their_cost() -> None:
    said = window(TROUBLES["population_shift"]["season"], 3, rows=1_000, labels=False)
    assert said is not None and said.kind == "population_shift"
    assert {f.name for f in said.features} >= {"temp", "dewp"}
    assert said.features[0].name == "temp" and said.features[0].share > 0.5
    assert "too few labels yet" in said.text


def test_a_changed_relation_is_told_with_the_feature_along_which_it_changed() -> None:
    said = window(TROUBLES["concept_shift"]["flipped"], 3)
    assert said is not None and said.features[0].name == "late"
    assert said.features[0].loss_share is not None and said.features[0].loss_share > 0.8


def test_no_version_is_blamed_that_was_no_better_before() -> None:
    """Both learned the same; the world turned round."""
    trouble = replace(TROUBLES["concept_shift"]["flipped"], before=1.0)
    said = window(trouble, 5, rows=1_000)
    assert said is not None and said.kind == "concept_shift"


def test_the_policy_of_the_spec_says_what_is_done() -> None:
    raw = json.loads(model().spec.to_json())
    spec = Spec.parse(raw | {"retrain": {"policy": {"unit_bug": "ignore"}}})
    assert spec.retrain.policy.action("unit_bug") == "ignore"
    assert spec.retrain.policy.action("bad_release") == "roll_back"
    with pytest.raises(SpecError, match=r"retrain\.policy\.unit_bug: 'retrian' is not valid"):
        Spec.parse(raw | {"retrain": {"policy": {"unit_bug": "retrian"}}})


def text_of(said: Diagnosis | None) -> str:
    assert said is not None
    return said.text


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("unit_bug", "temp ×100",
         "temp looks 100 times too large: divided by 100, it matches the training data again. "
         "That is a mistake upstream; there is nothing to learn from such rows."),
        ("missing_source", "temp gone",
         "A source seems to have fallen silent: temp is missing in 100% of the rows (0% at "
         "training). The model answers without it; look for what feeds it."),
    ],
)  # fmt: skip
def test_what_is_said_at_night(kind: str, name: str, told: str) -> None:
    assert text_of(window(TROUBLES[kind][name], 1, rows=600)) == told


def test_the_order_of_rows_makes_no_difference() -> None:
    trouble: Any = TROUBLES["concept_shift"]["flipped"]
    one, two = (window(trouble, 2, rows=600, order=order) for order in (1, -1))
    assert one is not None and two is not None
    assert one.kind == two.kind and one.text == two.text
    np.testing.assert_allclose(
        [f.share for f in one.features], [f.share for f in two.features], rtol=1e-9
    )
