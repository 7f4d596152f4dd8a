import json

import pytest

from driftloop.errors import NotFound
from driftloop.query import respond
from driftloop.register import version
from driftloop.route import Served, canary, first
from tests.driftloop.ledgers import at, spec
from tests.driftloop.test_register import STATE


class Shelf:
    def routes(self):
        return {"flights": self.route("flights")}

    def route(self, model):
        one, two = Served(1, "k", "s1"), Served(2, "k", "s2")
        return canary(first(one, at(0)), two, 0.1, at(1)) if model == "flights" else None

    def versions(self, model, limit=None):
        return (self.version(model, n) for n in (3, 2, 1))

    def version(self, model, number):
        if not 0 < number < 4:
            raise NotFound(f"model {model} has no version {number}")
        return version(STATE, number, spec(), "code", {}, at(0))

    def card(self, found):
        return {"version": found.version}


def get(path, method="GET"):
    response = respond(method, path, Shelf())
    assert response["statusCode"] == 200
    return json.loads(response["body"])


def test_health_asks_nobody():
    assert json.loads(respond("GET", "/health", None)["body"]) == {"status": "ok"}


def test_models_and_one_model():
    assert get("/models") == {"models": [{"model": "flights", "url": "/models/flights"}]}
    model = get("/models/flights")
    assert (model["champion"]["version"], model["challenger"]["version"]) == (1, 2)
    assert (model["share"], model["step"]) == (0.1, "canary")


def test_versions_and_one_version_with_its_card():
    found = get("/models/flights/versions")["versions"]
    assert [(v["version"], v["role"]) for v in found] == [
        (3, None), (2, "challenger"), (1, "champion"),
    ]  # fmt: skip
    one = get("/models/flights/versions/2")
    assert one["dataset"] == "d1" and one["card"] == {"version": 2} and one["role"] == "challenger"


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/", "Start at GET /models"),
        ("GET", "/models/trains", "there are: flights"),
        ("POST", "/models/trains/predict", "there are: flights"),
        ("POST", "/models/flights/predictt", "POST /models/flights/predict"),
        ("GET", "/models/flights/versions/9", "no version 9"),
        ("GET", "/models/flights/versions/x", "leads nowhere"),
        ("GET", "/models/flights/versions/" + "9" * 5000, "no version"),
        ("DELETE", "/models/flights", "leads nowhere"),
        ("GET", "/models/%F0%28/x", "no model"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_there_is(method, path, words):
    with pytest.raises(NotFound, match=words.replace("(", "\\(")):
        respond(method, path, Shelf())
