"""Our signature is botocore's own, byte for byte."""

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Theirs
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.wire.sigv4 import Credentials, Request, sign

SEGMENT = st.text(min_size=1, max_size=12).filter(
    lambda s: s not in (".", "..") and s.isprintable() and not s.isspace()
)
PATHS = st.lists(SEGMENT.map(lambda s: s.replace("/", "_")), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
QUERIES = st.dictionaries(st.text("abcXYZ-_0", min_size=1, max_size=8), PRINTABLE, max_size=3)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "x-amz-target", "x-custom"]), PRINTABLE, max_size=3
)


@pytest.mark.parametrize("service", ["s3", "dynamodb", "execute-api"])
@settings(deadline=None)
@given(
    path=PATHS,
    query=QUERIES,
    headers=HEADERS,
    body=st.binary(max_size=100),
    token=st.sampled_from(["", "a-session-token"]),
    method=st.sampled_from(["GET", "POST"]),
    secret=PRINTABLE,
)
def test_sigv4_equals_botocore(service, path, query, headers, body, token, method, secret):
    request = Request(method, "example.amazonaws.com:8443", path, query, headers, body)
    url = f"https://{request.host}{request.target}"
    theirs = AWSRequest(method, url, headers=dict(headers), data=body)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Theirs("AKID", secret, token or None), service, "eu-west-1").add_auth(theirs)
    stamp = theirs.context["timestamp"]

    ours = sign(request, Credentials("AKID", secret, token), "eu-west-1", service, stamp)

    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours.get("x-amz-security-token", "") == token


def test_secrets_do_not_show():
    assert "hush" not in repr(Credentials("AKID", "hush", "hush"))
