"""The API's page: what it says fits who may call, and its lines can be copied as they are."""

import json
import re
import shlex
from html import unescape

import pytest

from driftloop.openapi.examples import examples
from driftloop.pages import docs
from driftloop.pages.docs_clients import clients
from tests.driftloop.test_openapi import SERVICES, face, wide

IAM, JWT, OPEN = SERVICES


def odd():
    """A model whose names were chosen by somebody unfriendly."""
    found = wide()
    found["inputs"][0]["name"] = "<script>alert(1)</script>"
    found["inputs"][4]["allowed"] = ["it's", '"$HOME"', "`ls`", "</pre>"]
    return face(found, description="<img src=x onerror=alert(1)>")


def lines(page: str) -> list[list[str]]:
    """The shell's words of each line to copy."""
    return [
        shlex.split(unescape(p)) for p in re.findall(r'<pre class="line">(.*?)</pre>', page, re.S)
    ]


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.access)
def test_nothing_of_a_model_becomes_html_or_leaves_its_quotes(service):
    page = docs.html(service, [odd()])
    assert not [tag for tag in ("<script>alert", "<img", "</pre></pre>") if tag in page]
    *shapes, _labels = lines(page)
    wanted = examples(odd())
    assert len(shapes) == len(wanted)
    for words, (shape, sent) in zip(shapes, wanted.items(), strict=True):
        body = words[words.index("--data-binary") + 1]
        assert (body if shape == "csv" else json.loads(body)) == sent
        kind = "text/csv" if shape == "csv" else "application/json"
        assert f"content-type: {kind}" in words
        assert words[-1] == f"{service.url}/models/flights/predict"


def test_a_line_carries_what_the_authoriser_wants():
    iam, jwt, bare = (lines(docs.html(service, [face()]))[0] for service in SERVICES)
    assert iam[iam.index("--aws-sigv4") + 1] == "aws:amz:eu-west-1:execute-api"
    assert "x-amz-security-token: $AWS_SESSION_TOKEN" in iam
    assert "authorization: Bearer $TOKEN" in jwt
    assert not {"--aws-sigv4", "--user"} & {*jwt, *bare} and "Bearer" not in " ".join(bare)


def test_the_form_is_there_where_a_browser_gets_in():
    iam, jwt, bare = (docs.html(service, [face()]) for service in SERVICES)
    assert "<form" not in iam and "<script" not in iam
    assert 'name="token"' in jwt and "<script>" in jwt
    assert "<form" in bare and 'name="token"' not in bare
    assert "<form" not in docs.html(OPEN, []) and "No model is released yet" in docs.html(OPEN, [])


def test_which_client_gets_in():
    def works(access):
        return {client for client, gets_in, _ in clients(access) if gets_in}

    assert works("iam") == {"driftloop.client", "curl"}
    assert works("jwt") == works("none") == works("iam") | {
        "MLflow", "KServe, Vertex AI", "a browser",
    }  # fmt: skip


def test_links_are_where_a_browser_may_go():
    assert f'href="{IAM.url}/health"' in docs.html(IAM, [])
    assert f'href="{IAM.url}/models"' not in docs.html(IAM, [])
    assert f'href="{OPEN.url}/models"' in docs.html(OPEN, [])
