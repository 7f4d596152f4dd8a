"""Verification of Signature Version 4, held against botocore's own signer."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.sigv4 import Received, Secret, SignatureRefused, verify

SECRETS = {"AKIA": Secret("s3cret"), "ASIA": Secret("t3mp", "token/with+marks==")}


def signed(
    url: str = "http://127.0.0.1:8080/models/flights/predict",
    body: bytes = b'{"instances":[]}',
    *,
    key: str = "AKIA",
    method: str = "POST",
    service: str = "execute-api",
    secret: str | None = None,
    signer: type[SigV4Auth] = SigV4Auth,
) -> Received:
    credentials = Credentials(key, secret or SECRETS[key].key, SECRETS[key].token)
    request = AWSRequest(method=method, url=url, data=body, headers={"X-Extra": "  a   b "})
    signer(credentials, service, "us-east-1").add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    headers = {name.lower(): str(value).strip() for name, value in prepared.headers.items()}
    headers.setdefault("host", parts.netloc)
    return Received(method, parts.path or "/", parts.query, headers, body)


def check(request: Received, now: datetime | None = None) -> str:
    return verify(
        request,
        SECRETS.get,
        service="execute-api",
        region="us-east-1",
        now=now or datetime.now(UTC),
    )


def changed(request: Received, **fields: object) -> Received:
    return Received(**{**vars(request), **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["AKIA", "ASIA"])
@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth])
def test_what_botocore_signs_is_accepted(key: str, signer: type[SigV4Auth]) -> None:
    body = b"" if signer is SigV4QueryAuth else b"{}"
    method = "GET" if signer is SigV4QueryAuth else "POST"
    assert check(signed(key=key, signer=signer, body=body, method=method)) == key


@given(
    path=st.lists(st.text("aé/ %~+=:@.-_", max_size=6), max_size=3),
    query=st.lists(st.tuples(st.text("aZ~+ é&=", min_size=1), st.text("bY/: %"))),
    body=st.binary(max_size=64),
)
@settings(max_examples=150, deadline=None)
def test_any_path_query_and_body_botocore_signs_is_accepted(
    path: list[str], query: list[tuple[str, str]], body: bytes
) -> None:
    from urllib.parse import quote, urlencode

    url = "http://127.0.0.1:8080/" + "/".join(quote(part, safe="") for part in path)
    if query:
        url += "?" + urlencode(query, quote_via=quote)
    assert check(signed(url, body)) == "AKIA"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"body": b'{"instances":[1]}'}, "does not match"),
        ({"method": "PUT"}, "does not match"),
        ({"path": "/models/other/predict"}, "does not match"),
        ({"query": "a=1"}, "does not match"),
    ],
)
def test_a_changed_request_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(SignatureRefused, match=why):
        check(changed(signed(), **change))


def test_a_changed_signed_header_is_refused() -> None:
    request = signed()
    with pytest.raises(SignatureRefused, match="does not match"):
        check(changed(request, headers={**request.headers, "x-extra": "other"}))


def test_no_signature_another_service_a_strange_key_and_a_wrong_secret_are_refused() -> None:
    with pytest.raises(SignatureRefused, match="not signed"):
        check(Received("GET", "/", "", {"host": "h"}, b""))
    with pytest.raises(SignatureRefused, match="scope"):
        check(signed(service="s3"))
    request = signed()
    strange = request.headers["authorization"].replace("AKIA", "AKIB")
    with pytest.raises(SignatureRefused, match="does not exist"):
        check(changed(request, headers={**request.headers, "authorization": strange}))
    with pytest.raises(SignatureRefused, match="does not match"):
        check(signed(secret="guess"))


def test_temporary_credentials_need_their_token() -> None:
    request = signed(key="ASIA")
    headers = {k: v for k, v in request.headers.items() if k != "x-amz-security-token"}
    with pytest.raises(SignatureRefused, match="session token"):
        check(changed(request, headers=headers))


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_more_than_five_minutes_away_is_refused(minutes: int) -> None:
    with pytest.raises(SignatureRefused, match="signed at"):
        check(signed(), datetime.now(UTC) + timedelta(minutes=minutes))
