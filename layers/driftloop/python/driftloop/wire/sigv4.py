"""AWS Signature Version 4, as "Create a signed AWS API request" in the IAM user guide defines it.

Pure: what to sign, with what and when are arguments.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote

_SAFE = "-_.~"


@dataclass(frozen=True)
class Credentials:
    """``token`` is the session token of temporary credentials; empty for lasting ones."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Request:
    """``path`` and ``query`` unencoded; ``host`` with its port unless that is the scheme's own."""

    method: str
    host: str
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def target(self) -> str:
        """Path and query as they go over the wire."""
        path = quote(self.path, safe=_SAFE + "/")
        return f"{path}?{self.encoded_query}" if self.query else path

    @property
    def encoded_query(self) -> str:
        pairs = sorted((quote(k, safe=_SAFE), quote(v, safe=_SAFE)) for k, v in self.query.items())
        return "&".join(f"{name}={value}" for name, value in pairs)


def sign(
    request: Request, credentials: Credentials, region: str, service: str, stamp: str
) -> dict[str, str]:
    """All headers to send, ``Authorization`` included. ``stamp``: UTC as ``20130201T050000Z``.

    S3 alone takes its path encoded once (every other service: twice) and wants the body's hash
    as a header.
    """
    digest = sha256(request.body).hexdigest()
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": request.host, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    path = quote(request.path, safe=_SAFE + "/")
    if service == "s3":
        headers["x-amz-content-sha256"] = digest
    else:
        path = quote(path, safe=_SAFE + "/")
    names = ";".join(sorted(headers))
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)]
    canonical = "\n".join(
        [request.method, path or "/", request.encoded_query, *lines, "", names, digest]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(
        _key(credentials.secret_key, stamp[:8], region, service), text.encode(), sha256
    ).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return key
