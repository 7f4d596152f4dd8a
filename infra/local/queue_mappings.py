"""A queue as a function's source of events: what may be declared, and what Lambda refuses.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html

moto accepts any numbers, asks nobody for permission, and delivers while the sender waits.
"""

from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend, lambda_backends
from moto.sqs.models import Queue, sqs_backends

from .deployed import Deployed
from .originals import original
from .permissions import judge
from .queue_batches import REPORT
from .resource_type import Made, Properties, Scope, register

if TYPE_CHECKING:
    from .server import Local

NEEDED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_RANGES = {"BatchSize": (1, 10_000), "MaximumBatchingWindowInSeconds": (0, 300)}
_DEFAULTS: Properties = {
    "BatchSize": 10,
    "Enabled": True,
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "ScalingConfig": {},
}
_AT_ONCE = 10  # what SQS gives at a time; more has to be gathered


class AlreadyMapped(LambdaClientError):  # type: ignore[misc]
    code = 409

    def __init__(self, queue: str, function: str, uuid: str) -> None:
        super().__init__(
            "ResourceConflictException",
            f'An event source mapping with SQS arn (" {queue} ") and function (" {function} ") '
            f"already exists. Please update or delete the existing mapping with UUID {uuid}",
        )


def check(local: "Local", asked: Properties, queue: Queue, function: Any) -> None:
    """Raise ``InvalidParameterValueException`` for what CreateEventSourceMapping refuses, or what
    is not built here."""
    for name, (low, high) in _RANGES.items():
        if name in asked and not low <= int(asked[name]) <= high:
            raise InvalidParameterValueException(
                f"{name}: {asked[name]} is not between {low} and {high}"
            )
    window = int(asked.get("MaximumBatchingWindowInSeconds") or 0)
    if int(asked.get("BatchSize") or _AT_ONCE) > _AT_ONCE and window < 1:
        raise InvalidParameterValueException(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is "
            f"greater than {_AT_ONCE}"
        )
    if set(asked.get("FunctionResponseTypes") or []) - {REPORT}:
        raise InvalidParameterValueException(f"FunctionResponseTypes: only {REPORT} is one")
    most = (asked.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if most is not None and not 2 <= int(most) <= 1000:
        raise InvalidParameterValueException("MaximumConcurrency must be from 2 to 1000")
    if queue.fifo_queue or asked.get("FilterCriteria"):
        raise InvalidParameterValueException(
            "FIFO queues and filters are not supported by the embedded AWS"
        )
    visible, timeout = queue.visibility_timeout, int(function.timeout)
    if visible < timeout:
        raise InvalidParameterValueException(
            f"Queue visibility timeout: {visible} seconds is less than Function timeout: "
            f"{timeout} seconds"
        )
    policies = Deployed(local.account, local.region).policies()
    for action in NEEDED:
        found = judge(function.role, f"sqs:{action}", queue.queue_arn, {}, policies)
        if not found.allowed:
            raise InvalidParameterValueException(
                f"The provided execution role does not have permissions to call {action} on SQS "
                f"({found.why})"
            )


def function_arn(local: "Local", name: str) -> str:
    """The ARN of a function given by name, ``name:alias`` or ARN."""
    whole = name.startswith("arn:")
    return name if whole else f"arn:aws:lambda:{local.region}:{local.account}:function:{name}"


def mappings(local: "Local", queue_arn: str) -> list[Any]:
    """The mappings of a queue that are switched on."""
    backend = lambda_backends[local.account][local.region]
    found = list(backend._event_source_mappings.values())
    return [m for m in found if m.event_source_arn == queue_arn and _on(m.enabled)]


def _on(enabled: Any) -> bool:
    return str(enabled).lower() == "true"


def install(local: "Local") -> None:
    update = original(LambdaBackend, "update_event_source_mapping")

    def checked(asked: Properties) -> str:
        """The function's ARN."""
        arn = str(asked.get("EventSourceArn") or "")
        if arn.split(":")[2:3] != ["sqs"]:
            raise InvalidParameterValueException(
                f"Event sources other than SQS are not supported here: {arn}"
            )
        queues = sqs_backends[local.account][local.region].queues
        if arn.rpartition(":")[2] not in queues:
            raise InvalidParameterValueException(
                "Error occurred while ReceiveMessage. SQS Error Code: "
                "AWS.SimpleQueueService.NonExistentQueue."
            )
        function = function_arn(local, str(asked["FunctionName"]))
        check(local, asked, queues[arn.rpartition(":")[2]], local.lambdas.find(function))
        return function

    def create_event_source_mapping(backend: LambdaBackend, spec: Properties) -> EventSourceMapping:
        function, queue_arn = checked(spec), str(spec["EventSourceArn"])
        for known in backend._event_source_mappings.values():
            if (known.event_source_arn, known.function_arn) == (queue_arn, function):
                raise AlreadyMapped(queue_arn, function, known.uuid)
        whole = {"RegionName": local.region, "AccountId": local.account, "FunctionArn": function}
        made = EventSourceMapping({**spec, **whole})
        backend._event_source_mappings[made.uuid] = made
        _wake(local, queue_arn)
        return made

    def update_event_source_mapping(
        backend: LambdaBackend, uuid: str, spec: Properties
    ) -> EventSourceMapping | None:
        known = backend.get_event_source_mapping(uuid)
        if known is None:
            return None
        now = {
            "EventSourceArn": known.event_source_arn,
            "FunctionName": known.function_arn,
            "BatchSize": known.batch_size,
            "MaximumBatchingWindowInSeconds": known.max_batch_window or 0,
        }
        function = checked({**now, **spec})
        changed: EventSourceMapping = update(
            backend, uuid, {name: value for name, value in spec.items() if name != "FunctionName"}
        )
        changed.function_arn = function
        _wake(local, known.event_source_arn)
        return changed

    LambdaBackend.create_event_source_mapping = create_event_source_mapping
    LambdaBackend.update_event_source_mapping = update_event_source_mapping


def _wake(local: "Local", queue_arn: str) -> None:
    for hook in local.on_message:
        hook(queue_arn)


def _put(scope: Scope, name: str, properties: Properties) -> Made:
    backend = lambda_backends[scope.account][scope.region]
    asked = {k: v for k, v in properties.items() if k != "Tags"}
    for known in backend._event_source_mappings.values():
        same = known.event_source_arn == properties["EventSourceArn"]
        if same and getattr(known, "declared_as", None) == name:
            backend.update_event_source_mapping(known.uuid, _DEFAULTS | asked)
            return _made(known)
    made = backend.create_event_source_mapping(asked)
    made.declared_as = name
    return _made(made)


def _made(mapping: EventSourceMapping) -> Made:
    return Made(mapping.uuid, {"Id": mapping.uuid, "EventSourceMappingArn": mapping.arn})


def _remove(scope: Scope, ref: str, properties: Properties) -> None:
    lambda_backends[scope.account][scope.region].delete_event_source_mapping(ref)


register(
    "AWS::Lambda::EventSourceMapping",
    put=_put,
    remove=_remove,
    attributes=("Id", "EventSourceMappingArn"),
    known=(
        *("BatchSize", "Enabled", "EventSourceArn", "FunctionName", "FunctionResponseTypes"),
        *("MaximumBatchingWindowInSeconds", "ScalingConfig", "Tags"),
    ),
)
