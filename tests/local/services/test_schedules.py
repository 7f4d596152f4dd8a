"""Scheduled rules on the clock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

RULE = "arn:aws:events:us-east-1:123456789012:rule/tick"


def schedule(aws: Any, expression: str) -> str:
    arn = str(aws.function("f"))
    aws.permit(arn, "events.amazonaws.com", RULE)
    client = aws.client("events")
    client.put_rule(Name="tick", ScheduleExpression=expression)
    client.put_targets(Rule="tick", Targets=[{"Id": "f", "Arn": arn}])
    return arn


def times(aws: Any) -> list[str]:
    return [event["time"] for _, event, _ in aws.invoked]


def test_a_rate_fires_at_every_interval_with_its_own_time(aws: Any) -> None:
    schedule(aws, "rate(6 hours)")
    aws.settle(hours=5, minutes=59)
    assert aws.invoked == []
    aws.settle(hours=13)
    assert times(aws) == ["2013-02-01T06:00:00Z", "2013-02-01T12:00:00Z", "2013-02-01T18:00:00Z"]
    _, event, _ = aws.invoked[0]
    assert event["source"] == "aws.events"
    assert event["detail-type"] == "Scheduled Event"
    assert event["resources"] == [RULE]
    assert event["detail"] == {}


def test_cron_fires_by_the_calendar(aws: Any) -> None:
    schedule(aws, "cron(0 8 1 * ? *)")
    aws.clock.advance_to(datetime(2013, 5, 2, tzinfo=UTC))
    assert times(aws) == [f"2013-0{month}-01T08:00:00Z" for month in (2, 3, 4, 5)]


def test_a_rule_that_is_changed_disabled_or_deleted_keeps_no_old_appointment(aws: Any) -> None:
    schedule(aws, "rate(1 hour)")
    client = aws.client("events")
    client.put_rule(Name="tick", ScheduleExpression="rate(2 hours)")
    aws.settle(hours=2)
    assert times(aws) == ["2013-02-01T02:00:00Z"]
    client.disable_rule(Name="tick")
    aws.settle(hours=9)
    assert len(aws.invoked) == 1
    client.enable_rule(Name="tick")
    aws.settle(hours=2)
    assert len(aws.invoked) == 2
    client.remove_targets(Rule="tick", Ids=["f"])
    client.delete_rule(Name="tick")
    aws.settle(days=30)
    assert len(aws.invoked) == 2


def test_a_schedule_matches_no_event(aws: Any) -> None:
    schedule(aws, "rate(1 day)")
    entry = {"Source": "app", "DetailType": "x", "Detail": "{}"}
    aws.client("events").put_events(Entries=[entry])
    aws.settle()
    assert aws.invoked == []


@pytest.mark.parametrize("expression", ["rate(1 days)", "at(2013-03-01T00:00:00)", "cron(1)"])
def test_refused(aws: Any, expression: str) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        aws.client("events").put_rule(Name="x", ScheduleExpression=expression)
