"""Which permissions a request to AWS needs: ``actions_of`` maps the wire to IAM.

AWS: "Actions, resources, and condition keys for AWS services" (Service Authorization Reference),
one page a service. A call that is not mapped in detail asks for ``service:Operation`` on ``*``: a
policy narrower than that fails the check, so nothing passes unseen.
"""

import re
from collections.abc import Callable
from urllib.parse import unquote

from .action import Action, Wire, World, arn, with_key
from .actions_dynamodb import actions_of_dynamodb
from .actions_s3 import actions_of_s3

_FUNCTION = re.compile(r"/\d{4}-\d\d-\d\d/functions/([^/]+)(/invocations)?/?")
# The batch forms of a call need the permission of the single one.
_BATCH = {
    "PublishBatch": "Publish",
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}
_PREFIX = {"monitoring": "cloudwatch"}


def actions_of(wire: Wire, world: World, status: int = 200) -> list[Action]:
    """Map a request, and the ``status`` it was answered with, to the permissions it needs.

    Empty for what needs none (``sts:GetCallerIdentity``).
    """
    if wire.service == "s3":
        return actions_of_s3(wire, world, status)
    mapped = _SERVICES.get(wire.service)
    if mapped is not None:
        return mapped(wire, world)
    name = wire.operation or f"{wire.method} {wire.path}"
    return [Action(f"{_PREFIX.get(wire.service, wire.service)}:{name}")]


def _lambda(wire: Wire, world: World) -> list[Action]:
    found = _FUNCTION.match(wire.path)
    if not found:
        return [Action(f"lambda:{wire.method} {wire.path}")]
    name = unquote(found.group(1))
    qualifier = wire.parameters.get("Qualifier")
    resource = name if name.startswith("arn:") else arn(world, "lambda", f"function:{name}")
    if qualifier and resource.count(":") < 7:
        resource += f":{qualifier}"
    action = "InvokeFunction" if found.group(2) else f"{wire.method} functions"
    return [Action(f"lambda:{action}", resource)]


def _states(wire: Wire, world: World) -> list[Action]:
    asked = wire.document
    resource = asked.get("stateMachineArn") or asked.get("executionArn") or "*"
    return [Action(f"states:{wire.operation}", resource)]


def _sns(wire: Wire, world: World) -> list[Action]:
    name = _BATCH.get(wire.operation, wire.operation)
    topic = wire.form.get("TopicArn") or wire.form.get("TargetArn") or "*"
    needed = [Action(f"sns:{name}", topic)]
    if name == "Publish":
        needed += with_key(world, "sns", topic, "GenerateDataKey", "Decrypt")
    return needed


def _sqs(wire: Wire, world: World) -> list[Action]:
    name = _BATCH.get(wire.operation, wire.operation)
    url = str(wire.document.get("QueueUrl", ""))
    queue = arn(world, "sqs", url.rpartition("/")[2] or str(wire.document.get("QueueName", "*")))
    needed = [Action(f"sqs:{name}", queue)]
    if name == "SendMessage":
        needed += with_key(world, "sqs", queue, "GenerateDataKey", "Decrypt")
    elif name == "ReceiveMessage":
        needed += with_key(world, "sqs", queue, "Decrypt")
    return needed


def _events(wire: Wire, world: World) -> list[Action]:
    asked = wire.document
    if wire.operation == "PutEvents":
        return [
            Action(
                "events:PutEvents",
                _bus(world, entry.get("EventBusName") or "default"),
                {
                    "events:source": str(entry.get("Source", "")),
                    "events:detail-type": str(entry.get("DetailType", "")),
                },
            )
            for entry in asked.get("Entries", [])
        ]
    rule = asked.get("Rule") or asked.get("Name")
    if not rule:
        return [Action(f"events:{wire.operation}")]
    bus = asked.get("EventBusName") or "default"
    path = f"rule/{rule}" if bus == "default" else f"rule/{bus}/{rule}"
    return [Action(f"events:{wire.operation}", arn(world, "events", path))]


def _bus(world: World, name: str) -> str:
    return name if name.startswith("arn:") else arn(world, "events", f"event-bus/{name}")


def _logs(wire: Wire, world: World) -> list[Action]:
    asked = wire.document
    group = asked.get("logGroupName") or str(asked.get("logGroupIdentifier", ""))
    stream = asked.get("logStreamName", "")
    if group.startswith("arn:"):
        resource = group.removesuffix(":*") + f":log-stream:{stream}"
    else:
        resource = arn(world, "logs", f"log-group:{group}:log-stream:{stream}")
    return [Action(f"logs:{wire.operation}", resource)]


def _kms(wire: Wire, world: World) -> list[Action]:
    key = str(wire.document.get("KeyId") or "*")
    if key != "*" and not key.startswith("arn:"):
        key = arn(world, "kms", key if key.startswith("alias/") else f"key/{key}")
    return [Action(f"kms:{wire.operation}", key, {"kms:CallerAccount": world.account})]


def _cloudwatch(wire: Wire, world: World) -> list[Action]:
    namespace = "" if "cbor" in wire.headers.get("content-type", "") else _namespace(wire)
    context = {"cloudwatch:namespace": namespace} if namespace else {}
    return [Action(f"cloudwatch:{wire.operation}", "*", context)]


def _namespace(wire: Wire) -> str:
    return str(
        wire.document.get("Namespace", "")
        if wire.headers.get("x-amz-target")
        else wire.form.get("Namespace", "")
    )


def _sagemaker(wire: Wire, world: World) -> list[Action]:
    asked = wire.document
    job = str(asked.get("TrainingJobName", ""))
    resource = arn(world, "sagemaker", f"training-job/{job.lower()}") if job else "*"
    needed = [Action(f"sagemaker:{wire.operation}", resource)]
    if wire.operation == "CreateTrainingJob":
        if asked.get("Tags"):
            needed.append(Action("sagemaker:AddTags", resource))
        passed = {"iam:PassedToService": "sagemaker.amazonaws.com"}
        needed.append(Action("iam:PassRole", str(asked.get("RoleArn", "*")), passed))
    return needed


def _sts(wire: Wire, world: World) -> list[Action]:
    if wire.operation == "GetCallerIdentity":
        return []
    return [Action(f"sts:{wire.operation}", wire.form.get("RoleArn", "*"))]


def _ssm(wire: Wire, world: World) -> list[Action]:
    name = str(wire.document.get("Name") or wire.document.get("Path") or "")
    names = [name] if name else [str(n) for n in wire.document.get("Names", [])]
    resources = [arn(world, "ssm", f"parameter/{one.lstrip('/')}") for one in names] or ["*"]
    return [Action(f"ssm:{wire.operation}", resource) for resource in resources]


_SERVICES: dict[str, Callable[[Wire, World], list[Action]]] = {
    "dynamodb": actions_of_dynamodb,
    "events": _events,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "monitoring": _cloudwatch,
    "sagemaker": _sagemaker,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "states": _states,
    "sts": _sts,
}
