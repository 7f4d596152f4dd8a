"""Rules and buses as CloudFormation declares them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html

moto makes a rule anew, under a new name, whenever its declaration changes.
"""

import json
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.events.models import EventsBackend, events_backends

from .resource_type import Made, Properties, Scope, register

_NUMBERS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
_TARGET = {
    "Arn",
    "Id",
    "RoleArn",
    "Input",
    "InputPath",
    "InputTransformer",
    "DeadLetterConfig",
    "RetryPolicy",
    "SqsParameters",
}


def _backend(scope: Scope) -> EventsBackend:
    return events_backends[scope.account][scope.region]


def _put_rule(scope: Scope, name: str, properties: Properties) -> Made:
    backend, bus = _backend(scope), properties.get("EventBusName") or "default"
    targets = [_target(target) for target in properties.get("Targets", [])]
    pattern = properties.get("EventPattern")
    rule = backend.put_rule(
        name,
        description=properties.get("Description"),
        event_bus_arn=bus,
        event_pattern=json.dumps(pattern) if pattern else None,
        role_arn=properties.get("RoleArn"),
        scheduled_expression=properties.get("ScheduleExpression"),
        state=properties.get("State"),
        tags=properties.get("Tags"),
    )
    gone = {target["Id"] for target in rule.targets} - {target["Id"] for target in targets}
    backend.remove_targets(name, bus, sorted(gone))
    if targets:
        backend.put_targets(name=name, event_bus_arn=bus, targets=targets)
    return Made(name if bus == "default" else f"{bus}|{name}", {"Arn": rule.arn})


def _target(target: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(target) - _TARGET)
    if unknown:
        raise ValidationError(
            message=f"Target {target['Id']}: {', '.join(unknown)} is not supported here."
        )
    retry = {
        key: int(value) if key in _NUMBERS else value
        for key, value in (target.get("RetryPolicy") or {}).items()
    }
    return target | ({"RetryPolicy": retry} if retry else {})


def _remove_rule(scope: Scope, ref: str, properties: Properties) -> None:
    backend, bus = _backend(scope), properties.get("EventBusName") or "default"
    name = ref.rpartition("|")[2]
    found = backend.event_buses.get(bus.rpartition("/")[2])
    if found and name in found.rules:
        backend.remove_targets(name, bus, [t["Id"] for t in list(found.rules[name].targets)])
        backend.delete_rule(name, bus)


register(
    "AWS::Events::Rule",
    put=_put_rule,
    remove=_remove_rule,
    name_property="Name",
    attributes=("Arn",),
    known=(
        "Description",
        "EventBusName",
        "EventPattern",
        "Name",
        "RoleArn",
        "ScheduleExpression",
        "State",
        "Tags",
        "Targets",
    ),
)
