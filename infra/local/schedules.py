"""Scheduled rules fire on the clock.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-list.html

One appointment with the clock for each enabled rule; it makes the next when it fires.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend, Rule

from .events import timestamp
from .originals import original
from .schedule_expression import At, InvalidSchedule, Schedule, parse

if TYPE_CHECKING:
    from .clock import Handle
    from .server import Local


class Schedules:
    """The appointments of all scheduled rules, by the rule's ARN."""

    def __init__(self, local: "Local") -> None:
        self.local = local
        self._handles: dict[str, Handle] = {}

    def sync(self, rule: Rule) -> None:
        """Make or drop the appointment, as the rule now is. A new rate counts from now."""
        self.drop(rule.arn)
        if rule.scheduled_expression and rule.state == "ENABLED":
            self._appoint(rule, parse(rule.scheduled_expression), self.local.clock.now())

    def drop(self, arn: str) -> None:
        handle = self._handles.pop(arn, None)
        if handle:
            handle.cancel()

    def _appoint(self, rule: Rule, schedule: Schedule, anchor: datetime) -> None:
        when = schedule.next_after(self.local.clock.now(), anchor)
        if when is None:
            return

        def fire() -> None:
            # the next appointment first: what this one causes may take long
            self._appoint(rule, schedule, anchor)
            self.local.events.to_rule(rule, scheduled_event(self.local, rule.arn, when))

        self._handles[rule.arn] = self.local.clock.call_at(when, fire, f"schedule {rule.name}")


def scheduled_event(local: "Local", rule_arn: str, when: datetime) -> dict[str, Any]:
    """What a scheduled rule sends at ``when``."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": local.account,
        "time": timestamp(when),
        "region": local.region,
        "resources": [rule_arn],
        "detail": {},
    }


def install(local: "Local") -> None:
    """Follow every change moto makes to a rule of the default bus (others take no schedules)."""
    schedules = Schedules(local)
    moto_put_rule = original(EventsBackend, "put_rule")

    def put_rule(backend: EventsBackend, name: str, **fields: Any) -> Rule:
        expression = fields.get("scheduled_expression")
        try:
            if expression and isinstance(parse(expression), At):
                raise InvalidSchedule("at(…) is for EventBridge Scheduler")
        except InvalidSchedule as error:
            raise ValidationException(
                f"Parameter ScheduleExpression is not valid. {error}"
            ) from error
        rule: Rule = moto_put_rule(backend, name, **fields)
        schedules.sync(rule)
        return rule

    def followed(name_of_change: str) -> Callable[..., Any]:
        change = original(EventsBackend, name_of_change)

        def changed(backend: EventsBackend, name: str, event_bus_arn: str | None) -> Any:
            before = backend.event_buses["default"].rules.get(name)
            result = change(backend, name, event_bus_arn)
            after = backend.event_buses["default"].rules.get(name)
            if after:
                schedules.sync(after)
            elif before:
                schedules.drop(before.arn)
            return result

        return changed

    EventsBackend.put_rule = put_rule
    EventsBackend.delete_rule = followed("delete_rule")
    EventsBackend.enable_rule = followed("enable_rule")
    EventsBackend.disable_rule = followed("disable_rule")
