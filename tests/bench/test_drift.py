"""The benchmark of drift runs, and what it says of our own side holds on any machine."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def test_ours_are_the_exact_distances_in_little_memory(tmp_path):
    figures = tmp_path / "figures.json"
    script = ROOT / "tests" / "bench" / "drift.py"
    few = ["--beside", "--rows", "20000", "--captured", "2000", "--times", "1"]
    done = subprocess.run(
        [sys.executable, script, *few, "--json", figures],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text())
    assert {name: one["rows"] for name, one in found["taken"].items()} == {
        "driftloop, sketches": 20_000, "driftloop, rows": 20_000,
        "driftloop, captures": 2_000, "scipy, exact": 20_000,
    }  # fmt: skip
    assert found["taken"]["driftloop, sketches"]["peak"] < 128
    assert found["taken"]["driftloop, rows"]["peak"] < 200
    exact = found["differences"]["scipy, exact"]
    assert exact["kolmogorov_smirnov"]["apart"] < 1e-3
    assert exact["wasserstein"]["apart"] < 1e-3
    of = found["figures"]
    assert of["driftloop, sketches"] == of["driftloop, rows"]  # nothing is lost on the way
    moved, kept = of["driftloop, captures"]["n11"], of["driftloop, captures"]["n12"]
    assert moved["wasserstein"] == pytest.approx(0.2, abs=0.07) and kept["wasserstein"] < 0.1
