"""What a target of a rule is sent: the event, a constant, a part of it or a filled template.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html

Pure.
"""

import json
import re
from typing import Any

_TOKEN = re.compile(r'\\.|"|<([A-Za-z0-9_.-]+)>', re.DOTALL)
_STEP = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\['([^']+)'\]")


class InvalidPath(ValueError):
    """Not a JSON path EventBridge takes."""


def shape(target: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    """The text a target gets for ``event``; ``target`` is an entry of PutTargets."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(at_path(event, target["InputPath"]))
    if "InputTransformer" in target:
        return _transform(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def at_path(event: Any, path: str) -> Any:
    """The value at ``$.a.b[0]``, or ``None``; raises :class:`InvalidPath`."""
    rest = path.removeprefix("$")
    if not path.startswith("$") or _STEP.sub("", rest):
        raise InvalidPath(f"{path!r} is not a JSON path of the form $.name.name[0]")
    value = event
    for name, index, quoted in _STEP.findall(rest):
        if index:
            value = (
                value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
            )
        else:
            value = value.get(name or quoted) if isinstance(value, dict) else None
    return value


def _transform(transformer: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    paths = transformer.get("InputPathsMap") or {}
    values = {name: at_path(event, path) for name, path in paths.items()} | {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": {k: v for k, v in event.items() if k != "detail"},
        "aws.events.event.json": event,
    }
    quoted = False

    def fill(found: re.Match[str]) -> str:
        nonlocal quoted
        name = found[1]
        if name is None:
            quoted ^= found[0] == '"'
            return found[0]
        if name not in values:
            return found[0]
        return _within_quotes(values[name]) if quoted else json.dumps(values[name])

    return _TOKEN.sub(fill, transformer["InputTemplate"])


def _within_quotes(value: Any) -> str:
    if value is None:
        return ""
    # a string loses its own quotes; anything else becomes text, its quotes escaped
    text = value if isinstance(value, str) else json.dumps(value)
    return json.dumps(text)[1:-1]
