"""JWT authorisation against an issuer on loopback."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import KeySet, OctKey, RSAKey

from infra.local.jwt import Forbidden, JwtAuthorizer, JwtRule, Unauthorized

NOW = 1_000_000.0
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "two"})


class Issuer(ThreadingHTTPServer):
    keys: list[RSAKey]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Published(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        configuration = {"jwks_uri": f"{self.server.url}/keys"}
        keys = KeySet(self.server.keys).as_dict(private=False)
        body = json.dumps(configuration if "openid" in self.path else keys).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    server = Issuer(("127.0.0.1", 0), Published)
    server.keys = [KEY]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def token(issuer: Issuer, key: Any = KEY, algorithm: str = "RS256", **changes: object) -> str:
    claims = {
        "iss": issuer.url,
        "aud": "driftloop",
        "exp": NOW + 60,
        "iat": NOW - 1,
        "scope": "predict read",
        "groups": ["a", "b"],
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": algorithm, "kid": key.kid or "one"}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key)


def authorizer(issuer: Issuer) -> JwtAuthorizer:
    return JwtAuthorizer(JwtRule(issuer.url, ("driftloop",)))


def test_a_good_token_gives_its_claims_as_text(issuer: Issuer) -> None:
    found = authorizer(issuer).authorize(f"Bearer {token(issuer)}", ["predict", "write"], NOW)
    assert found["scopes"] == ["predict"]
    assert found["claims"]["groups"] == "[a b]"
    assert found["claims"]["exp"] == "1000060.0"
    assert authorizer(issuer).authorize(token(issuer), [], NOW)["scopes"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "other"},
        {"aud": None},
        {"exp": NOW - 1},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": NOW + 30},
        {"iat": NOW + 30},
    ],
)
def test_a_claim_that_is_wrong_is_unauthorized(issuer: Issuer, changes: dict[str, object]) -> None:
    with pytest.raises(Unauthorized):
        authorizer(issuer).authorize(token(issuer, **changes), [], NOW)


def test_client_id_stands_in_for_aud(issuer: Issuer) -> None:
    found = token(issuer, aud=None, client_id="driftloop")
    assert authorizer(issuer).authorize(found, [], NOW)["claims"]["client_id"] == "driftloop"


def test_a_forged_token_is_unauthorized(issuer: Issuer) -> None:
    symmetric = OctKey.generate_key(256, {"kid": "one"})
    good = token(issuer)
    for forged in (
        token(issuer, symmetric, "HS256"),
        token(issuer, OTHER),
        good[:-4] + "AAAA",
        "eyJhbGciOiJub25lIn0.e30.",
        "nonsense",
    ):
        with pytest.raises(Unauthorized):
            authorizer(issuer).authorize(forged, [], NOW)


def test_without_the_scope_it_is_forbidden(issuer: Issuer) -> None:
    with pytest.raises(Forbidden):
        authorizer(issuer).authorize(token(issuer), ["write"], NOW)


def test_a_rotated_key_is_fetched(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.jwt.KEYS_ANEW", 0.0)
    kept = authorizer(issuer)
    kept.authorize(token(issuer), [], NOW)
    issuer.keys = [OTHER]
    assert kept.authorize(token(issuer, OTHER), [], NOW)["claims"]["aud"] == "driftloop"


def test_an_issuer_that_is_away_or_not_https_is_refused(issuer: Issuer) -> None:
    away = JwtAuthorizer(JwtRule("http://127.0.0.1:1", ("driftloop",)))
    with pytest.raises(Unauthorized, match="cannot be had"):
        away.authorize(token(issuer), [], NOW)
    with pytest.raises(ValueError, match="https"):
        JwtAuthorizer(JwtRule("http://example.org", ("driftloop",)))
