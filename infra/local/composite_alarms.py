"""Composite alarms follow the states of other alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html

``read_rule`` is pure: it turns an alarm rule into a function of the states of alarms.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from moto.cloudwatch.exceptions import ValidationError
from moto.cloudwatch.models import Alarm, cloudwatch_backends

from .alarm_state import change_state

if TYPE_CHECKING:
    from .server import Local

Rule = Callable[[Mapping[str, str]], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<function>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*
              (?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>[^\s()"']+))\s*\)
          | (?P<word>AND|OR|NOT|TRUE|FALSE)\b
          | (?P<bracket>[()]))""",
    re.VERBOSE,
)


class InvalidRule(ValueError):
    """The alarm rule cannot be read."""


def read_rule(text: str) -> Rule:
    """``ALARM("a") AND NOT OK(b)``: NOT binds before AND, AND before OR."""
    tokens: list[tuple[str, str]] = []
    at, whole = 0, text.rstrip()
    while at < len(whole):
        found = _TOKEN.match(whole, at)
        if not found:
            raise InvalidRule(f"unreadable from {whole[at:]!r}")
        name = found["double"] or found["single"] or found["bare"]
        tokens.append(
            (found["function"], name) if found["function"] else (found.group().strip(), "")
        )
        at = found.end()
    tokens.reverse()
    rule = _either(tokens)
    if tokens:
        raise InvalidRule(f"unexpected {tokens[-1][0]}")
    return rule


def _either(tokens: list[tuple[str, str]]) -> Rule:
    rules = [_both(tokens)]
    while tokens and tokens[-1][0] == "OR":
        tokens.pop()
        rules.append(_both(tokens))
    return lambda states: any(rule(states) for rule in rules)


def _both(tokens: list[tuple[str, str]]) -> Rule:
    rules = [_unit(tokens)]
    while tokens and tokens[-1][0] == "AND":
        tokens.pop()
        rules.append(_unit(tokens))
    return lambda states: all(rule(states) for rule in rules)


def _unit(tokens: list[tuple[str, str]]) -> Rule:
    word, name = tokens.pop() if tokens else ("the end", "")
    if word == "NOT":
        inner = _unit(tokens)
        return lambda states: not inner(states)
    if word == "(":
        inner = _either(tokens)
        if not tokens or tokens.pop()[0] != ")":
            raise InvalidRule("a parenthesis is not closed")
        return inner
    if word in ("TRUE", "FALSE"):
        return lambda states: word == "TRUE"
    if word in ("ALARM", "OK", "INSUFFICIENT_DATA"):
        alarm = name.rpartition(":alarm:")[2]
        return lambda states: states.get(alarm) == word
    raise InvalidRule(f"an alarm state should stand at {word}")


def install(local: "Local") -> None:
    """Judge every composite alarm anew whenever any alarm changes or is put."""

    def look(changed: Alarm) -> None:
        alarms = cloudwatch_backends[local.account][local.region].alarms
        states = {alarm.name: alarm.state_value for alarm in alarms.values()}
        for alarm in [a for a in alarms.values() if a.rule is not None]:
            try:
                state = "ALARM" if read_rule(alarm.rule)(states) else "OK"
            except InvalidRule as error:
                raise ValidationError(f"AlarmRule of {alarm.name}: {error}") from error
            if state != alarm.state_value:
                reason = f"{changed.alarm_arn} transitioned to {changed.state_value}"
                change_state(local, alarm, state, reason, "{}")

    local.on_alarm.append(look)
