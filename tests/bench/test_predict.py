"""The benchmark of predict runs, and what it says of our own side holds on any machine."""

import json
import os
import subprocess
import sys

from tests.conftest import ROOT


def test_ours_answers_as_the_pipeline_and_is_at_home_in_128_mb(tmp_path):
    figures = tmp_path / "figures.json"
    script = ROOT / "tests" / "bench" / "predict.py"
    few = ["--beside", "--starts", "1", "--rounds", "1", "--seconds", "0.2"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, script, *few, "--json", figures],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (ours,) = json.loads(figures.read_text())["contestants"].values()
    assert {size: one["off"] for size, one in ours["rows"].items()} == {"1": 0, "100": 0, "1000": 0}
    assert ours["peak"] < 128
    assert ours["unzipped"] < 10
