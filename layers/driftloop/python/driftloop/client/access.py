"""How a request says who asks: a token, an AWS signature, or nothing."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from driftloop.wire.sigv4 import Credentials, Request, sign

SERVICE = "execute-api"
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.").search


class Keys(Protocol):
    """Ours, botocore's and boto3's credentials alike; read anew for every request, as they may
    renew themselves."""

    @property
    def access_key(self) -> Any: ...
    @property
    def secret_key(self) -> Any: ...
    @property
    def token(self) -> Any: ...


Token = str | Callable[[], str]


class Access:
    """A token goes before a signature; without either the request goes as it is."""

    def __init__(self, token: Token | None, credentials: Keys | None, region: str | None) -> None:
        self._token = token
        self._keys = credentials if credentials or token else found()
        self._region = region

    @property
    def anonymous(self) -> bool:
        return self._token is None and self._keys is None

    def headers(self, request: Request) -> Mapping[str, str]:
        """All headers to send."""
        if self._token is not None:
            token = self._token if isinstance(self._token, str) else self._token()
            return {**request.headers, "authorization": f"Bearer {token}"}
        if self._keys is None:
            return request.headers
        keys = self._keys
        if hasattr(keys, "get_frozen_credentials"):  # so that the three belong together
            keys = keys.get_frozen_credentials()
        own = Credentials(keys.access_key, keys.secret_key, keys.token or "")
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return sign(request, own, self._region or region_of(request.host), SERVICE, stamp)


def region_of(host: str) -> str:
    """The one in API Gateway's own names; where the API has another, the environment's."""
    said = _REGION(host)
    if said:
        return said[1]
    env = os.environ
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or "us-east-1"


def found() -> Keys | None:
    """Credentials as any AWS client finds them: in the environment, or where botocore, if it is
    installed, looks as well (profiles, single sign-on, roles of containers and instances)."""
    env = os.environ
    if env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY"):
        token = env.get("AWS_SESSION_TOKEN", "")
        return Credentials(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], token)
    try:
        from botocore.session import Session
    except ImportError:
        return None
    keys: Keys | None = Session().get_credentials()
    return keys
