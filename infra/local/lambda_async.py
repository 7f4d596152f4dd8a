"""Asynchronous invocations: queued, tried again, and handed over when all tries failed.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from .background import in_background

if TYPE_CHECKING:
    from .lambdas import InvokeResult, Lambdas

log = logging.getLogger(__name__)
_BACK_OFF = (60.0, 120.0)  # seconds before the second and the third try
_LONGEST = 6 * 3600  # seconds an event is kept


@dataclass
class Event:
    """One event on its way to one function."""

    function: Any
    payload: bytes
    request_id: str
    arrived: datetime
    tries: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """The function's EventInvokeConfig."""
        return dict(getattr(self.function, "async_settings", {}))


def deliver(lambdas: "Lambdas", event: Event) -> None:
    """Try on a thread of its own, now and as often as the function's settings allow."""
    name = f"event for {event.function.function_name}"
    in_background(lambdas.local.clock, lambda: _try(lambdas, event), name)


def _try(lambdas: "Lambdas", event: Event) -> None:
    result = lambdas.run(event.function, event.payload, event.request_id, patient=True)
    event.tries += 1
    clock = lambdas.local.clock
    if result.error is None:
        destination = _destination(event, "OnSuccess")
        if destination:
            _hand_over(lambdas, event, destination, _record(lambdas, event, result, "Success"), {})
        return
    again = event.tries <= int(event.settings.get("MaximumRetryAttempts", len(_BACK_OFF)))
    wait = _BACK_OFF[min(event.tries, len(_BACK_OFF)) - 1]
    age = (clock.now() - event.arrived).total_seconds() + wait
    too_old = age > int(event.settings.get("MaximumEventAgeInSeconds", _LONGEST))
    if again and not too_old:
        clock.call_later(
            wait, lambda: deliver(lambdas, event), f"retry of {event.function.function_name}"
        )
        return
    _give_up(lambdas, event, result, "EventAgeExceeded" if again else "RetriesExhausted")


def _give_up(lambdas: "Lambdas", event: Event, result: "InvokeResult", condition: str) -> None:
    destination = _destination(event, "OnFailure")
    if destination:
        _hand_over(lambdas, event, destination, _record(lambdas, event, result, condition), {})
    queue = getattr(event.function, "dead_letter_arn", None)
    if queue:
        message = json.loads(result.payload).get("errorMessage", "")[:1024] or "-"
        attributes = {"RequestID": event.request_id, "ErrorCode": "200", "ErrorMessage": message}
        _hand_over(lambdas, event, queue, event.payload.decode(), attributes)
    if not queue and not destination:
        log.error("%s failed for good: %s", event.function.function_name, result.payload.decode())


def _destination(event: Event, when: str) -> str:
    of = (event.settings.get("DestinationConfig") or {}).get(when) or {}
    return str(of.get("Destination") or "")


def _record(lambdas: "Lambdas", event: Event, result: "InvokeResult", condition: str) -> str:
    now = lambdas.local.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    response: dict[str, Any] = {"statusCode": 200, "executedVersion": str(event.function.version)}
    if result.error:
        response["functionError"] = "Unhandled"
    return json.dumps(
        {
            "version": "1.0",
            "timestamp": now,
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": event.function.function_arn,
                "condition": condition,
                "approximateInvokeCount": event.tries,
            },
            "requestPayload": json.loads(event.payload or b"null"),
            "responseContext": response,
            "responsePayload": json.loads(result.payload or b"null"),
        }
    )


def _hand_over(
    lambdas: "Lambdas", event: Event, target: str, body: str, attributes: dict[str, str]
) -> None:
    """Send it on as the function's role."""
    local, role, service = lambdas.local, event.function.role, target.split(":")[2]
    named = {n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()}
    if service == "sqs":
        local.record(role, "sqs:SendMessage", target)
        backend = sqs_backends[local.account][local.region]
        backend.send_message(target.rpartition(":")[2], body, named)
    elif service == "sns":
        local.record(role, "sns:Publish", target)
        sns_backends[local.account][local.region].publish(body, arn=target)
    elif service == "lambda":
        local.invoke(target, body.encode(), asynchronous=True, caller=role)
    elif service == "events":
        local.record(role, "events:PutEvents", target)
        local.put_event(
            {
                "source": "lambda",
                "detail-type": "Lambda Function Invocation Result",
                "resources": [target, event.function.function_arn],
                "detail": json.loads(body),
            }
        )
    else:
        raise NotImplementedError(f"results of invocations cannot go to {target} here")
