"""The ``Condition`` element of an IAM policy, over the context of one request.

AWS: "IAM JSON policy elements: Condition operators" and "Condition keys with multiple values" (IAM
User Guide). Three answers: it holds, it does not, or it cannot be judged (and why).
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

Context = Mapping[str, str | list[str]]

# Context keys the call log fills whenever AWS would: their absence means "not in the request".
# Any other key that a policy asks for and a call lacks cannot be judged.
RECORDED = re.compile(
    r"s3:|dynamodb:|kms:(viaservice|calleraccount|encryptioncontext)|iam:passedtoservice"
    r"|cloudwatch:namespace|events:|sqs:|sns:|states:|lambda:|sagemaker:"
    r"|aws:(securetransport|sourcearn|sourceaccount|principalarn|principalaccount|requestedregion"
    r"|resourceaccount|principaltype|calledvia|viaawsservice)",
)

_OPERATOR = re.compile(
    r"(?:(ForAllValues|ForAnyValue):)?(String|Arn|Numeric|Bool|Null)"
    r"(Not)?(EqualsIgnoreCase|Equals|Like|LessThanEquals|LessThan|GreaterThanEquals|GreaterThan)?"
    r"(IfExists)?"
)
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def holds(condition: Mapping[str, Any], context: Context) -> tuple[bool, str]:
    """Say whether every operator and key of ``condition`` holds; a doubt is text, else empty."""
    lowered = {name.lower(): value for name, value in context.items()}
    doubt = ""
    for operator, keys in condition.items():
        form = _OPERATOR.fullmatch(operator)
        if form is None:
            doubt = f"condition operator {operator} is not known here"
            continue
        for key, wanted in keys.items():
            name = key.lower()
            if name not in lowered and not RECORDED.match(name):
                doubt = f"condition key {key} is not recorded with calls"
                continue
            if not _one(form, lowered.get(name), [str(w) for w in _list(wanted)], context):
                return False, ""
    return not doubt, doubt


def _one(
    form: re.Match[str], found: str | list[str] | None, wanted: list[str], context: Context
) -> bool:
    quantifier, kind, negated, relation, if_exists = form.groups()
    if kind == "Null":
        return (found is None) == (wanted[0].lower() == "true")
    if found is None or found == []:
        return (
            quantifier == "ForAllValues"
            or bool(if_exists)
            or (bool(negated) and quantifier is None)
        )
    patterns = [p for p in (resolve(w, context) for w in wanted) if p is not None]
    compare = _comparison(kind, relation or "Equals")

    def fits(value: str) -> bool:
        return any(compare(pattern, value) for pattern in patterns) != bool(negated)

    values = found if isinstance(found, list) else [found]
    return all(map(fits, values)) if quantifier == "ForAllValues" else any(map(fits, values))


def _comparison(kind: str, relation: str) -> Callable[[str, str], bool]:
    if kind == "Arn":
        return arn_like
    if kind == "Bool":
        return lambda pattern, value: pattern.lower() == value.lower()
    if kind == "Numeric":
        return lambda pattern, value: _NUMERIC[relation](_number(value), _number(pattern))
    return _STRING[relation]


def _number(text: str) -> float:
    """What is no number compares false with everything, as AWS has it."""
    try:
        return float(text)
    except ValueError:
        return math.nan


_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda value, limit: value == limit,
    "LessThan": lambda value, limit: value < limit,
    "LessThanEquals": lambda value, limit: value <= limit,
    "GreaterThan": lambda value, limit: value > limit,
    "GreaterThanEquals": lambda value, limit: value >= limit,
}
_STRING: dict[str, Callable[[str, str], bool]] = {
    "Equals": lambda pattern, value: unescape(pattern) == value,
    "EqualsIgnoreCase": lambda pattern, value: unescape(pattern).lower() == value.lower(),
    "Like": lambda pattern, value: glob(pattern, value),
}


def arn_like(pattern: str, arn: str) -> bool:
    """Match ARNs part by part: a wildcard never reaches over one of the first five colons."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) and all(map(glob, wanted, found))


def glob(pattern: str, value: str) -> bool:
    """Match ``*`` (any characters) and ``?`` (one character); everything else is itself."""
    return pattern == "*" or _compiled(pattern).fullmatch(value) is not None


# A policy variable's value is literal: its own wildcards are guarded by these two characters,
# which no ARN, key or name can hold.
_STAR, _QUESTION = "\x00", "\x01"


def resolve(pattern: str, context: Context) -> str | None:
    """Fill in policy variables (``${aws:PrincipalArn}``); None when one has no value: no match."""
    if "${" not in pattern:
        return pattern
    lowered = {name.lower(): value for name, value in context.items()}
    missing = False

    def fill(found: re.Match[str]) -> str:
        nonlocal missing
        name = found.group(1)
        value: Any = name if name in "*?$" else lowered.get(name.lower())
        missing = missing or not isinstance(value, str)
        return str(value).replace("*", _STAR).replace("?", _QUESTION)

    filled = _VARIABLE.sub(fill, pattern)
    return None if missing else filled


def unescape(pattern: str) -> str:
    return pattern.replace(_STAR, "*").replace(_QUESTION, "?")


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_TOKENS.get(c) or re.escape(c) for c in pattern), re.DOTALL)


_TOKENS = {"*": ".*", "?": ".", _STAR: re.escape("*"), _QUESTION: re.escape("?")}


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]
