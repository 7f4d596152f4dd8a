"""EventBridge: an event on a bus reaches the targets of every rule that matches it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-what-is.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

moto keeps buses, rules and targets; it reaches neither Lambda nor Step Functions, asks nobody for
permission, retries nothing and sends to disabled rules too.
"""

import copy
import json
import logging
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.events.exceptions import InvalidEventPatternException, ValidationException
from moto.events.models import EventPattern, EventPatternParser, EventsBackend, Rule
from moto.events.models import events_backends as backends
from moto.sqs.models import sqs_backends

from . import event_pattern, event_targets, target_input
from .background import in_background
from .originals import original
from .service_access import refusal

if TYPE_CHECKING:
    from .server import Local

log = logging.getLogger(__name__)
_LARGEST_ENTRY = 256 * 1024
_MOST_TARGETS = 5
_HOPELESS = ("NotFound", "DoesNotExist", "NonExistent", "AccessDenied", "Validation", "Invalid")


def timestamp(when: datetime) -> str:
    """An event's time: UTC, whole seconds, ``Z``."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Router:
    """Brings events to targets, each on its own, as often as its retry policy allows."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self.undelivered: list[dict[str, Any]] = []

    def put(self, event: dict[str, Any], bus: str = "default") -> str:
        """Accept an event (``source``, ``detail-type``, ``detail`` at least); returns its id."""
        now = self.local.clock.now()
        whole = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "",
            "source": "",
            "account": self.local.account,
            "time": timestamp(now),
            "region": self.local.region,
            "resources": [],
            "detail": {},
        } | copy.deepcopy(event)
        for rule in list(self._bus(bus).rules.values()):
            if rule.state != "DISABLED" and rule.event_pattern.get_pattern():
                self.to_rule(rule, whole)
        return str(whole["id"])

    def _bus(self, name: str) -> Any:
        return backends[self.local.account][self.local.region].describe_event_bus(name)

    def to_rule(self, rule: Rule, event: dict[str, Any]) -> None:
        """Give the event to all targets of ``rule`` if its pattern (if any) takes it."""
        if not rule.event_pattern.matches_event(event):
            return
        for target in list(rule.targets):
            delivery = _Delivery(self, rule.arn, copy.deepcopy(target), event)
            in_background(self.local.clock, delivery.attempt, f"event {event['id']}")


class _Delivery:
    """One event on its way to one target."""

    def __init__(
        self, router: Router, rule_arn: str, target: dict[str, Any], event: dict[str, Any]
    ) -> None:
        self.router, self.local = router, router.local
        self.rule_arn, self.target, self.event = rule_arn, target, event
        self.began = self.local.clock.now()
        self.retries = 0

    def attempt(self) -> None:
        try:
            text = target_input.shape(self.target, self.event, self.rule_arn)
            event_targets.send(self.local, self.target, text, self.event, self.rule_arn)
        except event_targets.Refused as error:
            self._give_up(error.code, str(error), "")
        except Exception as error:  # noqa: BLE001 (the target's own failure, told or retried below)
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        code = str(getattr(error, "error_type", "") or type(error).__name__)
        if any(word in code for word in _HOPELESS):
            self._give_up(
                "RESOURCE_NOT_FOUND" if "Exist" in code or "Found" in code else code, str(error), ""
            )
            return
        policy = self.target.get("RetryPolicy") or {}
        wait = min(2.0**self.retries, 300.0)
        age = (self.local.clock.now() - self.began).total_seconds() + wait
        if self.retries >= int(policy.get("MaximumRetryAttempts", 185)):
            self._give_up(code, str(error), "MaximumRetryAttempts")
        elif age > int(policy.get("MaximumEventAgeInSeconds", 86400)):
            self._give_up(code, str(error), "MaximumEventAgeInSeconds")
        else:
            self.retries += 1
            log.info("%s: %s; again in %s s", self.target["Arn"], error, wait)
            self.local.clock.call_later(
                wait,
                lambda: in_background(self.local.clock, self.attempt, "event retry"),
                f"retry of event {self.event['id']}",
            )

    def _give_up(self, code: str, message: str, exhausted: str) -> None:
        attributes = {
            "RULE_ARN": self.rule_arn,
            "TARGET_ARN": self.target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
            "RETRY_ATTEMPTS": str(self.retries),
        } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
        queue = (self.target.get("DeadLetterConfig") or {}).get("Arn")
        reason = refusal(self.local, event_targets.SERVICE, queue, self.rule_arn) if queue else ""
        if not queue or reason:
            self.router.undelivered.append(attributes | {"event": self.event})
            log.error("event for %s is lost: %s %s", self.target["Arn"], message, reason or "")
            return
        log.warning("event for %s goes to its dead-letter queue: %s", self.target["Arn"], message)
        sqs_backends[self.local.account][self.local.region].send_message(
            queue.rpartition(":")[2],
            json.dumps(self.event),
            {n: {"DataType": "String", "StringValue": v} for n, v in attributes.items()},
        )


def _entry(router: Router, entry: dict[str, Any]) -> dict[str, str]:
    """One entry of PutEvents: its id, or its error."""

    def refused(code: str, message: str) -> dict[str, str]:
        return {"ErrorCode": code, "ErrorMessage": message}

    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return refused(
                "InvalidArgument",
                f"Parameter {name} is not valid. Reason: {name} is a required argument.",
            )
    if entry["Source"].startswith("aws."):
        return refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    if (
        sum(len(str(entry.get(n) or "").encode()) for n in ("Source", "DetailType", "Detail"))
        > _LARGEST_ENTRY
    ):
        return refused("InvalidArgument", "Total size of the entry exceeds 256 KiB.")
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return refused("MalformedDetail", "Detail is malformed.")
    event = {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "resources": entry.get("Resources") or [],
        "detail": detail,
    }
    if entry.get("Time"):
        event["time"] = timestamp(datetime.fromtimestamp(float(entry["Time"]), UTC))
    bus = (entry.get("EventBusName") or "default").rpartition("/")[2]
    return {"EventId": router.put(event, bus)}


def install(local: "Local") -> None:
    """Route every event of the account; ``local.put_event(event, bus="default")``."""
    router = Router(local)
    local.events = router
    local.put_event = router.put
    moto_put_targets = original(EventsBackend, "put_targets")

    def put_events(backend: EventsBackend, events: list[dict[str, Any]]) -> list[dict[str, str]]:
        if not 1 <= len(events) <= 10:
            raise ValidationException("PutEvents takes 1 to 10 entries.")
        return [_entry(router, entry) for entry in events]

    def put_targets(
        backend: EventsBackend, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]
    ) -> None:
        for target in targets:
            event_targets.check(target)
        rule = backend.describe_rule(name, event_bus_arn)
        if len({t["Id"] for t in [*rule.targets, *targets]}) > _MOST_TARGETS:
            raise ValidationException(f"Rule {name} may have {_MOST_TARGETS} targets at most.")
        moto_put_targets(backend, name, event_bus_arn, targets)

    def matches_event(pattern: EventPattern, event: dict[str, Any]) -> bool:
        return not pattern.get_pattern() or event_pattern.matches(pattern.get_pattern(), event)

    def validate(parser: EventPatternParser, pattern: dict[str, Any]) -> None:
        try:
            if parser.pattern:
                event_pattern.check(pattern)
        except event_pattern.InvalidPattern as error:
            raise InvalidEventPatternException(str(error)) from error

    EventsBackend.put_events = put_events
    EventsBackend.put_targets = put_targets
    EventPattern.matches_event = matches_event
    EventPatternParser._validate_event_pattern = validate
    Rule.send_to_targets = lambda rule, event, transform_input=True: router.to_rule(rule, event)
