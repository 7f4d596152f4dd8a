import json
from dataclasses import replace

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from driftloop.card import card, markdown
from driftloop.errors import NotFound, WrongMethod
from driftloop.interface import Interface
from driftloop.openapi import Service
from driftloop.query import Request, respond
from driftloop.register import version
from driftloop.route import Paused, Served, challenged, first
from tests.driftloop.ledgers import at, spec
from tests.driftloop.plans import plan
from tests.driftloop.test_register import REPORT, STATE

SERVICE = Service("dev", "https://api.example.com")


class Shelf:
    """One model, whose second version is a challenger."""

    def routes(self):
        return {"flights": self.route("flights")}

    def route(self, model):
        one, two = Served(1, "k", "s1"), Served(2, "k", "s2")
        route = challenged(first(one, at(0)), two, 0.1, at(1))
        held = replace(route, paused=Paused("me", "a holiday", at(2)))
        return held if model == "flights" else None

    def versions(self, model, limit=None):
        return (self.version(model, n) for n in (3, 2, 1))

    def version(self, model, number):
        if not 0 < number < 4:
            raise NotFound(f"model {model} has no version {number}")
        return version(STATE, number, spec(), "code", {}, at(0))

    def interface(self, found):
        return Interface.of(plan(), self.card(found))

    def card(self, found):
        return card(found, STATE, spec(), REPORT)

    def card_text(self, found):
        return markdown(self.card(found))


def ask(path, method="GET", accept="*/*", service=SERVICE):
    return respond(Request(method, path, accept), Shelf(), service)


def get(path):
    response = ask(path)
    assert response["statusCode"] == 200
    return json.loads(response["body"])


def test_health_asks_nobody():
    response = respond(Request("GET", "/health"), None, SERVICE)
    assert json.loads(response["body"]) == {"status": "ok"}


def test_models_and_one_model():
    (listed,) = get("/models")["models"]
    assert (listed["model"], listed["route"]["share"]) == ("flights", 0.1)
    model = get("/models/flights")
    assert model["route"] == listed["route"] and model["links"] == listed["links"]
    assert (model["route"]["champion"], model["route"]["challenger"]) == (1, 2)
    assert (model["route"]["strategy"], model["route"]["step"]) == ("canary", 1)
    assert model["route"]["paused"]["reason"] == "a holiday"
    assert (model["version"]["version"], model["target"]) == (1, "late")
    assert model["schema"]["required"] == ["hour", "carrier"]
    (row,) = model["example"]["instances"]
    assert row.keys() == model["schema"]["properties"].keys()


def test_every_link_of_a_model_leads_somewhere():
    for name, path in get("/models/flights")["links"].items():
        method = "POST" if name in ("predict", "labels") else "GET"
        path = path.partition("#")[0]
        if method == "GET":
            assert ask(path)["statusCode"] == 200
        else:
            with pytest.raises(WrongMethod, match="is there for POST") as caught:
                ask(path)
            assert caught.value.allow == "POST"


def test_versions_and_one_version():
    found = get("/models/flights/versions")["versions"]
    assert [(v["version"], v["role"]) for v in found] == [
        (3, None), (2, "challenger"), (1, "champion"),
    ]  # fmt: skip
    one = get("/models/flights/versions/2")
    assert one["dataset"] == "d1" and one["role"] == "challenger"
    assert get(one["links"]["card"])["version"] == 2


def test_a_card_comes_as_it_is_accepted():
    path = "/models/flights/versions/3/card"
    for accept in ("", "*/*", "application/json"):
        assert json.loads(ask(path, accept=accept)["body"])["lineage"]["run"] == "upload-abc-1"
    written = ask(path, accept="text/markdown")
    assert written["headers"]["content-type"] == "text/markdown; charset=utf-8"
    assert written["body"].startswith("# flights, version 3\n")
    page = ask(path, accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert page["headers"]["content-type"] == "text/html; charset=utf-8"
    assert page["headers"]["vary"] == "accept"
    assert "<h1>flights, version 3</h1>" in page["body"]
    # a bar within a cell, headings, code, numbers beside each other
    for words in ("0.41 | beats 0.43", "<h2>Slices</h2>", "<code>d1</code>", "<td>0.43</td>"):
        assert words in page["body"]


def test_nothing_of_a_card_becomes_html():
    class Bad(Shelf):
        def card_text(self, found):
            return "# <b>x\n\n<script>1</script>\n\n| <i> | `<u>` |\n| --- | --- |\n| <i> | x |"

    request = Request("GET", "/models/flights/versions/3/card", "text/html")
    page = respond(request, Bad(), SERVICE)["body"]
    assert not [tag for tag in ("<b>x", "<script>", "<i>", "<u>") if tag in page]


def test_the_documents_are_there_and_one_models_own():
    whole, own = get("/openapi.json"), get("/models/flights/openapi.json")
    assert whole == own
    assert list(OpenAPIV31SpecValidator(whole).iter_errors()) == []
    page = ask("/docs")
    assert page["headers"]["content-type"] == "text/html; charset=utf-8"
    assert '<section id="flights">' in page["body"]


def test_head_is_get_without_a_body():
    for path in ("/health", "/models", "/models/flights"):
        assert ask(path, "HEAD") == ask(path) | {"body": ""}


def test_who_asks_before_a_call_learns_nothing():
    for path, allow in (
        ("/models/flights/predict", "POST, OPTIONS"),
        ("/models/nobody/predict", "POST, OPTIONS"),
        ("/models/nobody", "GET, HEAD, OPTIONS"),
        ("/nowhere", "OPTIONS"),
    ):
        response = respond(Request("OPTIONS", path), None, SERVICE)
        assert (response["statusCode"], response["body"]) == (204, "")
        assert response["headers"]["allow"] == allow


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/", "Start at GET /models"),
        ("GET", "/models/trains", "there are: flights"),
        ("POST", "/models/trains/predict", "there are: flights"),
        ("POST", "/models/flights/predictt", "POST /models/flights/predict"),
        ("GET", "/models/flights/versions/9", "no version 9"),
        ("GET", "/models/flights/versions/x", "leads nowhere"),
        ("GET", "/models/flights/versions/x/card", "leads nowhere"),
        ("GET", "/models/flights/versions/1/cards", "leads nowhere"),
        ("GET", "/models/flights/versions/" + "9" * 5000, "no version"),
        ("GET", "/models/flights/versions/²", "leads nowhere"),
        ("GET", "/models/%F0%28/x", "no model"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_there_is(method, path, words):
    with pytest.raises(NotFound, match=words.replace("(", "\\(")):
        ask(path, method)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/models/flights", "GET, HEAD"),
        ("POST", "/models", "GET, HEAD"),
        ("PUT", "/models/flights/versions/1/card", "GET, HEAD"),
        ("GET", "/models/flights/predict", "POST"),
    ],
)
def test_a_path_that_is_there_for_others_says_for_whom(method, path, allow):
    with pytest.raises(WrongMethod, match=f"there for {allow}, not for {method}") as caught:
        ask(path, method)
    assert caught.value.allow == allow
