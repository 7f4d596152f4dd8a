"""Rows of any shape go out as the endpoint wants them, and come back in the shape they had."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from driftloop.client import BadRequest, Endpoint, Refused
from tests.conftest import ROOT

PREDICTION = {"value": 1, "version": 3, "probabilities": {"a": 0.25, "b": 0.75}}


def sent(server):
    return [document["instances"] for *_, document in server.seen]


def test_a_dict_gets_one_prediction_and_a_list_a_list(server):
    with Endpoint(server.url) as endpoint:
        assert endpoint.predict({"x": 1}) == {"id": "id-0", **PREDICTION}
        assert [p["value"] for p in endpoint.predict([{"x": 1}, {"x": 2}])] == [1, 2]
        assert endpoint.predict([]) == []
    assert sent(server) == [[{"x": 1}], [{"x": 1}, {"x": 2}]]


def test_the_url_may_be_the_one_to_predict_at(server):
    for url in (server.url + "/", server.url + "/predict"):
        with Endpoint(url) as endpoint:
            endpoint.predict({"x": 1})
    assert {path for _, path, *_ in server.seen} == {"/models/m/predict"}


def test_a_frame_gets_a_frame_of_the_same_index(server):
    frame = pd.DataFrame(
        {
            "x": np.array([1.5, np.nan, 3.0], dtype="float32"),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "kind": pd.Categorical(["a", None, "b"]),
            "at": pd.to_datetime(["2013-02-01T00:00", None, "2013-02-03T10:00"]),
            "flag": [True, False, True],
            "mixed": [np.int8(4), pd.NA, "text"],
        },
        index=["one", "two", "three"],
    )
    with Endpoint(server.url) as endpoint:
        answer = endpoint.predict(frame)
    assert list(answer.index) == ["one", "two", "three"]
    assert list(answer) == ["id", "value", "probabilities.a", "probabilities.b", "version"]
    assert answer["probabilities.b"].tolist() == [0.75] * 3
    assert sent(server) == [
        [
            {"x": 1.5, "n": 1, "kind": "a", "at": "2013-02-01T00:00:00", "flag": True, "mixed": 4},
            {"x": None, "n": None, "kind": None, "at": None, "flag": False, "mixed": None},
            {"x": 3.0, "n": 3, "kind": "b", "at": "2013-02-03T10:00:00", "flag": True,
             "mixed": "text"},
        ]
    ]  # fmt: skip


def test_a_frame_without_rows_asks_nobody(server):
    with Endpoint(server.url) as endpoint:
        assert len(endpoint.predict(pd.DataFrame({"x": []}))) == 0
    assert not server.seen


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([{"x": 1}, {"x": float("inf")}], r"instances\[1\]\.x: is inf"),
        ({"x": {1, 2}}, r"instances\[0\]\.x: set has no form"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "two columns 'x'"),
    ],
)
def test_what_json_cannot_say_is_refused_before_it_is_sent(server, rows, where):
    with Endpoint(server.url) as endpoint, pytest.raises(BadRequest, match=where):
        endpoint.predict(rows)
    assert not server.seen


def test_rows_that_are_none_are_refused(server):
    with Endpoint(server.url) as endpoint, pytest.raises(TypeError, match="not str"):
        endpoint.predict("x")


def test_many_rows_go_in_several_requests(server):
    rows = [{"x": i} for i in range(2_300)]
    with Endpoint(server.url) as endpoint:
        assert [p["value"] for p in endpoint.predict(rows)] == list(range(2_300))
        assert [len(asked) for asked in sent(server)] == [1000, 1000, 300]
        server.seen.clear()
        endpoint.predict(rows[:120], explain=True)
    assert [len(asked) for asked in sent(server)] == [100, 20]
    assert {str(document["parameters"]) for *_, document in server.seen} == {"{'explain': True}"}


def test_a_request_too_large_is_halved(server):
    def small(body):
        asked = body["instances"]
        too_large = (413, {"title": "Content Too Large", "detail": "send less"})
        return predictions(body) if len(asked) <= 3 and asked[0]["x"] != 9 else too_large

    predictions, server.usual = server.usual, small
    with Endpoint(server.url) as endpoint:
        assert [p["value"] for p in endpoint.predict([{"x": i} for i in range(9)])] == [*range(9)]
        with pytest.raises(Refused, match="413: send less"):
            endpoint.predict([{"x": 9}])


def test_a_refusal_names_the_row_as_the_caller_counts(server):
    message = "instances[7].hour: should be a number"
    problem = {"detail": message, "errors": [{"field": "instances[7].hour", "message": message}]}
    with Endpoint(server.url) as endpoint:
        server.answers = [server.usual({"instances": [{"x": 0}] * 1000}), (400, problem)]
        with pytest.raises(Refused, match=r"400: instances\[1007\]\.hour: should") as caught:
            endpoint.predict([{"x": 1}] * 1500)
    assert caught.value.status == caught.value.http_status == 400
    assert caught.value.errors[0]["field"] == "instances[1007].hour"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((403, {"message": "Forbidden"}), "403: Forbidden$"),
        ((502, b"<html>"), "502: <html>"),
        ((200, b"<html>"), "not as the endpoint of a model"),
    ],
)
def test_whoever_answers_is_quoted(server, answer, said):
    server.answers = [answer]
    with Endpoint(server.url, retries=0) as endpoint, pytest.raises(Refused, match=said):
        endpoint.predict({"x": 1})


def test_labels_are_told_and_counted(server):
    server.usual = lambda body: (200, {"labels": len(body["labels"]), "matched": 1, "part": "p"})
    with Endpoint(server.url) as endpoint:
        frame = pd.DataFrame({"id": ["a", None], "key": [None, "k"], "label": [1, 0]})
        assert endpoint.labels(frame) == {"labels": 2, "matched": 1}
        many = [{"id": "a", "label": "1"}] * 10_001
        assert endpoint.labels(many) == {"labels": 10_001, "matched": 2}
    told = [document["labels"] for *_, document in server.seen]
    assert told[0] == [{"id": "a", "label": 1}, {"key": "k", "label": 0}]
    assert [len(labels) for labels in told] == [2, 10_000, 1]


def test_the_model_tells_of_itself(server):
    server.usual = lambda body: (200, {"model": "m"})
    with Endpoint(server.url) as endpoint:
        assert endpoint.model() == {"model": "m"}
    assert server.seen[0][:2] == ("GET", "/models/m")


def test_threads_share_an_endpoint(server):
    with Endpoint(server.url) as endpoint, ThreadPoolExecutor(4) as pool:
        values = pool.map(lambda x: endpoint.predict({"x": x})["value"], range(40))
        assert list(values) == list(range(40))


def test_the_client_needs_the_standard_library_alone():
    """Isolated, without site-packages: nothing else is there to be imported."""
    code = f"""import sys; sys.path.insert(0, {str(ROOT / "layers" / "driftloop" / "python")!r})
from driftloop.client import Endpoint
print(Endpoint("https://x.execute-api.eu-west-1.amazonaws.com/models/m", "token"))"""
    done = subprocess.run([sys.executable, "-ISc", code], capture_output=True, text=True)
    assert done.stdout.startswith("Endpoint('https://x"), done.stderr
