"""An upload alone makes a model that answers."""

from __future__ import annotations

import json
import math

from tests.loop.conftest import Loop, instance, rows


def test_an_upload_ends_in_a_released_version(loop: Loop) -> None:
    first = loop.runs("flights")[0]
    assert (first["cause"], first["status"], first["outcome"]) == (
        "upload", "SUCCEEDED", "released",
    )  # fmt: skip
    assert first["rows"]["accepted"] + first["rows"]["rejected"] == 12_000
    version = loop.version("flights", 1)
    assert version["run"] == first["run"]
    assert json.loads(loop.store(version["card_key"]))["version"] == 1


def test_law_6_the_route_names_what_is_in_the_store(loop: Loop) -> None:
    """The champion of the route is a registered version whose plan is there, byte for byte."""
    import hashlib

    champion = loop.route("flights")["champion"]
    version = loop.version("flights", int(champion["version"]))
    assert champion["sha256"] == version["plan_sha256"]
    assert hashlib.sha256(loop.store(champion["key"])).hexdigest() == champion["sha256"]


def test_a_signed_request_is_answered(loop: Loop) -> None:
    answer = loop.predict("flights", [instance(row) for row in rows(most=3)])
    assert answer.status == 200
    assert answer.body["model"] == "flights"
    assert len(answer.body["predictions"]) == 3
    for prediction in answer.body["predictions"]:
        assert 0 < prediction["probability"] < 1
        assert prediction["value"] in ("0", "1", 0, 1)


def test_law_9_an_unsigned_request_is_not(loop: Loop) -> None:
    """Nobody gets in without a signature; health is the one exception the setting opens."""
    rows_ = [instance(row) for row in rows(most=1)]
    assert loop.predict("flights", rows_, signed=False).status == 403
    for path in ("/models", "/models/flights", "/models/flights/versions"):
        assert loop.request("GET", path, signed=False).status == 403
    assert loop.request("GET", "/health", signed=False).status == 200


def test_an_unknown_model_is_404(loop: Loop) -> None:
    answer = loop.request("POST", "/models/nobody/predict", {"instances": [{}]})
    assert answer.status == 404
    assert "nobody" in json.dumps(answer.body)


def test_a_request_over_the_limit_is_413(loop: Loop) -> None:
    body = b'{"instances": [' + b'{"hour": 1},' * 600_000 + b'{"hour": 1}]}'
    assert loop.request("POST", "/models/flights/predict", body=body).status == 413


def test_a_bad_request_names_the_field(loop: Loop) -> None:
    row = instance(rows(most=1)[0])
    for field, value in (("hour", "noon"), ("hour", 25), ("hour", None), ("origin", "LAX")):
        answer = loop.predict("flights", [row, row | {field: value}])
        assert answer.status == 400, (field, value)
        assert [error["field"] for error in answer.body["errors"]] == [f"instances[1].{field}"]


def test_law_10_no_trap_of_json_gets_through(loop: Loop) -> None:
    """NaN, infinities and numbers without end are refused, never computed with."""
    whole = json.dumps({"instances": [instance(rows(most=1)[0]) | {"temp": 0.5}]})
    for trap in ("NaN", "Infinity", "-Infinity", "1e999"):
        body = whole.replace('"temp": 0.5', f'"temp": {trap}').encode()
        answer = loop.request("POST", "/models/flights/predict", body=body)
        assert answer.status == 400, trap
    answer = loop.request("POST", "/models/flights/predict", body=whole.encode())
    assert math.isfinite(answer.body["predictions"][0]["probability"])


def test_the_versions_can_be_read(loop: Loop) -> None:
    assert any(m["model"] == "flights" for m in loop.request("GET", "/models").body["models"])
    found = loop.request("GET", "/models/flights/versions").body["versions"]
    assert found[0]["version"] >= 1
    card = loop.request("GET", "/models/flights/versions/1").body
    assert card["version"] == 1 and card["metrics"]["roc_auc"] > 0.5
    assert loop.request("GET", "/models/flights/versions/99").status == 404


def test_predictions_are_captured(loop: Loop) -> None:
    answer = loop.predict("flights", [instance(row) for row in rows(most=5)])
    import gzip

    ids = {prediction["id"] for prediction in answer.body["predictions"]}
    lines = [
        json.loads(line)
        for key in loop.stored("flights/captures/version=")
        for line in gzip.decompress(loop.store(key)).splitlines()
    ]
    captured = {line["id"]: line for line in lines}
    assert ids <= captured.keys()
    one = captured[sorted(ids)[0]]
    assert one["features"]["carrier"] and "late" not in one["features"]
