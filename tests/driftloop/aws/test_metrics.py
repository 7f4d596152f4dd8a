from datetime import UTC, datetime, timedelta

import boto3
import pytest

from driftloop.aws.metrics import standing

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture
def cloudwatch(aws):
    return boto3.client("cloudwatch")


def put(cloudwatch, name, value, dimensions, ago, env="dev"):
    cloudwatch.put_metric_data(
        Namespace=f"driftloop/{env}",
        MetricData=[
            {
                "MetricName": name,
                "Value": value,
                "Timestamp": NOW - ago,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            }
        ],
    )


def test_only_alarms_that_stand_are_told_with_their_last_bad_moment(cloudwatch):
    for cause in ("drift", "performance", "errors"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"driftloop-dev-m-{cause}",
            Namespace="driftloop/dev", MetricName="DriftRatio", Statistic="Maximum",
            Period=60, EvaluationPeriods=1, Threshold=1.0,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    assert standing("dev", "m", NOW, DAY) == ()
    for cause in ("drift", "errors"):
        cloudwatch.set_alarm_state(
            AlarmName=f"driftloop-dev-m-{cause}", StateValue="ALARM", StateReason="x"
        )
    (alarm,) = standing("dev", "m", NOW, DAY)
    assert (alarm.cause, alarm.last_over) == ("drift", None)
    put(cloudwatch, "DriftRatio", 1.4, {"model": "m"}, timedelta(hours=30))
    put(cloudwatch, "DriftRatio", 0.4, {"model": "m"}, timedelta(hours=3))
    put(cloudwatch, "DriftRatio", 9.0, {"model": "other"}, timedelta(hours=2))
    put(cloudwatch, "DriftRatio", 9.0, {"model": "m"}, timedelta(hours=2), "prod")
    (alarm,) = standing("dev", "m", NOW, DAY)
    assert (NOW - timedelta(hours=31)).isoformat()[:13] <= alarm.last_over[:13]
    assert alarm.last_over[:13] <= (NOW - timedelta(hours=29)).isoformat()[:13]
