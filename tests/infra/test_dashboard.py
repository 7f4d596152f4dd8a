"""The dashboard: what it charts is what is printed, and its cost is Lambda's own time."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra import stages
from tests.conftest import ROOT, Assembly

PACKAGE = ROOT / "layers" / "driftloop" / "python" / "driftloop"


@pytest.fixture(scope="module")
def body(assembly: Assembly) -> dict[str, Any]:
    """The dashboard's body; references stand as their JSON."""
    (board,) = assembly.resources("flights", "AWS::CloudWatch::Dashboard").values()
    assert board["Properties"]["DashboardName"] == "driftloop-dev-flights"
    joined = board["Properties"]["DashboardBody"]["Fn::Join"][1]
    texts = (part if isinstance(part, str) else next(iter(part.values())) for part in joined)
    found: dict[str, Any] = json.loads("".join(t if isinstance(t, str) else t[0] for t in texts))
    return found


def graph(body: dict[str, Any], title: str) -> dict[str, Any]:
    (found,) = (w["properties"] for w in body["widgets"] if w["properties"].get("title") == title)
    properties: dict[str, Any] = found
    return properties


def charted(body: dict[str, Any]) -> set[str]:
    """Names of the model's own metrics."""
    metrics = [m for w in body["widgets"] for m in w["properties"].get("metrics", [])]
    named = {m[1] for m in metrics if m[0] == "driftloop/dev"}
    searched = re.findall(r'MetricName=\\?"(\w+)', json.dumps(metrics).replace('\\\\"', '"'))
    return named | {name.strip('"\\') for name in searched}


def test_it_shows_traffic_drift_performance_runs_releases_and_cost(body: dict[str, Any]) -> None:
    assert charted(body) == {
        *("Requests", "Rows", "Latency", "Errors", "BadRequests"),
        *("DriftRatio", "FeatureDriftRatio", "PerformanceRatio", "WindowRows", "LabelledRows"),
        *("RealisedPerformance", "EstimatedPerformance", "PromisedPerformance"),
        *("RunsStarted", "RunsReleased", "RunsRejected", "RunsFailed", "RolledBack"),
        "ChampionVersion",
    }
    (alarms,) = (w["properties"]["alarms"] for w in body["widgets"] if w["type"] == "alarm")
    assert len(alarms) == 5


def test_every_metric_that_is_charted_is_one_that_is_printed(body: dict[str, Any]) -> None:
    printed = "".join(file.read_text() for file in PACKAGE.rglob("*.py"))
    for name in charted(body):
        assert f'"{name}"' in printed, f"nothing prints {name}"


def test_features_and_versions_are_searched_for_within_the_model(body: dict[str, Any]) -> None:
    for title, name, dimension in (
        ("Drift ÷ threshold, by feature", "FeatureDriftRatio", "feature"),
        ("Requests by version, while two share them", "Requests", "version"),
    ):
        ((search,),) = graph(body, title)["metrics"]
        assert search["expression"].startswith(
            f'SEARCH(\'{{"driftloop/dev",model,{dimension}}} '
            f'MetricName="{name}" model="flights"\', '
        )
        assert search["label"] == f"${{PROP('Dim.{dimension}')}}"


def test_ratios_have_their_line_at_one(body: dict[str, Any]) -> None:
    for title in ("Drift ÷ threshold", "Loss ÷ what is allowed"):
        ((line,),) = list(graph(body, title)["annotations"].values())
        assert line["value"] == 1


def test_cost_is_each_functions_milliseconds_at_its_memory_and_the_price(
    body: dict[str, Any],
) -> None:
    found = {
        metric[0]["label"]: metric[0]["expression"]
        for metric in graph(body, "Cost by function, USD an hour")["metrics"]
        if "expression" in metric[0]
    }
    assert len(found) == 13
    milliseconds = 3_600_000
    for stage in (stages.PREDICT, stages.MONITOR):
        times, factor = found[stage.name].split("*")
        assert times == stage.name
        dollars = stage.memory / 1024 * 3600 * 0.0000166667
        assert float(factor) * milliseconds == pytest.approx(dollars, rel=1e-3)
    (text,) = (w["properties"]["markdown"] for w in body["widgets"] if w["type"] == "text")
    assert "0.0000166667 USD per GB-second" in text and "Left out" in text


def test_it_fits_the_grid(body: dict[str, Any]) -> None:
    for widget in body["widgets"]:
        assert widget["x"] >= 0 and widget["x"] + widget["width"] <= 24
    assert len(body["widgets"]) <= 500
