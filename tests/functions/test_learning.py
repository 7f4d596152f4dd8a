"""The handlers from frame to verdict, over AWS's own wire shapes (moto)."""

from __future__ import annotations

import importlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from driftloop import container, keys
from driftloop.aws import clients
from driftloop.aws.registry import Registry
from driftloop.aws.table import Write
from driftloop.errors import IntegrityError
from driftloop.route import Served, first
from driftloop.version import Version
from tests.driftloop.learning import frame_of, spec_of

SPEC = spec_of(
    gates={"metrics": {"roc_auc": ">= 0.6"}, "beats_champion": {"metric": "log_loss"}},
    training={"trials": 3, "seed": 3},
)
FRAME = "small/frames/abc.npz"
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="r"
)
Call = Callable[..., Any]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Call]:
    """Call a handler's operation as the state machine does, with a frame in the store."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DRIFTLOOP_STORE": "store",
        "DRIFTLOOP_TABLE": "registry",
        "DRIFTLOOP_CODE": "c0de",
        "POWERTOOLS_SERVICE_NAME": "small",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    (tmp_path / "spec.json").write_bytes(SPEC.to_json())
    with mock_aws():
        clients._client.cache_clear()
        boto3.client("s3").create_bucket(Bucket="store")
        boto3.client("s3").put_object(Bucket="store", Key=FRAME, Body=frame_of(800).to_bytes())
        boto3.client("dynamodb").create_table(
            TableName="registry",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"},
                       {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                                  {"AttributeName": "sk", "AttributeType": "S"}],
        )  # fmt: skip

        def run(stage: str, op: str, state: dict[str, Any], **more: Any) -> Any:
            module = importlib.import_module(f"functions.{stage}.handler")
            monkeypatch.setattr(module, "spec_path", lambda: tmp_path / "spec.json")
            event = json.loads(json.dumps({"op": op, "state": state, **more}))
            return json.loads(json.dumps(module.handler(event, CONTEXT)))

        yield run
    clients._client.cache_clear()


def stored() -> dict[str, bytes]:
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket="store")["Contents"]
    return {o["Key"]: s3.get_object(Bucket="store", Key=o["Key"])["Body"].read() for o in listed}


def chosen(call: Call) -> dict[str, Any]:
    """The state of a run after ChooseTrial."""
    state: dict[str, Any] = {
        "model": "small",
        "run": "upload-abc-1",
        "frame": {"key": FRAME, "train_rows": 600},
    }
    state["trials"] = call("tune", "propose", state)
    state["scores"] = [call("tune", "evaluate", state, trial=t) for t in state["trials"]]
    state["scores"][1] = {"trial": 1, "estimator": "e", "error": "States.Timeout"}
    state["choice"] = call("tune", "choose", state)
    return state


def test_law_2_both_branches_train_the_same_candidate_and_again_changes_nothing(call, tmp_path):
    state = chosen(call)
    assert len(state["trials"]) == 3 and state["choice"]["trial"] in (0, 2)
    on_lambda = call("train", "train", state)
    files = stored()
    assert call("train", "train", state) == on_lambda and stored() == files

    base = tmp_path / "ml"
    job = "small/runs/upload-abc-1/job/"
    for key, path in {
        FRAME: "input/data/training/abc.npz",
        f"{job}spec.json": "input/data/spec/spec.json",
        f"{job}choice.json": "input/data/spec/choice.json",
    }.items():
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).write_bytes(files[key])
    told = {"estimator": state["choice"]["estimator"], "seed": "3", "run": state["run"]}
    (base / "input/config").mkdir()
    (base / "input/config/hyperparameters.json").write_text(json.dumps(told))
    assert container.run(base) == 0
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(base / "model", arcname=".")
    boto3.client("s3").put_object(
        Bucket="store", Key=f"{job}output/j/model.tar.gz", Body=buffer.getvalue()
    )
    uri = f"s3://store/{job}output/j/model.tar.gz"
    state["job"] = {"ModelArtifacts": {"S3ModelArtifacts": uri}}
    assert call("train", "collect", state) == on_lambda


def test_a_candidate_is_judged_against_the_version_that_answers(call):
    state = chosen(call)
    state["candidate"] = call("train", "train", state)
    verdict = call("validate", "validate", state)
    assert verdict["accepted"] and verdict["champion"] is None
    report = json.loads(stored()[verdict["key"]])
    assert report["importance"] and report["metrics"] == verdict["metrics"]

    candidate = state["candidate"]
    served = Served(4, candidate["plan_key"], candidate["plan_sha256"])
    route = first(served, "2013-02-01T00:00:00.000Z")
    pk = keys.model_pk("small")
    Registry("registry").table.write(Write("Put", pk, keys.ROUTE, route.to_item()))
    verdict = call("validate", "validate", state)
    assert not verdict["accepted"] and verdict["champion"] == 4
    assert [r["gate"] for r in verdict["reasons"] if not r["passed"]] == ["beats_champion"]


def test_a_champion_is_recalibrated_in_either_branch(call, tmp_path):
    """A run of that mode has one trial, and its candidate goes the way of any other."""
    state = chosen(call)
    trained = call("train", "train", state)
    table, pk = Registry("registry").table, keys.model_pk("small")
    known = {**trained, "version": 4, "cause": "upload", "dataset": "d", "frame": "f",
             "run": "r", "created": "", "spec_digest": "", "code_digest": ""}  # fmt: skip
    version = Version.from_item(known)
    table.write(Write("Put", pk, keys.version_sk(4), version.to_item()))
    served = Served(4, trained["plan_key"], trained["plan_sha256"])
    table.write(Write("Put", pk, keys.ROUTE, first(served, "2013-02-01T00:00:00.000Z").to_item()))

    state |= {"mode": "recalibrate", "run": "drift-abc-1"}
    state["frame"]["classes"] = ["0", "1"]
    (trial,) = call("tune", "propose", state)
    state["scores"] = [call("tune", "evaluate", state, trial=trial)]
    state["choice"] = call("tune", "choose", state)
    state["candidate"] = call("train", "train", state)
    assert state["candidate"]["plan_sha256"] != trained["plan_sha256"]
    assert call("validate", "validate", state)["metrics"]["roc_auc"] > 0.6

    base, files, job = tmp_path / "ml", stored(), "small/runs/drift-abc-1/job/"
    (base / "input/data/training").mkdir(parents=True)
    (base / "input/data/training/abc.npz").write_bytes(files[FRAME])
    (base / "input/data/spec").mkdir()
    for key in (key for key in files if key.startswith(job)):
        (base / "input/data/spec" / key.removeprefix(job)).write_bytes(files[key])
    (base / "input/config").mkdir()
    (base / "input/config/hyperparameters.json").write_text("{}")
    assert container.run(base) == 0
    plan = (base / "model" / "plan.json").read_bytes()
    assert files[state["candidate"]["plan_key"]] == plan


def test_law_7_a_swapped_candidate_is_not_judged(call):
    state = chosen(call)
    state["candidate"] = {**call("train", "train", state), "plan_sha256": "0" * 64}
    with pytest.raises(IntegrityError, match="registry names"):
        call("validate", "validate", state)


def test_an_unknown_operation_is_named(call):
    for stage in ("tune", "train"):
        with pytest.raises(ValueError, match="no operation 'guess'"):
            call(stage, "guess", {})
