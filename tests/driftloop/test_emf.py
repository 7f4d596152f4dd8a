import json
import math

import pytest

from driftloop import emf


def test_a_line_is_what_cloudwatch_reads():
    line = emf.line(
        "dev",
        1000,
        {"model": "flights", "version": "7"},
        {"Latency": (1.5, "Milliseconds")},
        [["model"], ["model", "version"]],
        note="x",
    )
    assert json.loads(line) == {
        "_aws": {
            "Timestamp": 1000,
            "CloudWatchMetrics": [
                {
                    "Namespace": "driftloop/dev",
                    "Dimensions": [["model"], ["model", "version"]],
                    "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}],
                }
            ],
        },
        "note": "x",
        "model": "flights",
        "version": "7",
        "Latency": 1.5,
    }
    assert "\n" not in line


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_law_10_no_metric_is_nan(value):
    with pytest.raises(ValueError, match="DriftRatio"):
        emf.line("dev", 1, {"model": "m"}, {"DriftRatio": (value, "None")})
