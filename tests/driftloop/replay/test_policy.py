"""Policies: a spec with other words, and what may be wrong in them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from driftloop.errors import SpecError
from driftloop.replay.policy import of, read
from driftloop.spec import Spec
from tests.conftest import ROOT
from tests.driftloop.replay.small import spec


def test_only_what_is_said_changes() -> None:
    found = of({"name": "slow", "retrain": {"cooldown": "7d"}}, spec(), "p", "p")
    assert found.name == "slow" and found.spec.retrain.cooldown == timedelta(days=7)
    assert found.spec.retrain.on == spec().retrain.on
    assert found.spec.model_copy(update={"retrain": spec().retrain}) == spec()


def test_nothing_said_is_the_spec_itself() -> None:
    assert of(None, spec(), "p", "as it is").spec == spec()


def test_sections_are_merged_key_by_key() -> None:
    found = of({"monitor": {"performance": {"tolerance": 0.5}}}, spec(), "p", "p").spec.monitor
    assert found.performance and (found.performance.metric, found.performance.tolerance) == (
        "log_loss", 0.5,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ({"retrian": {}}, "retrian: a policy has no such section; did you mean 'retrain'?"),
        (
            {"retrain": {"cooldwon": "1d"}},
            "retrain.cooldwon: unknown key; did you mean 'cooldown'?",
        ),
        ({"monitor": {"min_rows": 0}}, "monitor.min_rows"),
        (["retrain"], "should be a mapping of sections"),
        ({"name": 3}, "name: 3 is no name"),
    ],
)
def test_a_mistake_is_told_with_its_path(said: object, right: str) -> None:
    with pytest.raises(SpecError) as caught:
        of(said, spec(), "p.yaml", "p")
    assert str(caught.value).startswith("p.yaml: ") and right in str(caught.value)


def test_a_file_is_read_with_a_bare_on(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("retrain:\n  on: [drift]\n")
    found = read(file, spec())
    assert (found.name, found.spec.retrain.on) == ("mine", ["drift"])


def test_the_examples_are_policies_of_the_flights() -> None:
    flights = Spec.load(ROOT / "infra" / "models" / "flights.yaml")
    found = [read(file, flights) for file in sorted((ROOT / "examples/policies").glob("*.yaml"))]
    assert {"never retrain", "every month"} <= {policy.name for policy in found}
