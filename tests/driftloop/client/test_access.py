"""Who asks: a token, or a signature that AWS's own signer would make."""

import re

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Theirs

from driftloop.client import Credentials, Endpoint, Refused
from driftloop.client.access import region_of

API = "https://abc.execute-api.ap-southeast-2.amazonaws.com"


def test_the_signature_is_botocores(server):
    with Endpoint(server.url, credentials=Theirs("key", "secret", "session")) as endpoint:
        endpoint.predict({"x": "ä"})
    _, _, headers, _ = server.seen[0]
    body = b'{"instances":[{"x":"\\u00e4"}]}'
    request = AWSRequest(
        "POST", server.url + "/predict", {"content-type": "application/json"}, body
    )
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Theirs("key", "secret", "session"), "execute-api", "eu-west-1")
    request.headers["X-Amz-Date"] = headers["x-amz-date"]
    request.headers["X-Amz-Security-Token"] = "session"
    request.headers["Host"] = headers["host"]
    canonical = signer.canonical_request(request)
    text = signer.string_to_sign(request, canonical)
    assert headers["authorization"].endswith(f"Signature={signer.signature(text, request)}")


def test_a_token_goes_instead_of_a_signature(server):
    tokens = iter(["first", "second"])
    with Endpoint(server.url, "abc") as endpoint:
        endpoint.predict({"x": 1})
    with Endpoint(server.url, lambda: next(tokens)) as endpoint:  # one that runs out
        endpoint.predict([{"x": 1}])
        endpoint.predict([{"x": 1}])
    said = [headers["authorization"] for _, _, headers, _ in server.seen]
    assert said == ["Bearer abc", "Bearer first", "Bearer second"]
    assert not any("x-amz-date" in headers for _, _, headers, _ in server.seen)


def test_credentials_and_region_may_be_given(server):
    with Endpoint(server.url, region="us-west-1", credentials=Credentials("me", "s")) as endpoint:
        endpoint.predict({"x": 1})
    scope = re.search(r"Credential=([^,]+)", server.seen[0][2]["authorization"])[1]
    assert scope.startswith("me/") and scope.endswith("/us-west-1/execute-api/aws4_request")


def test_a_profile_is_found_where_botocore_looks(server, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = filed\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    with Endpoint(server.url) as endpoint:
        endpoint.predict({"x": 1})
    assert "Credential=filed/" in server.seen[0][2]["authorization"]


def test_without_credentials_the_request_goes_as_it_is_and_a_refusal_says_so(server, monkeypatch):
    monkeypatch.setattr("driftloop.client.access.found", lambda: None)
    server.answers = [server.usual({"instances": [{"x": 1}]}), (403, {"message": "Forbidden"})]
    with Endpoint(server.url) as endpoint:
        assert endpoint.predict({"x": 1})["value"] == 1
        with pytest.raises(Refused, match="neither a token to send nor AWS credentials"):
            endpoint.predict({"x": 1})
    assert "authorization" not in server.seen[0][2]


def test_the_region_is_in_the_url_or_in_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert region_of(API.removeprefix("https://")) == "ap-southeast-2"
    assert region_of("models.example.com") == "eu-west-1"
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    assert region_of("models.example.com") == "us-east-1"
