"""The JWT authoriser of an HTTP API.

AWS: "Control access to HTTP APIs with JWT authorizers in API Gateway" (API Gateway Developer Guide,
http-api-jwt-authorizer): RSA signatures against the issuer's published keys, then ``iss``, ``aud``
(or ``client_id``), ``exp``, ``nbf``, ``iat`` and the route's scopes. Tokens live in real time.
AWS takes issuers over https only; an issuer on this machine may speak http.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "RS384", "RS512"]
KEYS_LIVE = 2 * 3600.0
KEYS_ANEW = 60.0  # an unknown key id makes the keys be fetched again, at most this often
FETCH_SECONDS = 1.5


class Unauthorized(Exception):
    """No token, or not a good one: 401."""


class Forbidden(Exception):
    """A good token without any of the scopes the route asks for: 403."""


@dataclass(frozen=True)
class JwtRule:
    """What an authoriser demands: the issuer, and at least one of the audiences."""

    issuer: str
    audience: tuple[str, ...]


class JwtAuthorizer:
    """Checks tokens of one issuer, keeping the issuer's keys for two hours."""

    def __init__(self, rule: JwtRule) -> None:
        parts = urlsplit(rule.issuer)
        loopback = parts.hostname in ("127.0.0.1", "localhost")
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise ValueError(f"issuer {rule.issuer!r}: it must be https (or http on loopback)")
        self.rule = rule
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._lock = threading.Lock()

    def authorize(self, token: str, scopes: Sequence[str], now: float) -> dict[str, Any]:
        """Return ``{"claims": …, "scopes": …}`` as the event carries it; ``now`` in epoch seconds.

        Raises :class:`Unauthorized` or :class:`Forbidden`.
        """
        token = token.removeprefix("Bearer ").removeprefix("bearer ").strip()
        claims = self._claims(token)
        self._check(claims, now)
        held = claims.get("scope", claims.get("scp", ""))
        held = held.split() if isinstance(held, str) else list(held)
        if scopes and not set(scopes) & set(held):
            raise Forbidden(f"the token has none of the scopes {', '.join(scopes)}")
        return {
            "claims": {name: _text(value) for name, value in claims.items()},
            "scopes": [scope for scope in held if scope in scopes] if scopes else None,
        }

    def _claims(self, token: str) -> dict[str, Any]:
        for anew in (False, True):
            try:
                signed = jws.deserialize_compact(token, self._published(anew), ALGORITHMS)
                claims = json.loads(signed.payload)
                break
            except OSError as error:
                raise Unauthorized(f"the issuer's keys cannot be had: {error}") from error
            except (JoseError, ValueError) as error:
                # A rotated key is not among those fetched before: look once more.
                if anew or not isinstance(error, InvalidKeyIdError) or not self._stale():
                    raise Unauthorized(f"the token is not valid: {error}") from error
        if not isinstance(claims, dict):
            raise Unauthorized("the token holds no claims")
        return claims

    def _check(self, claims: dict[str, Any], now: float) -> None:
        audience = claims.get("aud", claims.get("client_id"))
        audiences = audience if isinstance(audience, list) else [audience]
        if claims.get("iss") != self.rule.issuer:
            raise Unauthorized(f"iss is {claims.get('iss')!r}, not {self.rule.issuer!r}")
        if not set(self.rule.audience) & {str(one) for one in audiences}:
            raise Unauthorized(f"aud {audience!r} is not in {list(self.rule.audience)}")
        if not _number(claims, "exp", default=-1) > now:
            raise Unauthorized("the token has expired")
        if _number(claims, "nbf", default=0) > now or _number(claims, "iat", default=0) > now + 1:
            raise Unauthorized("the token is not valid yet")

    def _stale(self) -> bool:
        return time.monotonic() - self._fetched > KEYS_ANEW

    def _published(self, anew: bool) -> KeySet:
        with self._lock:
            if self._keys is None or anew or time.monotonic() - self._fetched > KEYS_LIVE:
                base = self.rule.issuer.rstrip("/")
                place = _fetch(f"{base}/.well-known/openid-configuration")["jwks_uri"]
                self._keys = KeySet.import_key_set(_fetch(place))
                self._fetched = time.monotonic()
            return self._keys


def _fetch(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:
        return json.load(answer)


def _number(claims: dict[str, Any], name: str, default: float) -> float:
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthorized(f"{name} is no number")
    return float(value)


def _text(value: object) -> str:
    """Claims reach the function as text; a list as ``[a b]``, as API Gateway writes it."""
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return value if isinstance(value, str) else json.dumps(value)
