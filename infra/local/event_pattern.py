"""EventBridge event patterns: which events a rule lets through.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

Pure: ``check(pattern)`` refuses what PutRule refuses, ``matches(pattern, event)`` decides. An event
is parsed JSON. A pattern names leaves of the event; each leaf has a list of alternatives, a plain
value or one operator; leaves are joined by *and*, a leaf that is an array matches if one of its
elements does.
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any


class InvalidPattern(ValueError):
    """The reason, in the words of PutRule's ``InvalidEventPatternException``."""


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_ABSENT = object()


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """Whether ``event`` (an object, or an array of which one element must match) has all of it."""
    if isinstance(event, list):
        return any(matches(pattern, element) for element in event)
    return all(_field_matches(name, wanted, event) for name, wanted in pattern.items())


def _field_matches(name: str, wanted: Any, event: Any) -> bool:
    if name == "$or" and _is_or(wanted):
        return any(matches(branch, event) for branch in wanted)
    value = event.get(name, _ABSENT) if isinstance(event, dict) else _ABSENT
    if isinstance(wanted, dict):
        return matches(wanted, {} if value is _ABSENT else value)
    leaves = list(_leaves(value))
    return any(_alternative_matches(alternative, leaves) for alternative in wanted)


def _is_or(wanted: Any) -> bool:
    # "$or" is an operator only when it holds a list of objects that are no operators themselves
    return isinstance(wanted, list) and all(
        isinstance(branch, dict) and not (set(branch) & set(_OPERATORS)) for branch in wanted
    )


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for element in value:
            yield from _leaves(element)
    elif value is not _ABSENT and not isinstance(value, dict):
        yield value


def _alternative_matches(alternative: Any, leaves: list[Any]) -> bool:
    if not isinstance(alternative, dict):
        return any(_same(leaf, alternative) for leaf in leaves)
    ((name, argument),) = alternative.items()
    if name == "exists":
        return bool(leaves) is bool(argument)
    return any(_OPERATORS[name](leaf, argument) for leaf in leaves)


def _same(leaf: Any, wanted: Any) -> bool:
    # 300, 300.0 and true are three different things to EventBridge
    return type(leaf) is type(wanted) and bool(leaf == wanted)


def _anything_but(leaf: Any, argument: Any) -> bool:
    if isinstance(argument, dict):
        ((name, inner),) = argument.items()
        return not _any_of(name)(leaf, inner)
    unwanted = argument if isinstance(argument, list) else [argument]
    return not any(_same(leaf, value) for value in unwanted)


def _any_of(name: str) -> Callable[[Any, Any], bool]:
    def test(leaf: Any, argument: Any) -> bool:
        options = argument if isinstance(argument, list) else [argument]
        return any(_OPERATORS[name](leaf, option) for option in options)

    return test


def _affix(method: Callable[[str, str], bool]) -> Callable[[Any, Any], bool]:
    def test(leaf: Any, argument: Any) -> bool:
        if not isinstance(leaf, str):
            return False
        if isinstance(argument, dict):
            return method(leaf.lower(), argument["equals-ignore-case"].lower())
        return method(leaf, argument)

    return test


def _equals_ignore_case(leaf: Any, argument: Any) -> bool:
    return isinstance(leaf, str) and leaf.lower() == argument.lower()


def _numeric(leaf: Any, argument: list[Any]) -> bool:
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return False
    return all(
        _COMPARE[sign](leaf, bound)
        for sign, bound in zip(argument[::2], argument[1::2], strict=True)
    )


def _cidr(leaf: Any, argument: str) -> bool:
    try:
        return ipaddress.ip_address(leaf) in ipaddress.ip_network(argument)
    except ValueError:
        return False


def _wildcard(leaf: Any, argument: str) -> bool:
    tokens = re.findall(r"\\[*\\]|.", argument, re.DOTALL)
    regex = "".join(".*" if token == "*" else re.escape(token[-1]) for token in tokens)
    return isinstance(leaf, str) and re.fullmatch(regex, leaf, re.DOTALL) is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": lambda leaf, argument: bool(argument),
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": _equals_ignore_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "wildcard": _wildcard,
}
_TEXT_OPERATORS = {"prefix", "suffix", "equals-ignore-case", "wildcard"}


def check(pattern: Any) -> None:
    """Raise :class:`InvalidPattern` for what PutRule refuses."""
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    for name, wanted in pattern.items():
        if name == "$or" and _is_or(wanted):
            if len(wanted) < 2:
                raise InvalidPattern('"$or" must have at least 2 items')
            for branch in wanted:
                check(branch)
        elif isinstance(wanted, dict):
            check(wanted)
        elif not isinstance(wanted, list):
            raise InvalidPattern(f'"{name}" must be an object or an array')
        elif not wanted:
            raise InvalidPattern("Empty arrays are not allowed")
        else:
            for alternative in wanted:
                _check_alternative(alternative)


def _check_alternative(alternative: Any) -> None:
    if isinstance(alternative, list):
        raise InvalidPattern("Match value must be String, number, true, false, or null")
    if not isinstance(alternative, dict):
        return
    if len(alternative) != 1:
        raise InvalidPattern("Only one key allowed in match expression")
    ((name, argument),) = alternative.items()
    if name not in _OPERATORS:
        raise InvalidPattern(f"Unrecognized match type {name}")
    if name == "exists" and not isinstance(argument, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    if name == "numeric":
        _check_numeric(argument)
    elif name == "anything-but":
        _check_anything_but(argument)
    elif name in _TEXT_OPERATORS:
        _check_text(name, argument)
    elif name == "cidr":
        try:
            ipaddress.ip_network(argument)
        except ValueError as error:
            raise InvalidPattern("Malformed CIDR, one '/' required") from error


def _check_numeric(argument: Any) -> None:
    if not isinstance(argument, list) or len(argument) not in (2, 4):
        raise InvalidPattern("Invalid numeric match: one or two pairs of operator and number")
    for sign, bound in zip(argument[::2], argument[1::2], strict=True):
        if sign not in _COMPARE:
            raise InvalidPattern(f"Unrecognized numeric range operator: {sign}")
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise InvalidPattern("Value of numeric operator must be numeric")
    if len(argument) == 4 and not (argument[0] in (">", ">=") and argument[2] in ("<", "<=")):
        raise InvalidPattern("Bad numeric range operator")


def _check_anything_but(argument: Any) -> None:
    if isinstance(argument, dict):
        if len(argument) != 1 or not set(argument) <= _TEXT_OPERATORS:
            raise InvalidPattern("Unsupported anything-but pattern")
        ((name, inner),) = argument.items()
        for option in inner if isinstance(inner, list) else [inner]:
            _check_text(name, option)
    elif argument == [] or isinstance(argument, bool) or argument is None:
        raise InvalidPattern("Value of anything-but must be an array or single string/number value")


def _check_text(name: str, argument: Any) -> None:
    if isinstance(argument, dict) and name in ("prefix", "suffix"):
        if set(argument) != {"equals-ignore-case"}:
            raise InvalidPattern(f"Unsupported {name} pattern")
        argument = argument["equals-ignore-case"]
    if not isinstance(argument, str):
        raise InvalidPattern(f"{name} match pattern must be a string")
    if name == "wildcard" and "**" in argument.replace(r"\*", ""):
        raise InvalidPattern("Consecutive wildcard characters are not allowed")
