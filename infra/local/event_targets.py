"""Handing an event to one target of a rule, and what PutTargets refuses.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

import json
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.events.exceptions import ValidationException
from moto.logs.models import logs_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from .service_access import refusal
from .target_input import InvalidPath, at_path

if TYPE_CHECKING:
    from .server import Local

SERVICE = "events.amazonaws.com"
_WITH_ROLE = ("states", "events")
_KINDS = ("lambda", "sqs", "sns", "logs", *_WITH_ROLE)
_LONGEST_INPUT = 8192


class Refused(Exception):
    """The target will never take it: no use in trying again. ``code`` is EventBridge's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check(target: dict[str, Any]) -> None:
    """Raise ``ValidationException`` for a target PutTargets refuses, or that is not built here."""
    name, kind = target["Id"], _kind(target["Arn"])
    if kind not in _KINDS:
        raise ValidationException(f"Targets of the kind {kind} ({name}) are not supported here.")
    if kind in _WITH_ROLE and not target.get("RoleArn"):
        raise ValidationException(f"RoleArn is required for target {target['Arn']}.")
    shapes = [key for key in ("Input", "InputPath", "InputTransformer") if target.get(key)]
    if len(shapes) > 1:
        raise ValidationException(f"Only one of {', '.join(shapes)} may be given for {name}.")
    if len(target.get("Input") or "") > _LONGEST_INPUT:
        raise ValidationException(f"Input of {name} is longer than {_LONGEST_INPUT} characters.")
    try:
        json.loads(target.get("Input") or "null")
        paths = (target.get("InputTransformer") or {}).get("InputPathsMap") or {}
        for path in [*paths.values(), target.get("InputPath") or "$"]:
            at_path({}, path)
    except (ValueError, InvalidPath) as error:
        raise ValidationException(f"Input of {name} is not valid: {error}") from error
    retry = target.get("RetryPolicy") or {}
    _within(retry, "MaximumRetryAttempts", 0, 185)
    _within(retry, "MaximumEventAgeInSeconds", 60, 86400)


def _within(retry: dict[str, Any], name: str, low: int, high: int) -> None:
    if name in retry and not low <= int(retry[name]) <= high:
        raise ValidationException(f"{name} must be from {low} to {high}, not {retry[name]}.")


def _kind(arn: str) -> str:
    return [*arn.split(":"), "", ""][2]


def send(
    local: "Local", target: dict[str, Any], text: str, event: dict[str, Any], rule_arn: str
) -> None:
    """Give ``text`` to the target; raises :class:`Refused`, or whatever may pass when retried."""
    arn, kind = target["Arn"], _kind(target["Arn"])
    if kind not in _WITH_ROLE:
        reason = refusal(local, SERVICE, arn.removesuffix(":*"), rule_arn)
        if reason:
            raise Refused("NO_PERMISSIONS", reason)
    senders: dict[str, Callable[[], object]] = {
        "lambda": lambda: local.invoke(arn, text.encode(), asynchronous=True, caller=SERVICE),
        "states": lambda: local.start_execution(
            arn, f"{event['id']}_{uuid.uuid4()}", text, caller=target["RoleArn"]
        ),
        "sqs": lambda: sqs_backends[local.account][local.region].send_message(
            arn.rpartition(":")[2],
            text,
            group_id=(target.get("SqsParameters") or {}).get("MessageGroupId"),
        ),
        "sns": lambda: sns_backends[local.account][local.region].publish(text, arn=arn),
        "logs": lambda: _log(local, arn, text),
        "events": lambda: local.put_event(event, bus=arn.rpartition("/")[2]),
    }
    senders[kind]()


def _log(local: "Local", arn: str, text: str) -> None:
    backend = logs_backends[local.account][local.region]
    group, stream = arn.split(":")[6], str(uuid.uuid4())
    backend.create_log_stream(group, stream)
    moment = int(local.clock.now().timestamp() * 1000)
    backend.put_log_events(group, stream, [{"timestamp": moment, "message": text}])
