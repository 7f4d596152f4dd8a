"""What there is to know of models, over the wire."""

from __future__ import annotations

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from infra.local.deployed import Deployed
from infra.local.permissions import check
from tests.api.conftest import ORIGIN, Api


def test_everything_that_can_be_read_is_there(api: Api) -> None:
    (model,) = api.ask("GET", "/models").document["models"]
    found = api.ask("GET", model["links"]["self"]).document
    assert (found["model"], found["route"]["champion"]) == ("flights", 1)
    answer = api.post(found["links"]["predict"], found["example"])
    assert (answer.status, answer.document["version"]) == (200, 1)
    (listed,) = api.ask("GET", found["links"]["versions"]).document["versions"]
    assert listed["role"] == "champion"
    path = "/models/flights/versions/1"
    assert api.ask("GET", path).document["links"]["card"] == f"{path}/card"
    assert api.ask("GET", f"{path}/card").document["target"] == "late"
    page = api.ask("GET", f"{path}/card", accept="text/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "as far as &lt;b&gt;one&lt;/b&gt;" in page.text


def test_the_document_is_openapi_and_names_where_it_is(api: Api) -> None:
    found = api.ask("GET", "/openapi.json").document
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert found["servers"] == [{"url": api.url}]
    assert found["components"]["schemas"]["flights.row"]["required"] == ["hour", "carrier"]
    assert found == api.ask("GET", "/models/flights/openapi.json").document


def test_the_page_can_be_read_and_asks_the_model_itself(api: Api) -> None:
    page = api.ask("GET", "/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<form action="{api.url}/models/flights/predict"' in page.text
    assert "<b>one</b>" not in page.text
    # nothing is fetched from elsewhere
    assert not [word for word in ("src=", "@import", "<link") if word in page.text]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/models/trains", 404),
        ("POST", "/models/trains/predict", 404),
        ("GET", "/models/flights/versions/9", 404),
        ("GET", "/models/flights/versions/x/card", 404),
        ("GET", "/models/flights/predict", 405),
        ("DELETE", "/models/flights", 405),
        ("POST", "/docs", 405),
    ],
)
def test_what_is_not_there_is_a_problem_document(
    api: Api, method: str, path: str, status: int
) -> None:
    answer = api.ask(method, path)
    assert answer.status == answer.document["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("allow" in answer.headers) == (status == 405)


def test_head_is_get_without_a_body(api: Api) -> None:
    answer = api.ask("HEAD", "/models/flights")
    assert (answer.status, answer.text) == (200, "")


def test_a_page_of_an_allowed_site_may_call_and_of_others_not(api: Api) -> None:
    asked = {
        "access_control_request_method": "POST", "access_control_request_headers": "content-type",
    }  # fmt: skip
    answer = api.ask("OPTIONS", "/models/flights/predict", origin=ORIGIN, **asked)
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-max-age"] == "300"
    called = api.post("/models/flights/predict", {"instances": [{}]}, origin=ORIGIN)
    assert called.headers["access-control-allow-origin"] == ORIGIN
    assert "x-driftloop-version" in called.headers["access-control-expose-headers"]
    for other in ("https://evil.example.com", "null"):
        answer = api.ask("OPTIONS", "/models/flights/predict", origin=other, **asked)
        assert "access-control-allow-origin" not in answer.headers


def test_law_9_the_registry_is_never_read_whole(api: Api) -> None:
    """And reading takes no right that the query function's role has not."""
    api.ask("GET", "/models")
    calls = [c for c in api.local.calls() if "Query" in c.caller and "dynamodb" in c.action]
    assert {call.action for call in calls} == {"dynamodb:GetItem", "dynamodb:Query"}
    policies = Deployed(api.local.account, api.local.region).policies()
    assert [str(finding) for finding in check(api.local.calls(), policies)] == []
