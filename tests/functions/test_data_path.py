"""The handlers of the data's way, over AWS's own wire shapes (moto): upload in, judgement out."""

from __future__ import annotations

import base64
import gzip
import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from driftloop import ids, keys
from driftloop.arrived import Arrived
from driftloop.aws import clients
from driftloop.aws.registry import Registry
from driftloop.baseline import baseline
from driftloop.capture_lines import Captured, lines
from driftloop.errors import UnreadableFile
from driftloop.frame import Frame
from driftloop.spec import Spec

CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn", aws_request_id="r"
)
SPEC = Spec.parse(
    {
        "name": "toy",
        "task": "classification",
        "target": "y",
        "key": "id",
        "features": {"x": {"type": "number"}, "c": {"type": "category"}},
        "monitor": {"min_rows": 100, "performance": {"metric": "log_loss"}},
    }
)
MS = 1_359_680_400_000  # 2013-02-01T01:00Z
Call = Callable[[str, dict[str, Any]], dict[str, Any]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Call]:
    """Call a function's handler in an account with its buckets and table."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DRIFTLOOP_ENV": "dev",
        "DRIFTLOOP_MODEL": "toy",
        "DRIFTLOOP_STORE": "store",
        "DRIFTLOOP_LANDING": "landing",
        "DRIFTLOOP_TABLE": "registry",
        "POWERTOOLS_SERVICE_NAME": "toy",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    (tmp_path / "spec.json").write_bytes(SPEC.to_json())
    with mock_aws():
        clients._client.cache_clear()
        s3 = boto3.client("s3")
        for bucket in ("landing", "store"):
            s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        boto3.client("dynamodb").create_table(
            TableName="registry",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"},
                       {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"},
                                  {"AttributeName": "sk", "AttributeType": "S"}],
        )  # fmt: skip

        def run(stage: str, event: dict[str, Any]) -> dict[str, Any]:
            module = importlib.import_module(f"functions.{stage}.handler")
            monkeypatch.setattr(module, "spec_path", lambda: tmp_path / "spec.json")
            answer: dict[str, Any] = json.loads(json.dumps(module.handler(event, CONTEXT)))
            return answer

        yield run
        clients._client.cache_clear()


def put(key: str, data: bytes, bucket: str = "landing") -> dict[str, Any]:
    made = boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=data)
    return {"bucket": bucket, "key": key, "version_id": made["VersionId"], "size": len(data)}


def stored(prefix: str) -> list[str]:
    found = boto3.client("s3").list_objects_v2(Bucket="store", Prefix=prefix)
    return [entry["Key"] for entry in found.get("Contents", ())]


def rows(n: int = 300) -> bytes:
    return b"id,x,c,y\n" + b"".join(
        b"k%d,%d.5,%s,%d\n" % (i, i % 50, b"ab"[i % 2 : i % 2 + 1], i % 3 == 0) for i in range(n)
    )


def state(*uploads: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "op": "x",
        "now": "2013-02-01T00:00:05Z",
        "state": {"run": "upload-1-1", "now": "2013-02-01T00:00:00Z", "uploads": uploads, **more},
    }


def register(version: int = 1) -> None:
    """A champion with a baseline, as register and release leave it."""
    import numpy as np

    n = 2000
    frame = Frame(
        {"x": np.arange(n) % 50 + 0.5, "c": (np.arange(n) % 2).astype(np.int32)},
        {"c": ["a", "b"]},
        (np.arange(n) % 3 == 0).astype(np.int32),
        ["0", "1"],
        np.arange(n) < 1500,
    )
    document = baseline(frame, np.full(500, 1 / 3), "log_loss", 0.6365, SPEC)
    put("toy/versions/abc/baseline.json", json.dumps(document.to_json()).encode(), "store")
    item = {
        "version": version, "candidate": "abc", "plan_key": "k", "plan_sha256": "s", "run": "r",
        "cause": "upload", "dataset": "d", "frame": "f", "estimator": "e",
        "created": "2013-02-01T00:00:00Z",
        "spec_digest": "s", "code_digest": "c", "baseline_key": "toy/versions/abc/baseline.json",
    }  # fmt: skip
    champion = {"version": version, "key": "k", "sha256": "s"}
    route = {"revision": 1, "champion": champion, "since": "t", "step": "steady"}
    table = boto3.resource("dynamodb").Table("registry")
    pk = keys.model_pk("toy")
    table.put_item(Item={"pk": pk, "sk": keys.version_sk(version), **item})
    table.put_item(Item={"pk": pk, "sk": keys.ROUTE, **route})


def serve(n: int = 200) -> tuple[list[str], str]:
    """Prediction ids, and the log batch that carries their captures."""
    names = ids.prediction_ids("r1", MS, n)
    sent = [[i % 50 + 0.5, "ab"[i % 2], f"k{i}"] for i in range(n)]
    told = lines(
        Captured("toy", 1, "champion", MS, "r1", ["x", "c", "id"], names, sent, [1 / 3] * n), 1.0
    )
    batch = {
        "messageType": "DATA_MESSAGE",
        "logEvents": [{"id": f"{i:056d}", "message": m} for i, m in enumerate(told)],
    }
    return names, base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()


def test_an_upload_becomes_a_frame(call: Call) -> None:
    upload = put("incoming/toy/a.csv", rows())
    put("incoming/toy/a.csv", b"overwritten meanwhile")  # the event's version is what counts
    taken = call("ingest", state(upload))
    assert (taken["accepted"], taken["rejected"], taken["refused"]) == (300, 0, [])
    assert call("ingest", state(upload)) == taken
    made = call("prepare", state(ingest=taken))
    assert made["rows"] == 300 and made["classes"] == ["0", "1"]
    body = boto3.client("s3").get_object(Bucket="store", Key=made["key"])["Body"].read()
    assert Frame.from_bytes(body).rows == 300


def as_parquet(text: bytes) -> bytes:
    """Rows of CSV, as text, fifty to a row group."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    header, *lines = [line.split(",") for line in text.decode().splitlines()]
    out = io.BytesIO()
    columns = [list(column) for column in zip(*lines, strict=True)]
    pq.write_table(pa.table(columns, names=header), out, row_group_size=50)
    return out.getvalue()


@pytest.mark.parametrize("form", [bytes, gzip.compress, as_parquet])
def test_a_large_upload_is_checked_in_pieces_and_merged(
    form: Callable[[bytes], bytes], call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the state machine has it: items are read from the store, answers go on with the state."""
    monkeypatch.setenv("DRIFTLOOP_PIECE", "2000")
    upload = put("incoming/toy/a", form(rows() + b"k1,1.5,a,0\nk999,x,a,1\n"))
    given = state(upload)
    taken = call("ingest", given)
    assert taken["pieces"] > 1 and taken["items"].startswith("toy/pieces/upload-1-1/")
    while taken["pieces"]:
        body = boto3.client("s3").get_object(Bucket="store", Key=taken["items"])["Body"].read()
        for item in json.loads(body):
            call("ingest", {"op": "check", "piece": item, "state": given["state"]})
        given["state"]["ingest"] = taken
        taken = call("ingest", {**given, "op": "merge"})
    assert (taken["accepted"], taken["rejected"], taken["refused"]) == (300, 2, [])
    assert call("prepare", state(ingest=taken))["rows"] == 300
    assert len(stored("toy/parts/")) == len(taken["parts"]) > 1


def test_a_folder_with_its_marker_is_one_upload(call: Call) -> None:
    header, *lines = rows().splitlines(keepends=True)
    for number in range(3):
        put(f"incoming/toy/d/{number}.csv", b"overwritten")
        put(f"incoming/toy/d/{number}.csv", header + b"".join(lines[number::3]))
    taken = call("ingest", state(put("incoming/toy/d/_SUCCESS", b"")))
    assert (taken["accepted"], taken["rejected"], len(taken["parts"])) == (300, 0, 3)


def test_a_refused_upload_ends_the_run_by_name(call: Call) -> None:
    sent = put("incoming/toy/a.csv", b"")
    with pytest.raises(UnreadableFile, match="empty"):
        call("ingest", state(sent))
    assert [key for key in stored("toy/quarantine/") if key.endswith(".original")]


def labelled(call: Call) -> dict[str, Any]:
    """What became of the truths of all that was served, handed in on the day after."""
    text = "id,y\n" + "".join(f"k{i},{int(i % 3 == 0)}\n" for i in range(200))
    sent = put("labels/toy/f.csv", text.encode())
    event = {
        "detail-type": "Object Created",
        "time": "2013-02-02T00:00:00Z",
        "detail": {
            "bucket": {"name": "landing"},
            "object": {"key": sent["key"], "version-id": sent["version_id"]},
        },
    }
    return call("labels", event)


def test_labels_before_their_window_is_judged_arrive_with_its_judgement(call: Call) -> None:
    """law_4: a run in between would learn nothing of them, and no alarm would ask again."""
    register()
    _, batch = serve()
    call("capture", {"awslogs": {"data": batch}})
    assert call("monitor", {"time": "2013-02-01T12:00:00Z"})["judged"] == []
    assert labelled(call)["gathered"][0]["new"] == 200
    assert Registry("registry").arrived("toy") is None
    assert call("monitor", {"time": "2013-02-02T03:00:00Z"})["judged"][0]["freed"] == 200
    assert Registry("registry").arrived("toy") == Arrived("2013-02-02T03:00:00.000Z", 200)


def test_served_rows_are_captured_labelled_and_judged(
    call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    register()
    names, batch = serve()
    assert call("capture", {"awslogs": {"data": batch}})["captured"] == 200
    report = labelled(call)
    joined = report["joined"]
    assert (joined["matched"], joined["unmatched"], report["error"]) == (200, 0, None)
    (gathered,) = report["gathered"]
    assert gathered["part"] in {Path(key).stem for key in stored("toy/parts/")}
    assert Registry("registry").arrived("toy") == Arrived("2013-02-02T00:00:00.000Z", 200)
    capsys.readouterr()
    judged = call("monitor", {"time": "2013-02-02T03:00:00Z"})["judged"]
    assert [(j["rows"], j["labelled"], j["status"]) for j in judged] == [(200, 200, "judged")]
    assert judged[0]["drift_ratio"] < 1 and judged[0]["performance_ratio"] < 1
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics = [line for line in emitted if "_aws" in line]
    assert metrics[0]["DriftRatio"] == judged[0]["drift_ratio"]
    assert metrics[0]["PerformanceRatio"] == judged[0]["performance_ratio"]
    assert Registry("registry").arrived("toy") == Arrived("2013-02-02T03:00:00.000Z", 200)
    assert call("monitor", {"time": "2013-02-02T04:00:00Z"})["judged"] == []
    assert Registry("registry").arrived("toy") == Arrived("2013-02-02T03:00:00.000Z", 200)
    assert [key for key in stored("toy/monitor/") if key.endswith(".html")]
    assert len(names) == 200


def test_a_refused_label_file_leaves_a_report(call: Call) -> None:
    register()
    sent = put("labels/toy/f.csv", b"")
    entry = {"key": sent["key"], "version-id": sent["version_id"]}
    detail = {"bucket": {"name": "landing"}, "object": entry}
    event = {"time": "2013-02-02T00:00:00Z", "detail": detail}
    assert call("labels", event)["error"]["name"] == "UnreadableFile"
    assert [key for key in stored("toy/quarantine/") if key.endswith(".report.json")]


def test_labels_by_post(call: Call) -> None:
    register()
    names, batch = serve()
    call("capture", {"awslogs": {"data": batch}})

    def post(body: str, encoded: bool = False) -> dict[str, Any]:
        about = {"timeEpoch": MS + 3_600_000}
        return call("labels", {"requestContext": about, "body": body, "isBase64Encoded": encoded})

    good = json.dumps({"labels": [{"id": names[0], "label": 1}, {"key": "k5", "label": "0"}]})
    answer = post(base64.b64encode(good.encode()).decode(), encoded=True)
    assert answer["statusCode"] == 200 and json.loads(answer["body"])["matched"] == 2
    for bad, field in (("{", None), ("{}", "labels"), ("[" * 100_000, None),
                       ('{"labels":[{"id":"x","label":1}]}', "labels[0].id")):  # fmt: skip
        refused = post(bad)
        assert refused["statusCode"] == 400
        errors = json.loads(refused["body"]).get("errors", [{"field": None}])
        assert errors[0]["field"] == field
