"""Our own client, signing, on the deployed loop."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

from driftloop.client import Credentials, Endpoint, Refused
from tests.loop.conftest import Loop, instance, rows


@pytest.fixture
def endpoint(loop: Loop) -> Iterator[Endpoint]:
    url = loop.platform["ApiUrl"] + "/models/flights"
    keys = Credentials("test", "test")
    with Endpoint(url, region="us-east-1", credentials=keys) as endpoint:
        yield endpoint


def test_predictions_and_what_became_of_them(loop: Loop, endpoint: Endpoint) -> None:
    asked = rows(most=3)
    frame = pd.DataFrame([instance(row) for row in asked])
    frame.index = pd.Index(frame["flight_id"])
    answer = endpoint.predict(frame)
    assert list(answer.index) == [row["flight_id"] for row in asked]
    assert answer["probability"].between(0, 1).all()
    assert [p["probability"] for p in endpoint.predict(frame.to_dict("records"))] == (
        answer["probability"].tolist()
    )
    loop.local.wait_idle(60)  # until the captures have been kept
    told = pd.DataFrame({"id": answer["id"], "label": [row["late"] for row in asked]})
    assert endpoint.labels(told)["matched"] == 3


def test_the_model_tells_what_it_takes(endpoint: Endpoint) -> None:
    assert endpoint.model()["model"] == "flights"


def test_a_signature_that_is_wrong_is_refused(endpoint: Endpoint) -> None:
    keys = Credentials("test", "wrong")
    with (
        Endpoint(endpoint.url, region="us-east-1", credentials=keys) as wrong,
        pytest.raises(Refused, match="403: Forbidden"),
    ):
        wrong.predict({"hour": 1})
