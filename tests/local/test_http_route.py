"""Route selection of an HTTP API."""

import pytest

from infra.local.http_route import RouteKey, RouteKeyRefused, choose

# The example of AWS's own page on routes, and a few of ours.
KEYS = [
    RouteKey(text)
    for text in (
        "$default",
        "ANY /{proxy+}",
        "GET /pets/{proxy+}",
        "GET /pets/dog/{id}",
        "GET /pets/dog/1",
        "ANY /pets/cat",
        "POST /models/flights/predict",
        "POST /models/{model}/labels",
    )
]


@pytest.mark.parametrize(
    ("request_line", "key", "parameters"),
    [
        ("GET /pets/dog/1", "GET /pets/dog/1", {}),
        ("GET /pets/dog/2", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET /pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("GET /pets/cat", "ANY /pets/cat", {}),
        ("POST /test/5", "ANY /{proxy+}", {"proxy": "test/5"}),
        ("POST /models/flights/predict", "POST /models/flights/predict", {}),
        ("POST /models/fish/labels", "POST /models/{model}/labels", {"model": "fish"}),
        ("GET /models/flights/predict", "ANY /{proxy+}", {"proxy": "models/flights/predict"}),
        ("GET /", "$default", {}),
    ],
)
def test_the_most_specific_route_answers(
    request_line: str, key: str, parameters: dict[str, str]
) -> None:
    method, path = request_line.split()
    chosen = choose(reversed(KEYS), method, path)
    assert chosen == (RouteKey(key), parameters)


def test_without_a_default_nothing_may_match() -> None:
    assert choose([RouteKey("GET /a")], "GET", "/b") is None
    assert choose([RouteKey("GET /a")], "POST", "/a") is None
    assert choose([RouteKey("GET /a/{b}")], "GET", "/a/") is None


@pytest.mark.parametrize("key", ["GET", "FETCH /a", "GET a", "GET /a{b}", "GET /{a+}/b"])
def test_a_wrong_route_key_is_refused(key: str) -> None:
    with pytest.raises(RouteKeyRefused):
        RouteKey(key)
