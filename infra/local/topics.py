"""SNS: what is published reaches its subscribers, and can be read afterwards.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html

moto delivers to queues and web hooks; functions are invoked here, and mail is only written down:
``local.outbox`` holds every message with its addressees.
"""

import json
import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from moto.sns.models import Subscription, Topic

from .background import in_background
from .originals import original
from .service_access import refusal

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
SERVICE = "sns.amazonaws.com"


def lambda_event(
    topic_arn: str,
    subscription_arn: str,
    message_id: str,
    message: str,
    subject: str | None,
    attributes: dict[str, Any] | None,
    time: str,
) -> dict[str, Any]:
    """What a function subscribed to a topic is invoked with."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": subscription_arn,
                "Sns": {
                    "Type": "Notification",
                    "MessageId": message_id,
                    "TopicArn": topic_arn,
                    "Subject": subject,
                    "Message": message,
                    "Timestamp": time,
                    "MessageAttributes": {
                        name: {"Type": value["Type"], "Value": value["Value"]}
                        for name, value in (attributes or {}).items()
                    },
                },
            }
        ]
    }


def install(local: "Local") -> None:
    """Deliver to functions through ``local.invoke``; keep ``local.outbox``."""
    local.outbox = []
    moto_topic_publish = original(Topic, "publish")
    moto_publish = original(Subscription, "publish")

    def now() -> str:
        when: datetime = local.clock.now().astimezone(UTC)
        return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def publish_to_topic(
        topic: Topic, message: str, subject: str | None = None, *args: Any, **kwargs: Any
    ) -> str:
        subscribers, _ = topic.sns_backend.list_subscriptions_by_topic(topic_arn=topic.arn)
        local.outbox.append(
            {
                "time": now(),
                "topic": topic.arn,
                "subject": subject,
                "message": message,
                "subscribers": [f"{s.protocol}:{s.endpoint}" for s in subscribers],
            }
        )
        return str(moto_topic_publish(topic, message, subject, *args, **kwargs))

    def publish(
        subscription: Subscription,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if subscription.protocol != "lambda":
            moto_publish(subscription, message, message_id, subject, message_attributes, **kwargs)
            return
        matcher = subscription._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        event = lambda_event(
            subscription.topic.arn,
            subscription.arn,
            message_id,
            message,
            subject,
            message_attributes,
            now(),
        )
        in_background(local.clock, partial(deliver, subscription, event), "SNS to Lambda")

    def deliver(subscription: Subscription, event: dict[str, Any]) -> None:
        reason = refusal(local, SERVICE, subscription.endpoint, subscription.topic.arn)
        if reason:
            log.error("a message of %s is not delivered: %s", subscription.topic.arn, reason)
            return
        local.invoke(
            subscription.endpoint, json.dumps(event).encode(), asynchronous=True, caller=SERVICE
        )

    Topic.publish = publish_to_topic
    Subscription.publish = publish
