"""The IAM policy language: may this principal do this action on this resource?

AWS: "Policy evaluation logic" and "IAM JSON policy element reference" (IAM User Guide). Documents
are taken as JSON objects, fully resolved. What cannot be judged is said, never guessed: a condition
operator or key this file does not know makes the answer ``UNJUDGED`` where it matters.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .condition import Context, glob, holds, resolve


class Verdict(Enum):
    ALLOWED = "allowed"
    DENIED = "no statement allows it"
    FORBIDDEN = "a statement denies it"
    UNJUDGED = "cannot be judged"


@dataclass(frozen=True)
class Ask:
    """One question: ``principal`` is an ARN, or a service name (``events.amazonaws.com``)."""

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principal: str = ""


@dataclass(frozen=True)
class Decision:
    verdict: Verdict
    why: str = ""

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOWED


def decide(documents: Iterable[Mapping[str, Any]], ask: Ask) -> Decision:
    """Evaluate ``ask`` against policy documents: an explicit Deny wins, then any Allow.

    A statement with ``Principal`` speaks only to the principals it names, so identity policies and
    resource policies of one account may be given together.
    """
    allowed = False
    doubts: dict[str, str] = {}
    for document in documents:
        for statement in _list(document.get("Statement", [])):
            if not _speaks_of(statement, ask):
                continue
            applies, doubt = holds(statement.get("Condition", {}), ask.context)
            effect = statement.get("Effect", "")
            if applies and effect == "Deny":
                return Decision(Verdict.FORBIDDEN, f"by {_name(statement)}")
            if applies and effect == "Allow":
                allowed = True
            if doubt:
                doubts.setdefault(effect, f"{_name(statement)}: {doubt}")
    if "Deny" in doubts:
        return Decision(Verdict.UNJUDGED, doubts["Deny"])
    if allowed:
        return Decision(Verdict.ALLOWED)
    if "Allow" in doubts:
        return Decision(Verdict.UNJUDGED, doubts["Allow"])
    return Decision(Verdict.DENIED, f"no statement allows {ask.action} on {ask.resource}")


def _speaks_of(statement: Mapping[str, Any], ask: Ask) -> bool:
    return (
        _principal(statement, ask.principal)
        and _either(statement, "Action", [ask.action.lower()], ask.context, lower=True)
        and _either(statement, "Resource", [ask.resource], ask.context)
    )


def _either(
    statement: Mapping[str, Any],
    element: str,
    values: Sequence[str],
    context: Context,
    *,
    lower: bool = False,
) -> bool:
    """Match ``Action`` / ``NotAction`` or ``Resource`` / ``NotResource``; a trust policy has no
    resource, and then speaks of the thing it hangs on."""

    def matches(patterns: Any) -> bool:
        known = [p for p in (resolve(str(p), context) for p in _list(patterns)) if p is not None]
        return any(glob(p.lower() if lower else p, value) for p in known for value in values)

    if element in statement:
        return matches(statement[element])
    if f"Not{element}" in statement:
        return not matches(statement[f"Not{element}"])
    return element == "Resource"


def _principal(statement: Mapping[str, Any], principal: str) -> bool:
    if "NotPrincipal" in statement:
        return not _named(statement["NotPrincipal"], principal)
    return "Principal" not in statement or _named(statement["Principal"], principal)


def _named(principals: Any, principal: str) -> bool:
    if principals == "*":
        return True
    if not isinstance(principals, Mapping):
        return False
    for name in _list(principals.get("AWS", [])):
        if name in ("*", principal):
            return True
    return principal in _list(principals.get("Service", []))


def delegates(document: Mapping[str, Any], ask: Ask, account: str) -> bool:
    """Say whether a key policy leaves ``ask`` to the account's own IAM policies.

    AWS: "Default key policy" (KMS Developer Guide): naming the account root gives nobody access by
    itself, it lets identity policies give it.
    """
    roots = (f"arn:aws:iam::{account}:root", account)
    return any(
        decide([document], Ask(ask.action, ask.resource, ask.context, root)).allowed
        for root in roots
    )


def _name(statement: Mapping[str, Any]) -> str:
    return str(statement.get("Sid") or f"{statement.get('Effect')} {statement.get('Action')}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
