from datetime import UTC, datetime

import boto3
import pytest

from driftloop.aws.metrics import standing
from driftloop.when import iso


@pytest.fixture
def cloudwatch(aws):
    return boto3.client("cloudwatch")


def test_only_alarms_that_stand_are_told(cloudwatch):
    for cause in ("drift", "performance", "errors"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"driftloop-dev-m-{cause}",
            Namespace="driftloop/dev", MetricName="DriftRatio", Statistic="Maximum",
            Period=60, EvaluationPeriods=1, Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    assert standing("dev", "m") == ()
    for cause in ("drift", "errors"):
        cloudwatch.set_alarm_state(
            AlarmName=f"driftloop-dev-m-{cause}", StateValue="ALARM", StateReason="x"
        )
    (alarm,) = standing("dev", "m")
    assert alarm.cause == "drift" and alarm.since <= iso(datetime.now(UTC))
