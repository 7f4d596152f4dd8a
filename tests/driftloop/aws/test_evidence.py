"""Of which span of time a champion's traffic is that no longer answers; how CloudWatch is asked."""

from datetime import timedelta

import pytest
from botocore.stub import Stubber

from driftloop.aws import metrics
from driftloop.aws.clients import client
from driftloop.aws.evidence import earlier
from driftloop.aws.metrics import traffic
from driftloop.spec import Release
from driftloop.when import parse

SINCE = parse("2013-02-01T10:05:40Z")


@pytest.mark.parametrize(("bake", "begins"), [("10m", "09:05:40"), ("2h", "04:05:40")])
def test_what_a_challenger_answers_is_not_counted_as_what_the_champion_did_before(
    aws, monkeypatch, bake, begins
):
    """Blue/green takes over within a minute, and CloudWatch counts by minutes."""
    start, end = earlier(SINCE, Release(strategy="blue_green", bake=bake))
    assert start == parse(f"2013-02-01T{begins}Z") and end < parse("2013-02-01T10:05:00Z")
    cloudwatch = client("cloudwatch")
    asked = []
    cloudwatch.meta.events.register(
        "provide-client-params.cloudwatch.GetMetricData", lambda params, **_: asked.append(params)
    )
    monkeypatch.setattr(metrics, "client", lambda name: cloudwatch)
    for until, ends in ((end, "10:05:00"), (SINCE + timedelta(minutes=1), "10:07:00")):
        with Stubber(cloudwatch) as stub:
            stub.add_response("get_metric_data", {"MetricDataResults": []})
            assert traffic("dev", "m", None, start, until).requests == 0
        assert asked[-1]["EndTime"] == parse(f"2013-02-01T{ends}Z")  # which is not taken
        whole = (asked[-1]["EndTime"] - asked[-1]["StartTime"]).total_seconds()
        periods = {q["Id"]: q["MetricStat"]["Period"] for q in asked[-1]["MetricDataQueries"]}
        assert (periods["requests"], periods["p50"]) == (60, whole)  # nothing of behind its end
