"""Log groups, their filters and policies as CloudFormation declares them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-subscriptionfilter.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-resourcepolicy.html
"""

from moto.cloudformation.exceptions import ValidationError
from moto.logs.models import LogsBackend, logs_backends

from .resource_type import Made, Properties, Scope, register

# what PutRetentionPolicy takes, in days
_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)


def _backend(scope: Scope) -> LogsBackend:
    return logs_backends[scope.account][scope.region]


def _put_group(scope: Scope, name: str, properties: Properties) -> Made:
    backend = _backend(scope)
    days = properties.get("RetentionInDays")
    if days is not None and int(days) not in _RETENTIONS:
        raise ValidationError(message=f"Log group {name}: {days} is no retention CloudWatch has")
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
    if name not in backend.groups:
        backend.create_log_group(name, tags)
    group = backend.groups[name]
    group.retention_in_days = None if days is None else int(days)
    group.kms_key_id = properties.get("KmsKeyId")
    return Made(name, {"Arn": f"{group.arn}:*"})


def _remove_group(scope: Scope, ref: str, properties: Properties) -> None:
    if ref in _backend(scope).groups:
        _backend(scope).delete_log_group(ref)


register(
    "AWS::Logs::LogGroup",
    put=_put_group,
    remove=_remove_group,
    name_property="LogGroupName",
    attributes=("Arn",),
    known=("KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"),
)


def _put_filter(scope: Scope, name: str, properties: Properties) -> Made:
    _backend(scope).put_subscription_filter(
        properties["LogGroupName"],
        name,
        properties["FilterPattern"],
        properties["DestinationArn"],
        properties.get("RoleArn"),
    )
    return Made(name)


def _remove_filter(scope: Scope, ref: str, properties: Properties) -> None:
    group = _backend(scope).groups.get(properties["LogGroupName"])
    if group and ref in group.subscription_filters:
        group.delete_subscription_filter(ref)


register(
    "AWS::Logs::SubscriptionFilter",
    put=_put_filter,
    remove=_remove_filter,
    name_property="FilterName",
    known=("DestinationArn", "FilterName", "FilterPattern", "LogGroupName", "RoleArn"),
)


def _put_policy(scope: Scope, name: str, properties: Properties) -> Made:
    _backend(scope).put_resource_policy(name, properties["PolicyDocument"])
    return Made(name)


def _remove_policy(scope: Scope, ref: str, properties: Properties) -> None:
    if ref in _backend(scope).resource_policies:
        _backend(scope).delete_resource_policy(ref)


register(
    "AWS::Logs::ResourcePolicy",
    put=_put_policy,
    remove=_remove_policy,
    name_property="PolicyName",
    known=("PolicyDocument", "PolicyName"),
)
