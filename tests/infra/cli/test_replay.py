"""`driftloop replay` of a deployed model: its history is found, read and left as it was."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import boto3
import pytest

from driftloop import keys, route
from driftloop.aws.registry import Registry
from driftloop.aws.store import Store
from driftloop.aws.table import Write
from driftloop.ledger import Audit
from driftloop.replay.memory import Memory
from driftloop.replay.recording import served, upload
from driftloop.replay.workshop import Workshop
from driftloop.spec import Spec
from driftloop.when import from_ms, iso
from infra.cli.app import run
from tests.driftloop.replay.small import BEFORE, DAY, FIRST, ROWS, day_of, spec

DAYS = 2


@pytest.fixture
def deployed(registry: Registry) -> Registry:
    """A model that has answered for a few days."""
    made = Spec.parse({**spec().model_dump(mode="json"), "name": "flights"})
    memory, known = Memory(), FIRST - DAY // 24
    upload(memory, made, [r for day in range(-BEFORE, 0) for r in day_of(day)], known, "first.csv")
    with tempfile.TemporaryDirectory() as folder:
        learnt = Workshop(Path(folder), lambda: 0.0).learn(memory, made, iso(from_ms(known)))
    for day in range(DAYS):
        served(memory, made, day_of(day), FIRST + (day + 1) * DAY + DAY // 8, f"day-{day}")
    memory.put(keys.run("flights", "upload-1", "job/spec.json"), made.to_json())
    for key, data in memory.objects.items():
        Store("store").put(key, data)
    version = learnt.version(1, "upload-1", "upload", iso(from_ms(known)), None)
    pk, now = keys.model_pk("flights"), iso(from_ms(FIRST))
    registry.table.write(Write("Put", pk, keys.version_sk(1), version.to_item()))
    first = route.first(route.Served(1, version.plan_key, version.plan_sha256), now)
    audit = Audit(time=now, action="promote", actor="release", reason="the first", after=1)
    registry.move_route("flights", None, first, audit)
    return registry


def objects() -> dict[str, str]:
    found = boto3.client("s3").list_objects_v2(Bucket="store")["Contents"]
    return {each["Key"]: each["ETag"] for each in found}


def test_what_was_answered_is_replayed_and_nothing_written(
    deployed: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = objects(), tmp_path / "replay.json"
    end = iso(from_ms(FIRST + DAYS * DAY))
    assert run(["replay", "flights", "--to", end, "--no-train", "--json", str(out)]) == 0
    (found,) = json.loads(out.read_text())
    assert (found["policy"], found["rows"]) == ("as it is", DAYS * ROWS)
    assert {made["outcome"] for made in found["runs"]} <= {"asked for"}
    assert found["value"] == pytest.approx(0.6931, abs=1e-4)  # recorded as half and half
    assert "as it is" in capsys.readouterr().out and objects() == before
    assert run(["replay", "flights", "--to", end, "--json", str(out)]) == 0
    (found,) = json.loads(out.read_text())
    assert found["value"] < 0.5  # what version 1 would have answered


WRONG = [
    (["--policy", "p.yaml"], "p.yaml: retrian: a policy has no such section; did you mean"),
    (["--from", "yesterday"], "'yesterday' is no time; write it as 2013-02-01"),
    (["--from", "2012-01-01"], "flights has answered since 2013-02-01"),
    (["--to", "2013-01-01"], "should be after --from"),
]


def test_what_is_asked_wrongly_is_told(
    deployed: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("p.yaml").write_text("retrian: {}\n")
    for given, said in WRONG:
        assert run(["replay", "flights", *given]) == 2
        assert said in capsys.readouterr().err.replace("\n", " ")


def test_a_model_that_was_never_released_has_no_history(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["replay", "flights"]) == 2
    assert "has no version yet" in capsys.readouterr().err
    assert run(["replay", "--months", "12"]) == 2
