"""Would AWS have allowed these calls? Recorded calls against the policies that are deployed.

AWS: "Policy evaluation logic" (IAM User Guide): within one account an identity policy or a resource
policy suffices, an explicit Deny anywhere wins, a permissions boundary caps. KMS keys and the trust
of roles are the exceptions: there the resource's own policy must agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .condition import Context
from .policy import Ask, Decision, Verdict, decide, delegates

Document = Mapping[str, Any]


class Call(Protocol):
    """A recorded call: ``caller`` is a role's ARN, a service's name, or ``operator`` (admin)."""

    @property
    def caller(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def resource(self) -> str: ...
    @property
    def context(self) -> Context: ...


@dataclass(frozen=True)
class Policies:
    """The policies in force, by ARN: ``identity`` of roles (by policy name), ``boundary`` of roles,
    ``resource`` of buckets, keys, queues, topics, functions, and trust policies of roles."""

    identity: Mapping[str, Mapping[str, Document]]
    resource: Mapping[str, Document] = field(default_factory=dict)
    boundary: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True)
class Denied:
    """A call that AWS would have refused, or of which this check cannot tell (``judged`` False)."""

    caller: str
    action: str
    resource: str
    why: str
    judged: bool = True
    times: int = 1

    def __str__(self) -> str:
        verb = "may not" if self.judged else "may or may not"
        return f"{self.caller} {verb} {self.action} on {self.resource}: {self.why}"


def check(calls: Iterable[Call], policies: Policies) -> list[Denied]:
    """Return one finding for each distinct call that would not surely be allowed.

    The operator's calls are not judged. Each caller's calls are judged against its own policies as
    ``policies`` has them, so a test may take a statement away and see the finding.
    """
    distinct: dict[tuple[str, str, str, str], tuple[Call, int]] = {}
    for call in calls:
        if call.caller != "operator":
            key = (call.caller, call.action, call.resource, repr(sorted(call.context.items())))
            distinct[key] = (call, distinct.get(key, (call, 0))[1] + 1)
    findings = []
    for call, times in distinct.values():
        decision = judge(call.caller, call.action, call.resource, call.context, policies)
        if not decision.allowed:
            judged = decision.verdict is not Verdict.UNJUDGED
            findings.append(
                Denied(call.caller, call.action, call.resource, decision.why, judged, times)
            )
    return findings


def judge(
    caller: str, action: str, resource: str, context: Context, policies: Policies
) -> Decision:
    """Decide one call of ``caller``: a role (by ARN) or a service (``events.amazonaws.com``)."""
    parts = caller.split(":")
    account = parts[4] if len(parts) > 4 else ""
    ask = Ask(action, resource, {**_always(caller, account), **context}, caller)
    identity = list(policies.identity.get(caller, {}).values())
    own = policies.resource.get(_owner(resource))
    boundary = policies.boundary.get(caller)
    if boundary is not None and not (capped := decide([boundary], ask)).allowed:
        return Decision(capped.verdict, f"the permissions boundary: {capped.why}")
    if action.startswith("kms:") and own is not None:
        return _with_key_policy(identity, own, ask, account)
    if action.startswith("sts:AssumeRole") and own is not None:
        trusted = decide([own], ask)
        return trusted if not trusted.allowed else _unless_forbidden(identity, ask)
    return decide([*identity, *([own] if own is not None else [])], ask)


def _with_key_policy(identity: list[Document], own: Document, ask: Ask, account: str) -> Decision:
    direct = decide([own], ask)
    if direct.verdict is Verdict.FORBIDDEN:
        return direct
    if direct.allowed:
        return _unless_forbidden(identity, ask)
    if account and delegates(own, ask, account):
        return decide(identity, ask)
    return Decision(direct.verdict, f"the key's policy: {direct.why}")


def _unless_forbidden(identity: list[Document], ask: Ask) -> Decision:
    found = decide(identity, ask)
    return found if found.verdict is Verdict.FORBIDDEN else Decision(Verdict.ALLOWED)


def _always(caller: str, account: str) -> dict[str, str | list[str]]:
    """Context that every call carries on AWS (there, always over TLS)."""
    context: dict[str, str | list[str]] = {"aws:SecureTransport": "true"}
    if account:
        context |= {"aws:PrincipalArn": caller, "aws:PrincipalAccount": account}
    return context


def _owner(resource: str) -> str:
    """The ARN a resource policy hangs on: an object's bucket, else the resource itself."""
    return resource.partition("/")[0] if resource.startswith("arn:aws:s3:::") else resource
