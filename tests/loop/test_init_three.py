"""From an unknown file to predictions over HTTP in three commands: three data sets that are not in
the repository go through `driftloop init`, `up` and `upload`, and nobody edits a spec."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.metrics import accuracy_score, r2_score

from driftloop.spec import Spec

pytestmark = pytest.mark.slow
DATA = {"cancer": load_breast_cancer, "wine": load_wine, "diabetes": load_diabetes}


class Shell:
    """``driftloop …`` in a folder of its own, as a person types it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The three files, their inferred specs, and the loop deployed with these."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        shell = Shell(tmp_path_factory.mktemp("three"))
        for name, load in DATA.items():
            load(as_frame=True).frame.to_csv(shell.folder / f"{name}.csv", index=False)
            shell("init", f"{name}.csv", "--out", f"{name}.yaml")
        models = [part for name in DATA for part in ("--model", f"{name}.yaml")]
        shell("up", "--detach", "--port", "0", *models)
        yield shell
        shell("down")


def test_the_specs_are_of_the_right_kind(shell: Shell) -> None:
    specs = {name: Spec.load(shell.folder / f"{name}.yaml") for name in DATA}
    assert {name: spec.task for name, spec in specs.items()} == {
        "cancer": "classification", "wine": "classification", "diabetes": "regression",
    }  # fmt: skip
    for name, spec in specs.items():
        frame = DATA[name](as_frame=True).frame
        assert [*spec.features, spec.target] == list(frame.columns)


@pytest.mark.parametrize("name", DATA)
def test_an_inferred_spec_trains_and_serves_without_edits(shell: Shell, name: str) -> None:
    frame = DATA[name](as_frame=True).frame
    outcome = shell.json("upload", name, f"{name}.csv")
    assert outcome["run"]["outcome"] == "released", outcome
    assert outcome["run"]["rows"] == {"accepted": len(frame), "rejected": 0}
    predictions = shell.json("predict", name, f"{name}.csv")["predictions"]
    assert {p["version"] for p in predictions} == {1}
    truth = frame["target"].to_numpy()
    if name == "diabetes":
        assert r2_score(truth, [p["value"] for p in predictions]) > 0.4
    else:
        answers = np.array([int(p["value"]) for p in predictions])
        assert accuracy_score(truth, answers) > 0.95
