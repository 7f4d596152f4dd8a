"""The trigger function's wiring: event in, decision out, run started, people told."""

import json
from types import SimpleNamespace

import pytest

from driftloop.aws.registry import Registry
from driftloop.aws.workflow import Workflow
from functions.trigger import handler as function
from tests.driftloop.aws.conftest import aws  # noqa: F401
from tests.driftloop.ledgers import spec
from tests.driftloop.test_event import ended, raw, upload

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:driftloop-dev-flights"


@pytest.fixture
def world(aws, monkeypatch, tmp_path):  # noqa: F811
    path = tmp_path / "spec.json"
    path.write_bytes(spec().to_json())
    monkeypatch.setattr(function, "spec_path", lambda: path)
    for name, value in {
        "MODEL": "flights", "ENV": "dev", "TABLE": "registry", "TOPIC": "arn:topic",
        "STATE_MACHINE": MACHINE,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"DRIFTLOOP_{name}", value)
    world = SimpleNamespace(started=[], told=[])
    monkeypatch.setattr(
        Workflow, "start", lambda self, name, given: world.started.append(name) or "arn:e"
    )
    monkeypatch.setattr(function, "publish", lambda topic, notice: world.told.append(notice))
    return world


def send(event, request="r-1"):
    return function.handler(event, SimpleNamespace(aws_request_id=request))


def test_from_upload_to_end(world):
    answer = send(upload())
    assert answer["decision"] == "started"
    assert world.started == [answer["run"]]
    assert send(upload(), "r-2")["decision"] == "suppressed"
    end = ended("FAILED", name=answer["run"], error="UnreadableFile", cause="{}")
    assert send(end, "r-3")["decision"] == "recorded"
    assert [n["subject"] for n in world.told] == [
        "[driftloop] flights: run failed (UnreadableFile)"
    ]
    assert len(list(Registry("registry").ledger("flights"))) == 3


def test_a_retry_of_the_very_delivery_tells_people_again(world):
    """SNS failed after the writing: the row keeps what is to be said."""
    run = send(upload())["run"]
    end = ended("FAILED", name=run, error="X", cause="y")
    send(end, "r-2")
    send(end, "r-2")
    assert len(world.told) == 2
    assert len(list(Registry("registry").ledger("flights"))) == 2


def test_what_was_decided_is_counted_once(world, capsys):
    run = send(upload())["run"]
    end = ended("FAILED", name=run, error="X", cause="y")
    send(end, "r-2")
    send(end, "r-2")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [(line["model"], line.get("RunsStarted"), line.get("RunsFailed")) for line in lines] == [
        ("flights", 1, None), ("flights", None, 1),
    ]  # fmt: skip


def test_a_folder_is_recorded(world):
    assert send(upload(key="incoming/flights/2013/", size=0))["decision"] == "recorded"
    assert world.started == []


def test_a_request_by_a_person(world):
    asked = raw("driftloop", "Run Requested", {"model": "flights", "actor": "ann", "reason": "now"})
    assert send(asked)["run"].startswith("manual-")
