"""Topics and queues as CloudFormation declares them, with their policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SNS.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html

moto forgets a topic's subscriptions and policy, and most attributes of a queue, when their
declaration changes.
"""

import json
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.sns.models import SNSBackend, sns_backends
from moto.sqs.models import SQSBackend, sqs_backends

from .resource_type import Made, Properties, Scope, register


def _topics(scope: Scope) -> SNSBackend:
    return sns_backends[scope.account][scope.region]


def _queues(scope: Scope) -> SQSBackend:
    return sqs_backends[scope.account][scope.region]


def _put_topic(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _topics(scope)
    topic = backend.create_topic(
        name, tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    )
    topic.display_name = properties.get("DisplayName", "")
    topic.kms_master_key_id = properties.get("KmsMasterKeyId", "")
    for subscription in properties.get("Subscription", []):
        backend.subscribe(topic.arn, subscription["Endpoint"], subscription["Protocol"])
    return Made(topic.arn, {"TopicArn": topic.arn, "TopicName": name})


def _remove_topic(scope: Scope, ref: str, properties: Properties) -> None:
    if ref in _topics(scope).topics:
        _topics(scope).delete_topic(ref)


register(
    "AWS::SNS::Topic",
    put=_put_topic,
    remove=_remove_topic,
    name_property="TopicName",
    attributes=("TopicArn", "TopicName"),
    known=(
        "DisplayName",
        "KmsMasterKeyId",
        "SignatureVersion",
        "Subscription",
        "Tags",
        "TopicName",
        "TracingConfig",
    ),
)


def _put_subscription(scope: Scope, name: str, properties: Properties) -> Made:
    subscription = _topics(scope).subscribe(
        properties["TopicArn"], properties["Endpoint"], properties["Protocol"]
    )
    for attribute in ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"):
        if attribute in properties:
            value = properties[attribute]
            text = value if isinstance(value, str) else json.dumps(value)
            _topics(scope).set_subscription_attributes(subscription.arn, attribute, text)
    return Made(subscription.arn, {"Arn": subscription.arn})


def _remove_subscription(scope: Scope, ref: str, properties: Properties) -> None:
    _topics(scope).unsubscribe(ref)


register(
    "AWS::SNS::Subscription",
    put=_put_subscription,
    remove=_remove_subscription,
    attributes=("Arn",),
    known=(
        "Endpoint",
        "FilterPolicy",
        "FilterPolicyScope",
        "Protocol",
        "RawMessageDelivery",
        "RedrivePolicy",
        "Region",
        "TopicArn",
    ),
)


def _put_topic_policy(scope: Scope, name: str, properties: Properties) -> Made:
    for arn in properties["Topics"]:
        _topics(scope).get_topic(arn).policy = json.dumps(properties["PolicyDocument"])
    return Made(name, {"Id": name})


def _remove_topic_policy(scope: Scope, ref: str, properties: Properties) -> None:
    for arn in properties["Topics"]:
        topic = _topics(scope).topics.get(arn)
        if topic:
            topic._policy_json = topic._create_default_topic_policy(
                scope.region, scope.account, topic.name
            )


register(
    "AWS::SNS::TopicPolicy",
    put=_put_topic_policy,
    remove=_remove_topic_policy,
    attributes=("Id",),
    known=("PolicyDocument", "Topics"),
)


def _put_queue(scope: Scope, name: str, properties: Properties) -> Made:
    backend, name = _queues(scope), name[:80]
    attributes: dict[str, Any] = {
        key: value for key, value in properties.items() if key not in ("QueueName", "Tags")
    }
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    if name in backend.queues:
        queue = backend.queues[name]
        # the policy is a resource of its own and outlives the queue's other changes
        queue._set_attributes(attributes | {"Policy": queue.policy})
    else:
        queue = backend.create_queue(name=name, tags=tags, region=scope.region, **attributes)
    url = f"https://sqs.{scope.region}.amazonaws.com/{scope.account}/{name}"
    return Made(url, {"Arn": queue.queue_arn, "QueueName": name, "QueueUrl": url})


def _remove_queue(scope: Scope, ref: str, properties: Properties) -> None:
    name = ref.rpartition("/")[2]
    if name in _queues(scope).queues:
        _queues(scope).delete_queue(name)


register(
    "AWS::SQS::Queue",
    put=_put_queue,
    remove=_remove_queue,
    name_property="QueueName",
    attributes=("Arn", "QueueName", "QueueUrl"),
    known=(
        "ContentBasedDeduplication",
        "DelaySeconds",
        "FifoQueue",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "Tags",
        "VisibilityTimeout",
    ),
)


def _put_queue_policy(scope: Scope, name: str, properties: Properties) -> Made:
    for url in properties["Queues"]:
        queue = _queues(scope).queues.get(url.rpartition("/")[2])
        if queue is None:
            raise ValidationError(message=f"Queue policy {name}: there is no queue {url}")
        queue.policy = json.dumps(properties["PolicyDocument"])
    return Made(name, {"Id": name})


def _remove_queue_policy(scope: Scope, ref: str, properties: Properties) -> None:
    for url in properties["Queues"]:
        queue = _queues(scope).queues.get(url.rpartition("/")[2])
        if queue:
            queue.policy = None


register(
    "AWS::SQS::QueuePolicy",
    put=_put_queue_policy,
    remove=_remove_queue_policy,
    attributes=("Id",),
    known=("PolicyDocument", "Queues"),
)
