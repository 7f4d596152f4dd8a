"""The API on an embedded AWS, open to all, with one released model whose plan is written by hand:
no run was needed for it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from driftloop import keys
from driftloop.aws import clients
from driftloop.aws.registry import Registry
from driftloop.aws.store import Store
from driftloop.aws.table import Write
from driftloop.card import card, markdown
from driftloop.ledger import Audit
from driftloop.plan.schema import digest, dump
from driftloop.register import card_key, version
from driftloop.route import Served, first
from driftloop.spec import Spec
from infra.local import Local
from tests.conftest import WORLDS, Synth
from tests.driftloop.plans import plan
from tests.driftloop.test_register import REPORT, STATE

ORIGIN = "https://shop.example.com"
NOW = "2013-02-01T00:00:00.000Z"
SPEC = """
name: flights
description: Flights that are late, as far as <b>one</b> can know.
task: classification
target: late
time: sched_dep
key: flight_id
features:
  hour: {type: number, min: 0, max: 23}
  carrier: {type: category}
  temp: {type: number, nullable: true}
capture: {sample: 0}  # thousands of requests come, and labels by key would look through them all
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def document(self) -> Any:
        """Refuses what is no JSON: NaN and the like."""
        return json.loads(self.text, parse_constant=lambda word: 1 / 0)


@dataclass
class Api:
    """The API as its callers meet it."""

    url: str
    local: Local

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """``headers``: ``content_type="text/csv"``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, named)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)

    def post(self, path: str, document: Any, **headers: str) -> Answer:
        headers = {"content_type": "application/json"} | headers
        return self.ask("POST", path, json.dumps(document).encode(), **headers)


@pytest.fixture(scope="package")
def api(synth: Synth, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    path = tmp_path_factory.mktemp("specs") / "flights.yaml"
    path.write_text(SPEC)
    dev = {
        "authorizer": "none",
        "public": ["health", "docs", "openapi"],
        "cors": {"origins": [ORIGIN], "max_age": 300},
        "throttling": {"rate": 5_000, "burst": 5_000},
    }
    assembly = synth(models=str(path), environments={"dev": dev})
    with Local(speed=0, start=datetime(2013, 2, 1, tzinfo=UTC)) as local:
        WORLDS.append(local)
        outputs = local.deploy(assembly.path)["driftloop-dev-platform"]
        release(local, Spec.load(path), outputs)
        found = Api(outputs["ApiUrl"], local)
        yield found
        found.close()


def release(local: Local, spec: Spec, outputs: Mapping[str, str]) -> None:
    """Version 1 as register and release leave it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": local.endpoint, "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        clients._client.cache_clear()
        found = json.loads(plan())
        found["model"]["background"] = [[1.0, 0.25, -0.5]]
        data = dump(found)
        candidate = {**STATE["candidate"], "plan_sha256": digest(data)}
        candidate["plan_key"] = keys.version_artefact(
            "flights", candidate["candidate"], "plan.json"
        )
        state = STATE | {"candidate": candidate}
        made = version(state, 1, spec, "code", {}, NOW)
        described = card(made, state, spec, REPORT)
        store, registry = Store(outputs["StoreBucket"]), Registry(outputs["RegistryTable"])
        store.put(made.plan_key, data)
        store.put(made.card_key, json.dumps(described).encode())
        written = card_key("flights", made.candidate, 1, "md")
        store.put(written, markdown(described).encode())
        pk, served = keys.model_pk("flights"), Served(1, made.plan_key, made.plan_sha256)
        registry.table.write(Write("Put", pk, keys.version_sk(1), made.to_item()))
        audit = Audit(NOW, "release", "test", "it is the first", None, 1, state["run"])
        registry.move_route("flights", None, first(served, NOW), audit)
    clients._client.cache_clear()
