"""The whole loop on one embedded AWS, from the synthesized template: flights, by Lambda and by
SageMaker. Its clock stands at the first of February 2013 and is moved by the tests."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from driftloop import keys
from infra.local import Local
from tests.conftest import WORLDS

ROOT = Path(__file__).resolve().parents[2]
FLIGHTS = ROOT / "infra" / "models" / "flights.yaml"
JANUARY = ROOT / "examples" / "flights" / "2013-01.csv.gz"
PROBATION = {
    "name": "probation",
    "task": "classification",
    "target": "late",
    "features": {"x": {"type": "number"}, "y": {"type": "number"}},
}
OPERATOR = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


class Loop:
    """One deployed world, as its users and operators see it."""

    def __init__(self, local: Local, outputs: dict[str, dict[str, str]]) -> None:
        self.local, self.outputs = local, outputs
        self.platform = outputs.get("driftloop-dev-platform", {})

    def client(self, service: Any) -> Any:
        return boto3.client(
            service, region_name="us-east-1", endpoint_url=self.local.endpoint, **OPERATOR
        )

    # --- data in -----------------------------------------------------------------------------

    def put(self, key: str, data: bytes) -> str:
        """Upload to the landing bucket and wait until nothing moves; returns the version id."""
        answer = self.client("s3").put_object(
            Bucket=self.platform["LandingBucket"], Key=key, Body=data
        )
        self.local.wait_idle(240)
        return str(answer["VersionId"])

    def upload(self, model: str, name: str, data: bytes) -> dict[str, Any]:
        """Upload rows on the next day, whose budget of runs is whole; returns the run."""
        self.local.clock.advance(timedelta(days=1))
        known = {run["run"] for run in self.runs(model)}
        self.put(keys.incoming(model, name), data)
        (run,) = [run for run in self.runs(model) if run["run"] not in known]
        return run

    # --- requests ----------------------------------------------------------------------------

    def request(
        self, method: str, path: str, document: Any = None, *, signed: bool = True,
        body: bytes | None = None,
    ) -> Answer:  # fmt: skip
        url = self.platform["ApiUrl"] + path
        data = body if body is not None else json.dumps(document).encode() if document else b""
        request = AWSRequest(method, url, {"content-type": "application/json"}, data)
        if signed:
            SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(request)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        connection.request(method, parts.path, data or None, dict(request.headers.items()))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.local.wait_idle(60)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, json.loads(text) if text else None)

    def predict(self, model: str, rows: list[dict[str, Any]], **how: Any) -> Answer:
        return self.request("POST", f"/models/{model}/predict", {"instances": rows}, **how)

    def send(self, model: str, rows: list[dict[str, Any]]) -> str:
        """Rows as a message of the model's queue; its id."""
        answer = self.client("sqs").send_message(
            QueueUrl=self.outputs[f"driftloop-dev-{model}"]["StreamUrl"],
            MessageBody=json.dumps({"instances": rows}),
        )
        self.local.wait_idle(60)
        return str(answer["MessageId"])

    # --- records -----------------------------------------------------------------------------

    def items(self, model: str, prefix: str, pk: str = "") -> list[dict[str, Any]]:
        table = boto3.resource(
            "dynamodb", region_name="us-east-1", endpoint_url=self.local.endpoint, **OPERATOR
        ).Table(self.platform["RegistryTable"])
        found = table.query(
            KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
            ExpressionAttributeValues={":pk": pk or keys.model_pk(model), ":sk": prefix},
            ConsistentRead=True,
        )
        return list(found["Items"])

    def runs(self, model: str) -> list[dict[str, Any]]:
        return sorted(self.items(model, keys.RUN), key=lambda run: str(run["started"]))

    def route(self, model: str) -> dict[str, Any]:
        (route,) = self.items(model, keys.ROUTE)
        return route

    def version(self, model: str, number: int) -> dict[str, Any]:
        (version,) = self.items(model, keys.version_sk(number))
        return version

    def store(self, key: str) -> bytes:
        found = self.client("s3").get_object(Bucket=self.platform["StoreBucket"], Key=key)
        data: bytes = found["Body"].read()
        return data

    def stored(self, prefix: str) -> dict[str, str]:
        """Keys under ``prefix`` with their ETags."""
        pages = (
            self.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self.platform["StoreBucket"], Prefix=prefix)
        )
        return {o["Key"]: o["ETag"] for page in pages for o in page.get("Contents", [])}


def rows(path: Path = JANUARY, most: int | None = None) -> list[dict[str, str]]:
    """Rows of a shipped month, as text."""
    with gzip.open(path, "rt", newline="") as file:
        found = list(csv.DictReader(file))
    return found[:most]


def instance(row: Mapping[str, str]) -> dict[str, Any]:
    """A row as a client sends it: features typed, missing as null, the key along, no label."""
    spec = yaml.safe_load(FLIGHTS.read_text())
    found: dict[str, Any] = {"flight_id": row["flight_id"]}
    for name, feature in spec["features"].items():
        text = row[name]
        number = feature["type"] == "number"
        found[name] = None if text == "" else float(text) if number else text
    return found


def as_csv(table: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()


@contextmanager
def deployed(assembly: Any, **clock: Any) -> Iterator[Loop]:
    """A world of ``assembly``; it ends any other of this process."""
    for other in WORLDS:
        other.stop()
    with Local(**clock) as local:
        WORLDS.append(local)
        yield Loop(local, local.deploy(assembly.path))


@pytest.fixture(scope="package")
def loop(synth: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """Three models deployed: ``flights`` answers messages too, and has a champion trained on the
    first 12,000 flights; ``probation`` has none, for versions made by hand
    (:mod:`tests.loop.challengers`)."""
    folder, spec = tmp_path_factory.mktemp("specs"), yaml.safe_load(FLIGHTS.read_text())
    first, other = folder / "flights.yaml", folder / "flights-sagemaker.yaml"
    first.write_text(yaml.safe_dump({**spec, "stream": {"retries": 1}}, sort_keys=False))
    spec |= {"name": "flights-sagemaker"}
    spec["training"] |= {"compute": "sagemaker"}
    other.write_text(yaml.safe_dump(spec, sort_keys=False))
    third = folder / "probation.yaml"
    third.write_text(yaml.safe_dump(PROBATION, sort_keys=False))
    environments = json.loads((ROOT / "cdk.json").read_text())["context"]["environments"]
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/driftloop:1"
    # The first upload has a megabyte, and is large.
    environments["dev"] |= {"sagemaker": {"image": image}, "piece_bytes": 256 << 10}
    assembly = synth(models=f"{first},{other},{third}", environments=environments)
    with deployed(assembly, speed=0, start=datetime(2013, 2, 1, tzinfo=UTC)) as world:
        world.upload("flights", "first.csv", as_csv(rows(most=12_000)))
        yield world
