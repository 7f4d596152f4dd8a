"""Metrics, alarms, and what an alarm sets off."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

RULE = "arn:aws:events:us-east-1:123456789012:rule/alarms"
ALARM = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:m-drift"
START = datetime(2013, 2, 1, tzinfo=UTC)


@pytest.fixture
def cloudwatch(aws: Any) -> Any:
    arn = aws.function("f")
    aws.permit(arn, "events.amazonaws.com", RULE)
    client = aws.client("events")
    client.put_rule(Name="alarms", EventPattern=json.dumps({"source": ["aws.cloudwatch"]}))
    client.put_targets(Rule="alarms", Targets=[{"Id": "f", "Arn": arn}])
    return aws.client("cloudwatch")


def alarm(cloudwatch: Any, **fields: Any) -> None:
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": "m-drift",
            "AlarmDescription": "drift",
            "Namespace": "app",
            "MetricName": "DriftRatio",
            "Dimensions": [{"Name": "model", "Value": "m"}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore",
        }
        | fields
    )


def metric(cloudwatch: Any, value: float, **fields: Any) -> None:
    datum = {
        "MetricName": "DriftRatio",
        "Dimensions": [{"Name": "model", "Value": "m"}],
        "Value": value,
    }
    cloudwatch.put_metric_data(Namespace="app", MetricData=[datum | fields])


def changes(aws: Any) -> list[str]:
    aws.settle()
    return [event["detail"]["state"]["value"] for _, event, _ in aws.invoked]


def state(cloudwatch: Any) -> str:
    return str(cloudwatch.describe_alarms(AlarmNames=["m-drift"])["MetricAlarms"][0]["StateValue"])


def test_a_breach_alarms_at_once_in_aws_shape(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    aws.settle(minutes=10, seconds=30)
    metric(cloudwatch, 1.73)
    aws.settle()
    ((_, event, _),) = aws.invoked
    assert state(cloudwatch) == "ALARM"
    assert event["detail-type"] == "CloudWatch Alarm State Change"
    assert event["resources"] == [ALARM]
    assert event["time"] == "2013-02-01T00:10:30Z"
    detail = event["detail"]
    assert detail["alarmName"] == "m-drift"
    assert detail["previousState"] == {
        "value": "INSUFFICIENT_DATA",
        "reason": "Unchecked: Initial alarm creation",
        "timestamp": "2013-02-01T00:00:00.000+0000",
    }
    assert detail["state"]["value"] == "ALARM"
    assert detail["state"]["timestamp"] == "2013-02-01T00:10:30.000+0000"
    assert detail["state"]["reason"].startswith(
        "Threshold Crossed: 1 out of the last 1 datapoints [1.73 (01/02/13 00:10:00)] was greater"
    )
    data = json.loads(detail["state"]["reasonData"])
    assert data["recentDatapoints"] == [1.73]
    assert data["threshold"] == 1.0
    assert detail["configuration"]["description"] == "drift"
    (configured,) = detail["configuration"]["metrics"]
    assert configured["returnData"] is True
    assert configured["metricStat"] == {
        "metric": {"namespace": "app", "name": "DriftRatio", "dimensions": {"model": "m"}},
        "period": 60,
        "stat": "Maximum",
    }


def test_good_news_waits_for_the_end_of_its_period(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    metric(cloudwatch, 2.0)
    aws.settle(days=30)
    metric(cloudwatch, 0.5)
    assert changes(aws) == ["ALARM"]
    aws.settle(minutes=1)
    assert changes(aws) == ["ALARM", "OK"]


def test_one_event_however_often_a_breach_is_repeated(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    for _ in range(3):
        metric(cloudwatch, 2.0)
        aws.settle(minutes=3)
    assert changes(aws) == ["ALARM"]


def test_an_average_is_judged_when_its_period_is_whole(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch, Statistic="Average")
    metric(cloudwatch, 3.0)
    aws.settle(seconds=30)
    metric(cloudwatch, -3.0)
    aws.settle(minutes=1)
    assert changes(aws) == ["OK"]


def test_two_out_of_three(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch, EvaluationPeriods=3, DatapointsToAlarm=2)
    for value in (2.0, 0.5, 2.0):
        assert "ALARM" not in changes(aws)
        metric(cloudwatch, value)
        aws.settle(minutes=1)
    assert changes(aws)[-1] == "ALARM"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("missing", ["ALARM", "INSUFFICIENT_DATA"]),
        ("ignore", ["ALARM"]),
        ("breaching", ["ALARM"]),
        ("notBreaching", ["OK", "ALARM", "OK"]),
    ],
)
def test_silence_after_a_breach(
    aws: Any, cloudwatch: Any, missing: str, expected: list[str]
) -> None:
    alarm(cloudwatch, TreatMissingData=missing)
    aws.settle(minutes=5)
    metric(cloudwatch, 2.0)
    aws.settle(hours=1)
    assert changes(aws) == expected


def test_months_of_silence_cost_nothing(aws: Any, cloudwatch: Any) -> None:
    for number in range(40):
        alarm(cloudwatch, AlarmName=f"alarm-{number}")
    metric(cloudwatch, 0.5)
    calls = []
    inner = aws.clock.call_at
    aws.clock.call_at = lambda *args: calls.append(args) or inner(*args)
    aws.settle(days=200)
    assert len(calls) <= 40 * 5


def test_a_crowd_of_samples_is_judged_once_a_period(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch, Statistic="Sum", Threshold=2999)
    began = time.monotonic()
    for _ in range(3000):
        aws.metrics.put(
            "app",
            [
                {
                    "MetricName": "DriftRatio",
                    "Dimensions": [{"Name": "model", "Value": "m"}],
                    "Value": 1.0,
                }
            ],
        )
    assert time.monotonic() - began < 3
    aws.settle(minutes=1)
    assert changes(aws) == ["ALARM"]


def test_a_late_sample_is_found_in_its_own_period(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    aws.settle(minutes=10)
    metric(cloudwatch, 2.0, Timestamp=START + timedelta(minutes=9))
    assert changes(aws) == ["ALARM"]
    # and one that is older than the evaluation range is not
    metric(cloudwatch, 0.1, Timestamp=START + timedelta(minutes=1))
    aws.settle(minutes=5)
    assert changes(aws) == ["ALARM"]


def test_only_its_own_series(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    metric(cloudwatch, 2.0, Dimensions=[{"Name": "model", "Value": "other"}])
    metric(cloudwatch, 2.0, Dimensions=[])
    metric(cloudwatch, 2.0, MetricName="Other")
    aws.settle(minutes=5)
    assert changes(aws) == []


def test_a_percentile_alarm(aws: Any, cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(
        AlarmName="m-drift",
        Namespace="app",
        MetricName="DriftRatio",
        ExtendedStatistic="p90",
        Period=60,
        EvaluationPeriods=1,
        Threshold=8.5,
        ComparisonOperator="GreaterThanThreshold",
    )
    datum = {"MetricName": "DriftRatio", "Values": [float(n) for n in range(1, 11)]}
    cloudwatch.put_metric_data(Namespace="app", MetricData=[datum])
    aws.settle(minutes=1)
    assert changes(aws) == ["ALARM"]


def test_set_alarm_state_tells_only_changes(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    for value in ("ALARM", "ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName="m-drift", StateValue=value, StateReason="by hand")
        aws.settle()
    assert changes(aws) == ["ALARM", "OK"]
    assert aws.invoked[0][1]["detail"]["state"]["reason"] == "by hand"


def test_a_new_configuration_keeps_the_state(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    metric(cloudwatch, 2.0)
    alarm(cloudwatch, Threshold=5.0)
    assert state(cloudwatch) == "ALARM"
    cloudwatch.delete_alarms(AlarmNames=["m-drift"])
    metric(cloudwatch, 9.0)
    assert changes(aws) == ["ALARM"]


def test_actions_reach_topics_and_functions(aws: Any, cloudwatch: Any) -> None:
    topic = aws.client("sns").create_topic(Name="alerts")["TopicArn"]
    arn = aws.function("act")
    aws.permit(arn, "lambda.alarms.cloudwatch.amazonaws.com", ALARM)
    alarm(cloudwatch, AlarmActions=[topic, arn], OKActions=[topic])
    metric(cloudwatch, 2.0)
    aws.settle()
    (mail,) = aws.outbox
    assert mail["subject"] == 'ALARM: "m-drift" in us-east-1'
    message = json.loads(mail["message"])
    assert message["NewStateValue"] == "ALARM"
    assert message["OldStateValue"] == "INSUFFICIENT_DATA"
    assert message["Trigger"]["Dimensions"] == [{"name": "model", "value": "m"}]
    (given,) = [event for target, event, _ in aws.invoked if target == arn]
    assert given["alarmArn"] == ALARM
    assert given["alarmData"]["state"]["value"] == "ALARM"


def test_a_topic_whose_policy_forgets_cloudwatch_hears_nothing(aws: Any, cloudwatch: Any) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    policy = {"Version": "2012-10-17", "Statement": []}
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy)
    )
    alarm(cloudwatch, AlarmActions=[topic])
    metric(cloudwatch, 2.0)
    assert changes(aws) == ["ALARM"]
    assert aws.outbox == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Value": float("nan")},
        {"Value": float("inf")},
        {"Value": float("-inf")},
        {"Value": 2.0**361},
        {"Timestamp": START - timedelta(days=15)},
        {"Timestamp": START + timedelta(hours=3)},
    ],
)
def test_law_10_no_silent_number_becomes_a_metric(
    aws: Any, cloudwatch: Any, fields: dict[str, Any]
) -> None:
    alarm(cloudwatch)
    with pytest.raises(ClientError):
        metric(
            cloudwatch,
            **{"value": 2.0} | {k.replace("Value", "value"): v for k, v in fields.items()},
        )
    aws.settle(minutes=5)
    assert changes(aws) == []
    assert cloudwatch.list_metrics(Namespace="app")["Metrics"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Statistic": "TrimmedMean"},
        {"Period": 61},
        {"Period": 86400, "EvaluationPeriods": 8},
        {"DatapointsToAlarm": 2},
        {"TreatMissingData": "sometimes"},
        {"ComparisonOperator": "GreaterThanUpperThreshold"},
        {"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]},
    ],
)
def test_alarms_that_are_refused_leave_no_trace(
    aws: Any, cloudwatch: Any, fields: dict[str, Any]
) -> None:
    with pytest.raises(ClientError):
        alarm(cloudwatch, **fields)
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_metric_math_is_refused_by_name(aws: Any, cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="metric math"):
        cloudwatch.put_metric_alarm(
            AlarmName="rate",
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "e", "Expression": "m1 / m2"}],
        )


def test_statistics_come_back_by_aligned_periods(aws: Any, cloudwatch: Any) -> None:
    for minute, value in ((0, 1.0), (1, 3.0), (5, 10.0)):
        metric(cloudwatch, value, Timestamp=START + timedelta(minutes=minute))
    metric(cloudwatch, 99.0, Dimensions=[])
    asked = {
        "Namespace": "app",
        "MetricName": "DriftRatio",
        "Dimensions": [{"Name": "model", "Value": "m"}],
    }
    points = cloudwatch.get_metric_statistics(
        **asked,
        StartTime=START - timedelta(minutes=1),
        EndTime=START + timedelta(hours=1),
        Period=300,
        Statistics=["Average", "SampleCount"],
    )["Datapoints"]
    assert [(p["Timestamp"], p["Average"], p["SampleCount"]) for p in points] == [
        (START, 2.0, 2.0),
        (START + timedelta(minutes=5), 10.0, 1.0),
    ]
    (result,) = cloudwatch.get_metric_data(
        StartTime=START,
        EndTime=START + timedelta(hours=1),
        MetricDataQueries=[
            {"Id": "a", "MetricStat": {"Metric": asked, "Period": 300, "Stat": "Sum"}}
        ],
    )["MetricDataResults"]
    assert result["Values"] == [10.0, 4.0]


def test_composite_alarms_follow(aws: Any, cloudwatch: Any) -> None:
    alarm(cloudwatch)
    template = {
        "Resources": {
            "Any": {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "Properties": {
                    "AlarmName": "any",
                    "AlarmRule": 'ALARM("m-drift") AND NOT OK(m-other)',
                },
            }
        }
    }
    aws.client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps(template))
    assert changes(aws) == ["OK"]
    metric(cloudwatch, 2.0)
    aws.settle()
    told = {(e["detail"]["alarmName"], e["detail"]["state"]["value"]) for _, e, _ in aws.invoked}
    assert told == {("any", "OK"), ("m-drift", "ALARM"), ("any", "ALARM")}
