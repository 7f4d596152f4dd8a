"""`driftloop batch`, as far as it decides by itself (moto in this process)."""

import json

import boto3
import pytest

from driftloop import keys
from driftloop.rejects.quarantine import upload_name
from infra.cli.app import run
from infra.cli.batch import _stem
from tests.infra.cli.conftest import stack

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:driftloop-dev-houses-batch"


@pytest.fixture
def houses(registry, tmp_path):
    """A model that scores files, and one of them, which S3 keeps without a version."""
    stack("driftloop-dev-houses", {"Model": "houses", "BatchMachineArn": MACHINE})
    (tmp_path / "rows.csv.gz").write_bytes(b"x")
    return upload_name("landing", keys.batch_file("houses", "rows.csv.gz"), "")


def left(batch, file, body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    boto3.client("s3").put_object(
        Bucket="store", Key=keys.predictions("houses", batch, file), Body=data
    )


def report(batch, **more):
    return {
        "rows": 3, "predicted": 2, "rejected": 1, "version": 4, "format": "csv", "error": None,
        "examples": [{"line": 3, "field": "x", "reason": "is required", "text": ""}],
        "predictions": keys.predictions("houses", batch, "predictions.csv"),
        "rejects": keys.predictions("houses", batch, "rejects.jsonl.gz"), **more,
    }  # fmt: skip


def test_what_came_of_a_file_is_fetched(houses, tmp_path, capsys):
    left(houses, "report.json", report(houses))
    left(houses, "predictions.csv", b"line\n2\n")
    left(houses, "rejects.jsonl.gz", b"packed")
    assert run(["batch", "houses", "rows.csv.gz"]) == 0
    assert (tmp_path / "rows.predictions.csv").read_bytes() == b"line\n2\n"
    assert (tmp_path / "rows.rejects.jsonl.gz").read_bytes() == b"packed"
    said = capsys.readouterr().out
    assert "2 of 3 rows predicted by version 4" in said and "line 3: x is required" in said
    assert run(["batch", "houses", "rows.csv.gz", "--out", "to/here.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["out"] == {
        "predictions": "to/here.csv", "rejects": "to/here.rejects.jsonl.gz",
    }  # fmt: skip


def test_a_line_that_is_no_row_has_no_field(houses, capsys):
    left(houses, "predictions.csv", b"line\n")
    left(houses, "rejects.jsonl.gz", b"packed")
    lost = [{"line": 3, "field": "", "reason": "2 fields, not 16", "text": "a,b"}]
    left(houses, "report.json", report(houses, examples=lost))
    assert run(["batch", "houses", "rows.csv.gz"]) == 0
    assert "  line 3: 2 fields, not 16" in capsys.readouterr().out


def test_a_file_of_which_no_row_is_predicted_came_out_badly(houses, capsys):
    left(houses, "predictions.csv", b"line\n")
    left(houses, "report.json", report(houses, predicted=0, rejected=0, rejects=None))
    assert run(["batch", "houses", "rows.csv.gz"]) == 1
    error = {"name": "WrongColumns", "message": "columns: missing 'x'"}
    left(houses, "report.json", {"error": error})
    assert run(["batch", "houses", "rows.csv.gz"]) == 1
    assert "refused WrongColumns: columns: missing 'x'" in capsys.readouterr().out


def test_what_cannot_be_asked_is_said_in_a_sentence(houses, tmp_path, capsys):
    (tmp_path / "_rows.csv").write_bytes(b"x")
    assert run(["batch", "houses", "_rows.csv"]) == 2
    assert run(["batch", "houses", "none.csv"]) == 2
    assert run(["batch", "flights", "rows.csv.gz"]) == 1
    said = capsys.readouterr().err
    assert "not taken for data" in said and "deploy it again" in said


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.jsonl", "rows.parquet"])
def test_results_are_named_after_the_file(name):
    assert _stem(name) == "rows"
