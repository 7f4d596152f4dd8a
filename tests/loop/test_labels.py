"""Labels on the deployed loop: what found nothing is joined as windows close, and learned from."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import boto3

from driftloop import keys
from tests.loop.conftest import OPERATOR, Loop, instance, rows


def arrived(loop: Loop) -> dict[str, Any]:
    table = boto3.resource(
        "dynamodb", region_name="us-east-1", endpoint_url=loop.local.endpoint, **OPERATOR
    ).Table(loop.platform["RegistryTable"])
    item = table.get_item(Key={"pk": keys.data_pk("flights"), "sk": keys.DATA})["Item"]
    return dict(item)


def test_a_label_that_came_before_its_prediction_is_learned_from_without_a_new_file(
    loop: Loop,
) -> None:
    before = arrived(loop)
    assert before["rows"] > 0  # of the upload that the champion is from
    row = {**instance(rows(most=1)[0]), "flight_id": "seen-late"}
    told = {"labels": [{"key": "seen-late", "label": 1}]}
    assert loop.request("POST", "/models/flights/labels", told).body["unmatched"] == 1
    identity = loop.predict("flights", [row]).body["predictions"][0]["id"]
    loop.local.clock.advance(timedelta(days=1))
    loop.local.wait_idle(240)
    intakes = [key for key in loop.stored(keys.facts("flights")) if "/labels-" in key]
    parts = [part for key in intakes for part in json.loads(loop.store(key))["parts"]]
    sources = [loop.store(keys.joined_sources("flights", part["sha256"])) for part in parts]
    assert identity in b"".join(map(gzip.decompress, sources)).decode()
    loop.local.clock.advance(timedelta(days=1))  # its window closes: now it may be learned from
    loop.local.wait_idle(240)
    assert arrived(loop)["newest"] > before["newest"]
