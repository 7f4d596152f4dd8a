"""SNS: the outbox, and functions that subscribe."""

import json
from typing import Any


def test_a_message_is_written_down_with_its_addressees(aws: Any) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="ops@example.com")
    sns.publish(TopicArn=topic, Subject="hello", Message="world")
    assert aws.outbox == [
        {
            "time": "2013-02-01T00:00:00.000Z",
            "topic": topic,
            "subject": "hello",
            "message": "world",
            "subscribers": ["email:ops@example.com"],
        }
    ]


def test_a_function_gets_a_record_if_it_lets_the_topic_in(aws: Any) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    arn = aws.function("f")
    subscription = sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="too early")
    aws.settle()
    assert aws.invoked == []
    aws.permit(arn, "sns.amazonaws.com", topic)
    sns.set_subscription_attributes(
        SubscriptionArn=subscription["SubscriptionArn"],
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps({"kind": ["a"]}),
    )
    for kind in ("a", "b"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Subject="s", Message=kind, MessageAttributes=attributes)
    aws.settle()
    ((_, event, caller),) = aws.invoked
    (record,) = event["Records"]
    assert caller == "sns.amazonaws.com"
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == subscription["SubscriptionArn"]
    assert record["Sns"]["Message"] == "a"
    assert record["Sns"]["Subject"] == "s"
    assert record["Sns"]["TopicArn"] == topic
    assert record["Sns"]["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
