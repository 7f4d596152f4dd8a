"""The command as people use it: up in the background, a loop in the foreground, down."""

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[3]
JANUARY = ROOT / "examples" / "flights" / "2013-01.csv.gz"
pytestmark = pytest.mark.slow


class Shell:
    """Runs the command in a folder of its own, without AWS settings."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)

    def run(self, *arguments, given=None):
        return subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            cwd=self.folder, input=given, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    def json(self, *arguments, code=0, given=None):
        done = self.run(*arguments, "--json", given=given)
        assert done.returncode == code, done.stderr + done.stdout
        return json.loads(done.stdout)


@pytest.fixture
def shell(tmp_path, monkeypatch):
    shell = Shell(tmp_path, monkeypatch)
    started = shell.run("up", "--detach", "--port", "0")
    assert started.returncode == 0, started.stderr
    shell.said = started.stdout
    yield shell
    shell.run("down")


def some_flights(rows):
    lines = gzip.decompress(JANUARY.read_bytes()).decode().splitlines(keepends=True)
    return "".join(lines[:1] + lines[1 : 1 + rows])


def test_up_then_a_loop_then_down(shell):
    (endpoint,) = [line.split("=", 1)[1] for line in shell.said.splitlines()
                   if "AWS_ENDPOINT_URL=" in line]  # fmt: skip
    assert "AWS_SECRET_ACCESS_KEY=test" in shell.said
    second = shell.run("up", "--port", "0")
    assert second.returncode == 1
    assert "already up at" in second.stderr

    (shell.folder / "flights.csv").write_text(some_flights(3000))
    (shell.folder / "letter.csv").write_text("Dear Sir or Madam,\n")
    outcome = shell.json("upload", "flights", "flights.csv")
    assert outcome["run"]["outcome"] == "released", outcome
    followed = shell.run("upload", "flights", "letter.csv")
    assert followed.returncode == 1
    assert "Ingest" in followed.stdout and "failed WrongColumns" in followed.stdout

    row = next(csv.DictReader(io.StringIO(some_flights(1))))
    answer = shell.json("predict", "flights", "flights.csv", "-n", "3")
    assert [p["version"] for p in answer["predictions"]] == [1, 1, 1]
    wrong = shell.run("predict", "flights", "-", given=json.dumps([{**row, "hour": "five"}]))
    assert wrong.returncode == 1
    assert (
        "answered 400" in wrong.stderr and "instances[0].hour: should be a number" in wrong.stderr
    )

    assert [run["status"] for run in shell.json("runs", "flights")] == ["FAILED", "SUCCEEDED"]
    assert [v["role"] for v in shell.json("versions", "flights")] == ["champion"]
    assert "started" in {e["decision"] for e in shell.json("ledger", "flights")}
    assert shell.json("drift", "flights") == []
    (model,) = shell.json("status")["models"]
    assert (model["model"], model["champion"]) == ("flights", 1)
    assert {"drift", "performance", "errors", "latency"} <= set(model["alarms"])
    again = shell.json("retrain", "flights", "--reason", "to see")
    assert again["run"]["outcome"] == "rejected", "the same data give the same plan"
    back = shell.run("rollback", "flights")
    assert (back.returncode, "none before it" in back.stderr) == (1, True)

    # Any AWS client does: an object that lands starts a run with no other call.
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                      aws_access_key_id="test", aws_secret_access_key="test")  # fmt: skip
    (bucket,) = [b["Name"] for b in s3.list_buckets()["Buckets"] if "landing" in b["Name"]]
    s3.put_object(Bucket=bucket, Key="incoming/flights/empty.csv", Body=b"")
    for _ in range(60):
        if "empty.csv" in (newest := shell.json("runs", "flights")[0])["reason"]:
            break
    assert "empty.csv" in newest["reason"]

    assert shell.run("down").returncode == 0
    gone = shell.run("status")
    assert gone.returncode == 3
    assert "driftloop up" in gone.stderr
