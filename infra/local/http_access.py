"""Who may call a route of an HTTP API: nobody asked, IAM, or a JWT.

AWS: "Control access to HTTP APIs with IAM authorization" (API Gateway Developer Guide,
http-api-access-control-iam): the request is signed for ``execute-api``, and the caller's policies
allow ``execute-api:Invoke`` on the route's ARN. JWTs: see ``jwt.py``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

from .http_event import Answer
from .http_server import plain
from .jwt import Forbidden, JwtAuthorizer, JwtRule, Unauthorized
from .sigv4 import Received, Secret, SignatureRefused, verify


class Callers(Protocol):
    """Who holds which access key, and what they may do."""

    def secret_of(self, access_key: str) -> Secret | None: ...
    def principal_of(self, access_key: str) -> str | None:
        """A role's ARN, ``operator`` (admin), or None for an unknown key."""

    def may_invoke(self, principal: str, route_arn: str) -> str:
        """Why ``principal`` may not invoke the route; '' when it may."""


class Refused(Exception):
    """The caller gets ``answer``; ``str(error)`` is for the access log."""

    def __init__(self, answer: Answer, why: str) -> None:
        super().__init__(why)
        self.answer = answer


@dataclass(frozen=True)
class RouteAccess:
    """A route's demand: ``kind`` is NONE, AWS_IAM or JWT."""

    kind: str
    arn: str
    scopes: tuple[str, ...] = ()
    authorizer: Any = None  # moto's Authorizer


class Access:
    """Admits requests to routes; keeps one key cache per JWT authoriser."""

    def __init__(self, callers: Callers, account: str, region: str) -> None:
        self._callers = callers
        self._account, self._region = account, region
        self._jwt: dict[JwtRule, JwtAuthorizer] = {}

    def admit(self, request: Received, route: RouteAccess) -> dict[str, Any] | None:
        """Return what the event says of the caller (``authorizer``); raise :class:`Refused`."""
        admit: dict[str, Callable[[Received, RouteAccess], dict[str, Any] | None]] = {
            "NONE": lambda request, route: None,
            "AWS_IAM": self._by_iam,
            "JWT": self._by_jwt,
        }
        return admit[route.kind](request, route)

    def _by_iam(self, request: Received, route: RouteAccess) -> dict[str, Any]:
        try:
            key = verify(
                request,
                self._callers.secret_of,
                service="execute-api",
                region=self._region,
                now=datetime.now(UTC),
            )
        except SignatureRefused as why:
            raise Refused(plain(403), str(why)) from why
        principal = self._callers.principal_of(key) or ""
        why_not = self._callers.may_invoke(principal, route.arn)
        if why_not:
            raise Refused(plain(403), why_not)
        operator = principal == "operator"
        arn = f"arn:aws:iam::{self._account}:root" if operator else principal
        name = self._account if operator else f"{key}:{principal.rpartition('/')[2]}"
        return {
            "iam": {
                "accessKey": key,
                "accountId": self._account,
                "callerId": name,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": arn,
                "userId": name,
            }
        }

    def _by_jwt(self, request: Received, route: RouteAccess) -> dict[str, Any]:
        token = _identity(request, route.authorizer.identity_source)
        rule = _rule(route.authorizer.jwt_config)
        authorizer = self._jwt.get(rule) or self._jwt.setdefault(rule, JwtAuthorizer(rule))
        try:
            if not token:
                raise Unauthorized("the request carries no token")
            return {"jwt": authorizer.authorize(token, route.scopes, time.time())}
        except Unauthorized as why:
            raise Refused(_challenge(401, "Bearer"), str(why)) from why
        except Forbidden as why:
            scopes = " ".join(route.scopes)
            challenge = f'Bearer scope="{scopes}" error="insufficient_scope"'
            raise Refused(_challenge(403, challenge), str(why)) from why


def _rule(config: dict[str, Any]) -> JwtRule:
    return JwtRule(config["issuer"], tuple(config.get("audience") or ()))


def _identity(request: Received, sources: Any) -> str:
    """The token, from ``$request.header.Name`` or ``$request.querystring.name``."""
    source = sources[0] if isinstance(sources, list) else str(sources)
    _, kind, name = source.split(".", 2)
    if kind == "header":
        return request.headers.get(name.lower(), "")
    return parse_qs(request.query).get(name, [""])[0]


def _challenge(status: int, challenge: str) -> Answer:
    refusal = plain(status)
    return Answer(status, (*refusal.headers, ("www-authenticate", challenge)), refusal.body)
