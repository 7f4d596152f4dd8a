"""Signature Version 4 on the receiving side: is this request signed by whom it names, and now?

AWS: "Create a signed AWS API request" (IAM User Guide, reference_sigv-create-signed-request).
The canonical request is rebuilt from the bytes that came over the wire; the caller's secret signs
it again; the two signatures must be equal. Signatures live in real time, whatever the clock of the
embedded AWS says, because the signer on the other side has only real time.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=5)
MAX_EXPIRES = 7 * 24 * 3600


class SignatureRefused(Exception):
    """The request is not signed, or not rightly: ``str(error)`` says why (for the access log)."""


@dataclass(frozen=True)
class Received:
    """A request as it came: ``path`` and ``query`` undecoded, header names in lower case and
    repeated headers joined by a comma."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Secret:
    """What the signature of an access key is checked with; ``token`` for temporary credentials."""

    key: str
    token: str | None = None


@dataclass(frozen=True)
class _Claim:
    """What the request says about its own signature."""

    access_key: str
    scope: tuple[str, ...]
    signed_headers: tuple[str, ...]
    signature: str
    date: str
    token: str | None
    expires: timedelta | None
    in_query: bool


def verify(
    request: Received,
    secret_of: Callable[[str], Secret | None],
    *,
    service: str,
    region: str,
    now: datetime,
) -> str:
    """Return the access key that signed ``request``; raise :class:`SignatureRefused` otherwise.

    ``now`` is real time (UTC). ``secret_of`` knows the access keys; None for an unknown one.
    """
    claim = _from_query(request) or _from_header(request)
    if claim is None:
        raise SignatureRefused("the request is not signed")
    when = _when(claim.date)
    day = claim.date[:8]
    if claim.scope != (day, region, service, "aws4_request"):
        raise SignatureRefused(
            f"the credential scope is {'/'.join(claim.scope)!r},"
            f" it should be {day}/{region}/{service}/aws4_request"
        )
    if "host" not in claim.signed_headers:
        raise SignatureRefused("the host header is not signed")
    latest = when + (claim.expires if claim.expires is not None else SKEW)
    if not when - SKEW <= now <= latest:
        raise SignatureRefused(f"signed at {when:%H:%M:%S}, received at {now:%H:%M:%S} UTC")
    secret = secret_of(claim.access_key)
    if secret is None:
        raise SignatureRefused(f"the access key {claim.access_key!r} does not exist")
    if not hmac.compare_digest((secret.token or "").encode(), (claim.token or "").encode()):
        raise SignatureRefused("the session token is not the one of these credentials")
    text = "\n".join(
        [
            ALGORITHM,
            claim.date,
            "/".join(claim.scope),
            hashlib.sha256(_canonical(request, claim, s3=service == "s3").encode()).hexdigest(),
        ]
    )
    key = _signing_key(secret.key, day, region, service)
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, claim.signature):
        raise SignatureRefused("the signature does not match the request")
    return claim.access_key


def _from_header(request: Received) -> _Claim | None:
    header = request.headers.get("authorization", "")
    if not header.startswith(ALGORITHM):
        return None
    fields = dict(part.strip().partition("=")[::2] for part in header[len(ALGORITHM) :].split(","))
    try:
        access_key, *scope = fields["Credential"].split("/")
        signed, signature = fields["SignedHeaders"], fields["Signature"]
    except KeyError as missing:
        raise SignatureRefused(f"the Authorization header lacks {missing}") from None
    return _Claim(
        access_key=access_key,
        scope=tuple(scope),
        signed_headers=tuple(signed.split(";")),
        signature=signature,
        date=request.headers.get("x-amz-date", ""),
        token=request.headers.get("x-amz-security-token"),
        expires=None,
        in_query=False,
    )


def _from_query(request: Received) -> _Claim | None:
    if "X-Amz-Signature=" not in request.query:
        return None
    fields = {
        unquote(name): unquote(value)
        for name, _, value in (part.partition("=") for part in request.query.split("&"))
    }
    try:
        access_key, *scope = fields["X-Amz-Credential"].split("/")
        expires = int(fields["X-Amz-Expires"])
        claim = _Claim(
            access_key=access_key,
            scope=tuple(scope),
            signed_headers=tuple(fields["X-Amz-SignedHeaders"].split(";")),
            signature=fields["X-Amz-Signature"],
            date=fields["X-Amz-Date"],
            token=fields.get("X-Amz-Security-Token"),
            expires=timedelta(seconds=expires),
            in_query=True,
        )
    except (KeyError, ValueError) as error:
        raise SignatureRefused(f"the signed query lacks {error}") from None
    if not 1 <= expires <= MAX_EXPIRES:
        raise SignatureRefused(f"X-Amz-Expires is {expires}, it may be 1 to {MAX_EXPIRES} seconds")
    return claim


def _when(date: str) -> datetime:
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureRefused(f"x-amz-date {date!r} is not a time like 20130101T120000Z") from None


def _canonical(request: Received, claim: _Claim, *, s3: bool) -> str:
    return "\n".join(
        [
            request.method,
            # S3 signs a path as it is, every other service one that is tidied and encoded again
            request.path if s3 else quote(_without_dots(request.path), safe="/~"),
            _canonical_query(request.query, leave_out=claim.in_query),
            "".join(
                f"{name}:{' '.join(request.headers.get(name, '').split())}\n"
                for name in claim.signed_headers
            ),
            ";".join(claim.signed_headers),
            _payload(request, claim) if s3 else hashlib.sha256(request.body).hexdigest(),
        ]
    )


def _payload(request: Received, claim: _Claim) -> str:
    """The hash S3 is told, or the word that stands for it (``UNSIGNED-PAYLOAD``, streams)."""
    if claim.in_query:
        return "UNSIGNED-PAYLOAD"
    told = request.headers.get("x-amz-content-sha256", "")
    if len(told) == 64 and told != hashlib.sha256(request.body).hexdigest():
        raise SignatureRefused("x-amz-content-sha256 is not the hash of the body")
    return told


def _canonical_query(query: str, *, leave_out: bool) -> str:
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    encoded = sorted((_once(name), _once(value)) for name, value in pairs)
    return "&".join(
        f"{name}={value}"
        for name, value in encoded
        if not (leave_out and name == "X-Amz-Signature")
    )


def _once(text: str) -> str:
    """Percent-encode a query name or value exactly once, however the client wrote it."""
    return quote(unquote(text), safe="-_.~")


def _without_dots(path: str) -> str:
    """Resolve ``.``, ``..`` and doubled slashes, as every service but S3 does before signing."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if kept and path.endswith("/") else ""
    return "/" + "/".join(kept) + end


@lru_cache(maxsize=256)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
