"""Log lines: on to functions through filters, and into metrics."""

import base64
import gzip
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

GROUP = "/driftloop/dev/m/predict"
SOURCE = f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:*"
NOW = 1359676800000


def subscribe(aws: Any, pattern: str) -> str:
    arn = str(aws.function("capture"))
    aws.permit(arn, "logs.amazonaws.com", SOURCE)
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.put_subscription_filter(
        logGroupName=GROUP, filterName="capture", filterPattern=pattern, destinationArn=arn
    )
    return arn


def write(aws: Any, *messages: str, stream: str = "s") -> None:
    for hook in aws.on_log:
        hook(GROUP, stream, [(NOW + n, message) for n, message in enumerate(messages)])


def unpack(event: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"]))))


def test_lines_that_match_arrive_together_in_aws_shape(aws: Any) -> None:
    arn = subscribe(aws, "{ $.capture = 1 }")
    aws.clock.speed = 1  # lines are gathered for a moment only where time passes
    wanted = [json.dumps({"capture": 1, "n": n}) for n in range(3)]
    write(aws, "START RequestId", wanted[0], json.dumps({"capture": 2}), wanted[1])
    write(aws, wanted[2])
    aws.settle()
    ((target, event, caller),) = aws.invoked
    assert (target, caller) == (arn, "logs.amazonaws.com")
    data = unpack(event)
    events = data.pop("logEvents")
    assert data == {
        "messageType": "DATA_MESSAGE",
        "owner": "123456789012",
        "logGroup": GROUP,
        "logStream": "s",
        "subscriptionFilters": ["capture"],
    }
    assert [event["message"] for event in events] == wanted
    assert events[0]["timestamp"] == NOW + 1
    assert len({event["id"] for event in events}) == 3


def test_streams_are_kept_apart_and_a_silent_filter_sends_nothing(aws: Any) -> None:
    subscribe(aws, "{ $.capture = 1 }")
    write(aws, '{"capture": 1}', stream="a")
    write(aws, '{"capture": 1}', stream="b")
    write(aws, "nothing", stream="c")
    aws.settle()
    assert sorted(unpack(event)["logStream"] for _, event, _ in aws.invoked) == ["a", "b"]


def test_a_batch_fits_into_an_asynchronous_invocation(aws: Any) -> None:
    subscribe(aws, "")
    noise = [
        base64.b64encode(bytes((n * k) % 251 for k in range(30_000))).decode() for n in range(40)
    ]
    write(aws, *(noise[n] + str(n) for n in range(40)))
    aws.settle()
    messages = [e["message"] for _, event, _ in aws.invoked for e in unpack(event)["logEvents"]]
    assert sorted(messages) == sorted(noise[n] + str(n) for n in range(40))
    assert all(len(json.dumps(event)) <= 256 * 1024 for _, event, _ in aws.invoked)


def test_a_filter_needs_the_permission_first(aws: Any) -> None:
    arn = aws.function("capture")
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    asked = {"logGroupName": GROUP, "filterName": "f", "destinationArn": arn}
    with pytest.raises(ClientError, match="Could not execute the lambda function"):
        logs.put_subscription_filter(**asked, filterPattern="")
    aws.permit(arn, "logs.amazonaws.com", SOURCE)
    with pytest.raises(ClientError, match="Invalid filter pattern"):
        logs.put_subscription_filter(**asked, filterPattern="{ $.a == 1 }")
    logs.put_subscription_filter(**asked, filterPattern="{ $.a = 1 }")


def line(**fields: Any) -> str:
    document = {
        "_aws": {
            "Timestamp": NOW,
            "CloudWatchMetrics": [
                {
                    "Namespace": "app",
                    "Dimensions": [["model"], ["model", "feature"]],
                    "Metrics": [{"Name": "Ratio", "Unit": "Count"}, {"Name": "Rows"}],
                }
            ],
        },
        "model": "m",
        "feature": "temp",
        "Ratio": 1.25,
        "Rows": [1, 2, 3],
        "request": "not a metric",
    }
    return json.dumps(document | fields)


def test_an_embedded_metric_counts_in_every_set_of_dimensions(aws: Any) -> None:
    write(aws, "plain", line())
    found = aws.client("cloudwatch").list_metrics(Namespace="app")["Metrics"]
    assert sorted((m["MetricName"], tuple(d["Value"] for d in m["Dimensions"])) for m in found) == [
        ("Ratio", ("m",)),
        ("Ratio", ("temp", "m")),
        ("Rows", ("m",)),
        ("Rows", ("temp", "m")),
    ]
    start = datetime(2013, 2, 1, tzinfo=UTC)
    (point,) = aws.client("cloudwatch").get_metric_statistics(
        Namespace="app",
        MetricName="Rows",
        Dimensions=[{"Name": "model", "Value": "m"}],
        StartTime=start,
        EndTime=start + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "Maximum", "SampleCount"],
    )["Datapoints"]
    assert (point["Sum"], point["Maximum"], point["SampleCount"]) == (6.0, 3.0, 3.0)


@pytest.mark.parametrize(
    "message",
    [
        line(Ratio="high"),
        line(Ratio=None),
        line(Ratio=[]),
        line(Ratio=True),
        line(Ratio=float("nan")),
        line(Ratio=float("inf")),
        line(model=7),
        line(_aws={"Timestamp": 1.5, "CloudWatchMetrics": []}),
        line(_aws={"Timestamp": NOW, "CloudWatchMetrics": [{"Namespace": "x"}]}),
        line().replace(str(NOW), str(NOW - 15 * 86400_000)),
    ],
)
def test_law_10_a_bad_embedded_metric_is_dropped_and_told(
    aws: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        write(aws, message)
    assert "are refused" in caplog.text
    assert aws.client("cloudwatch").list_metrics(Namespace="app")["Metrics"] == []


def test_other_json_lines_are_nobodys_metrics(aws: Any, caplog: pytest.LogCaptureFixture) -> None:
    write(aws, '{"_aws": {}}', '"_aws"', '{"a": "_aws"', '["_aws"]')
    assert caplog.text == ""
