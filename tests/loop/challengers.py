"""Challengers made by hand, and a way to release them on a deployed loop without training any.

The plans are doctored copies of a plan of trees; the version that is registered for one says that
validation saw it answer like the champion, which is what a silently wrong one would have done.
"""

from __future__ import annotations

import http.client
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from driftloop import keys
from driftloop.aws.registry import Registry
from driftloop.aws.table import Write
from driftloop.plan import schema
from driftloop.run import Guard
from driftloop.spec import Spec
from driftloop.version import Version
from driftloop.when import iso
from infra.cli import target
from tests.loop.conftest import Loop

SLOW = 10_000  # trees that add nothing: some 6 ms a row on an idle core


def good(plan: bytes) -> bytes:
    """Answers almost the same."""
    return _changed(plan, start=0.01)


def slow(plan: bytes) -> bytes:
    """Answers the same, and walks thousands of trees for it."""
    found = json.loads(plan)
    number = next(i for i, item in enumerate(found["inputs"]) if item["type"] == "number")
    idle = {"input": [number, -1, -1], "right": [2, 0, 0], "missing_left": [0, 0, 0], "output": 0,
            "cover": None}  # fmt: skip
    # each at a place of its own, so that there are too many to be prepared for
    found["model"]["trees"] += [idle | {"at": [float(k), 0.0, 0.0]} for k in range(SLOW)]
    return schema.dump(found)


def erroring(plan: bytes) -> bytes:
    """Needs what no caller sends."""
    found = json.loads(plan)
    found["inputs"].append(number("only_in_training", nullable=False))
    return schema.dump(found)


def wrong(plan: bytes) -> bytes:
    """Answers quickly and surely the opposite (two classes) or the negative (a regression)."""
    return _changed(plan, sign=-1.0)


def number(name: str, nullable: bool = True) -> dict[str, Any]:
    return {"type": "number", "name": name, "nullable": nullable, "min": None, "max": None,
            "missing": None, "center": None, "scale": None}  # fmt: skip


def stumps(*names: str) -> bytes:
    """A plan of two classes that says "1" with 0.18 to 0.35, by its numbers."""
    tree = {"at": [0.5, -0.2, 0.2], "right": [2, 0, 0], "missing_left": [1, 0, 0], "output": 0,
            "cover": [5.0, 5.0]}  # fmt: skip
    return schema.dump({
        "format": schema.FORMAT, "task": "classification", "classes": ["0", "1"],
        "inputs": [number(name) for name in names], "precision": "float64", "interval": None,
        "model": {"kind": "trees", "link": "logistic", "start": [-1.1], "divide": 1,
                  "trees": [tree | {"input": [i, -1, -1]} for i in range(len(names))]},
    })  # fmt: skip


def _changed(plan: bytes, start: float = 0.0, sign: float = 1.0) -> bytes:
    found = json.loads(plan)
    model = found["model"]
    model["start"] = [sign * value + start for value in model["start"]]
    for tree in model["trees"]:
        tree["at"] = [sign * at if i < 0 else at
                      for i, at in zip(tree["input"], tree["at"], strict=True)]  # fmt: skip
    return schema.dump(found)


class Desk:
    """Registers and releases versions of one deployed model. A version number is the answer of
    :meth:`register`; the statuses are those of the deployed release function."""

    def __init__(self, loop: Loop, model: str) -> None:
        self.loop, self.model, self.runs = loop, model, 0
        self.function = f"driftloop-dev-{model}-release"

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in target.environment(self.loop.local.endpoint).items():
                patch.setenv(name, value)
            yield Registry(self.loop.platform["RegistryTable"])

    def register(self, plan: bytes, distance: bool = True) -> int:
        """A version of these bytes; with ``distance``, one that answered like the champion."""
        digest = schema.digest(plan)
        at = keys.version_artefact(self.model, digest[:16], "plan.json")
        with self.registry() as registry:
            last = next(registry.versions(self.model, limit=1), None)
            route = registry.route(self.model)
            made = last or self._blank(json.loads(plan)["classes"])
            like = {"champion": route.champion.version, "rows": 1000, "gap": 0.02, "shift": 0.01,
                    "scale": 1.0} if route and distance else None  # fmt: skip
            made = replace(
                made, version=last.version + 1 if last else 1, candidate=digest[:16], plan_key=at,
                plan_sha256=digest, run="by hand", distance=like, created=self.now(),
            )  # fmt: skip
            self._put(at, plan)
            sk = keys.version_sk(made.version)
            registry.table.write(Write("Put", keys.model_pk(self.model), sk, made.to_item()))
        return made.version

    def obey(self, spec: Mapping[str, Any]) -> None:
        """Let the release function obey another spec from now on, as a deployment would."""
        functions, zipped = self.loop.client("lambda"), io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("spec.json", Spec.parse(spec).to_json())
        layer = functions.publish_layer_version(
            LayerName=f"{self.model}-spec", Content={"ZipFile": zipped.getvalue()}
        )["LayerVersionArn"]
        now = functions.get_function_configuration(FunctionName=self.function)["Layers"]
        others = [known["Arn"] for known in now if f"{self.model}-spec" not in known["Arn"]]
        functions.update_function_configuration(FunctionName=self.function, Layers=[*others, layer])

    def start(self, version: int) -> dict[str, Any]:
        """Begin its release, as a run of its own that takes the lock."""
        self.runs += 1
        if not self.loop.local.clock.speed:
            self.loop.local.clock.advance(timedelta(seconds=1))  # so that the audit has an order
        run = f"manual-by-hand-{self.model}-{version}-{self.runs}"
        with self.registry() as registry:
            guard = registry.acquire(self.model, run, self.now())
        self.state = {"run": guard.run, "fence": guard.fence, "version": {"version": version}}
        step = self._invoke("start")
        if step["status"] != "baking":
            self.end()
        return step

    def send(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The answers to requests of one row each, all of which must be answered. The clock moves
        on every few of them, so that the endpoint looks for its route."""
        url, local = f"{self.loop.platform['ApiUrl']}/models/{self.model}/predict", self.loop.local
        parts, answers = urlsplit(url), []
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        for i, row in enumerate(rows):
            if i % 10 == 0:
                local.clock.advance(timedelta(seconds=11))
            body = json.dumps({"instances": [row]}).encode()
            request = AWSRequest("POST", url, {"content-type": "application/json"}, body)
            SigV4Auth(Credentials("test", "test"), "execute-api", "us-east-1").add_auth(request)
            connection.request("POST", parts.path, body, dict(request.headers.items()))
            answer = connection.getresponse()
            answers.append(json.loads(answer.read()))
            assert answer.status == 200, answers[-1]
        connection.close()
        local.wait_idle(60)
        return answers

    def observe(self) -> dict[str, Any]:
        """One look; the lock is given up when the release has ended."""
        step = self._invoke("observe")
        if step["status"] != "baking":
            self.end()
        return step

    def follow(self, step: dict[str, Any]) -> dict[str, Any]:
        """Look whenever it is time to, until the route has moved."""
        revision = step["revision"]
        while step["status"] == "baking" and step["revision"] == revision:
            self.loop.local.clock.advance(timedelta(seconds=step["wait_seconds"]))
            step = self.observe()
        return step

    def end(self) -> None:
        with self.registry() as registry:
            registry.free(self.model, Guard(self.state["run"], self.state["fence"]))

    def audit(self) -> list[Any]:
        """Newest first."""
        with self.registry() as registry:
            return list(registry.audit(self.model))

    def route(self) -> Any:
        with self.registry() as registry:
            return registry.route(self.model)

    def now(self) -> str:
        return iso(self.loop.local.clock.now())

    def _invoke(self, op: str) -> dict[str, Any]:
        event = {"op": op, "state": self.state, "now": self.now(), "execution": "by hand"}
        answer = self.loop.client("lambda").invoke(
            FunctionName=self.function, Payload=json.dumps(event)
        )
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"{found['errorType']}: {found['errorMessage']}")
        return found

    def _blank(self, classes: list[str] | None) -> Version:
        baseline = keys.version_artefact(self.model, "by-hand", "baseline.json")
        self._put(baseline, json.dumps({"classes": classes}).encode())
        return Version(
            version=0, candidate="", plan_key="", plan_sha256="", run="", cause="manual",
            dataset="", frame="", estimator="by hand", created="", spec_digest="", code_digest="",
            baseline_key=baseline,
        )  # fmt: skip

    def _put(self, key: str, data: bytes) -> None:
        bucket = self.loop.platform["StoreBucket"]
        self.loop.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
