"""Quarantined rows are listed, mended and re-admitted from the command; then versions are looked
at: the operator's hand on data, on the deployed loop."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.cli import target
from infra.cli.app import run
from tests.loop.conftest import Loop, as_csv, rows


@pytest.fixture
def told(loop: Loop, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> Any:
    """The command, run against the loop in an empty folder; what it says as JSON."""
    for name, value in target.environment(loop.local.endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Any:
        capsys.readouterr()
        assert run(list(arguments)) == 0, capsys.readouterr().err
        said = capsys.readouterr().out
        return json.loads(said) if "--json" in arguments else said

    return command


def test_rejected_rows_are_mended_and_go_in_again_law_1(loop: Loop, told: Any) -> None:
    table = [row | {"flight_id": f"mended-{row['flight_id']}"} for row in rows(most=300)]
    table = [row | {"hour": "noon"} if n < 5 else row for n, row in enumerate(table)]
    loop.upload("flights", "some.csv", as_csv(table))
    (held,) = [u for u in told("quarantine", "flights", "--json")["uploads"]
               if u["key"].endswith("/some.csv")]  # fmt: skip
    assert (held["accepted"], held["held"], held["readmitted"]) == (295, 5, 0)
    before = told("datasets", "flights", "--json")[0]["dataset"]

    told("quarantine", "export", "flights", "bad.csv", "--upload", "some.csv")
    with Path("bad.csv").open(newline="") as file:
        bad = list(csv.DictReader(file))
    with Path("mended.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(bad[0]))
        writer.writeheader()
        writer.writerows({**row, "hour": "12"} for row in bad)
    loop.local.clock.advance(timedelta(days=1))
    outcome = told("quarantine", "readmit", "flights", "--file", "mended.csv")
    assert "5 rows → incoming/flights/readmitted-" in outcome
    loop.local.wait_idle(240)
    last = loop.runs("flights")[-1]
    assert last["rows"] == {"accepted": 5, "rejected": 0}
    newest = told("datasets", "flights", "--json")[0]
    assert newest["run"] == last["run"] and newest["by"].startswith("readmitted-")

    (held,) = told("quarantine", "flights", "--upload", "some.csv", "--json")["uploads"]
    assert (held["accepted"], held["held"], held["readmitted"]) == (295, 0, 5)
    found = told("diff", "flights", before[:12], "--json")
    assert (found["added"], found["removed"], found["changed"]) == (5, 0, 0)
    assert found["second"]["rows"] == found["first"]["rows"] + 5
    told("export", "flights", "latest", "all.csv")
    with Path("all.csv").open(newline="") as file:
        assert sum(1 for _ in csv.DictReader(file)) == found["second"]["rows"]
