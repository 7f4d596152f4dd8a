"""Commands against a deployed registry (moto in this process)."""

import gzip
import json

import boto3
import pytest

from driftloop import keys, route
from driftloop.arrived import Arrived
from driftloop.aws.table import Write
from driftloop.ledger import Audit, Entry
from driftloop.rejects.quarantine import upload_name
from driftloop.version import Version
from infra.cli import stacks
from infra.cli.app import run
from tests.infra.cli.conftest import PLATFORM


def version(number):
    return Version(
        version=number, candidate=f"{number:016x}", plan_key=f"plan-{number}",
        plan_sha256=f"{number:064x}", run="r", cause="upload", dataset="d", frame="f",
        estimator="logistic_regression", created="2013-02-01T08:00:00.000Z", spec_digest="s",
        code_digest="c", baseline_key="b",
    )  # fmt: skip


def served(number):
    made = version(number)
    return route.Served(number, made.plan_key, made.plan_sha256)


def released(registry, *numbers):
    """Versions, each promoted over the one before."""
    now, old = "2013-02-01T08:00:00.000Z", None
    for number in numbers:
        registry.table.write(put(number))
        new = route.promoted(old, served(number), now) if old else route.first(served(number), now)
        audit = Audit(time=now, action="release", actor="run", reason="better", after=number)
        registry.move_route("flights", old, new, audit)
        old = new


def put(number):
    pk, sk = keys.model_pk("flights"), keys.version_sk(number)
    return Write("Put", pk, sk, version(number).to_item())


def test_all_is_found_by_the_stacks_outputs(registry):
    found = stacks.find("dev")
    assert found.platform == PLATFORM
    assert list(found.models) == ["flights"]
    assert found.url("flights", "predict") == "http://127.0.0.1:9/models/flights/predict"


def test_another_environment_is_named(registry, capsys):
    assert run(["--env", "prod", "status"]) == 3
    assert "there is dev: use --env" in capsys.readouterr().err


def test_a_model_that_is_not_there(registry, capsys):
    assert run(["runs", "flihgts"]) == 2
    assert "did you mean 'flights'?" in capsys.readouterr().err


def test_listings_of_nothing_say_so(registry, capsys):
    for command in ("runs", "versions", "ledger", "drift"):
        assert run([command, "flights"]) == 0
        assert run([command, "flights", "--json"]) == 0
    said = capsys.readouterr().out
    assert "has had no run yet" in said
    assert said.count("[]") == 4


def test_rollback_goes_to_the_champion_before_and_is_audited(registry, capsys):
    released(registry, 1, 2)
    assert run(["rollback", "flights", "--reason", "it smells", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "flights", "from": 2, "to": 1}
    assert registry.route("flights").champion == served(1)
    audit = next(a for a in registry.audit("flights") if a.action == "rollback")
    assert (audit.before, audit.after, audit.reason) == (2, 1, "it smells")


@pytest.mark.parametrize(
    ("numbers", "arguments", "code", "said"),
    [
        ((), [], 1, "no released version"),
        ((1,), [], 1, "none before it"),
        ((1, 2), ["--to", "2"], 1, "the champion of flights already"),
        ((1, 2), ["--to", "9"], 2, "no version 9; there is 2, 1"),
    ],
)
def test_rollbacks_that_cannot_be(registry, capsys, numbers, arguments, code, said):
    released(registry, *numbers)
    assert run(["rollback", "flights", *arguments]) == code
    assert said in capsys.readouterr().err


def test_the_ledger_reads_like_a_log_book(registry, capsys):
    for hour, decision in ((9, "started"), (8, "suppressed")):
        time = f"2013-02-01T0{hour}:00:00.000Z"
        registry.append_ledger("flights", Entry(time, "alarm", decision, "why", "e", f"d{hour}"))
    assert run(["ledger", "flights", "--json"]) == 0
    assert [e["decision"] for e in json.loads(capsys.readouterr().out)] == ["suppressed", "started"]


def test_a_moment_that_is_none_is_told(registry, capsys):
    assert run(["ledger", "flights", "--since", "last week"]) == 2
    assert "--since last week: is no moment" in capsys.readouterr().err


def test_an_upload_lands_under_the_models_prefix(registry, capsys, tmp_path):
    (tmp_path / "jan.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    assert run(["upload", "flights", "jan.csv.gz", "--no-wait", "--json"]) == 0
    sent = json.loads(capsys.readouterr().out)
    assert sent["key"] == "incoming/flights/jan.csv.gz"
    listed = boto3.client("s3").list_objects_v2(Bucket="landing")
    assert [o["Key"] for o in listed["Contents"]] == ["incoming/flights/jan.csv.gz"]


def test_several_files_are_one_upload_with_its_marker_last(registry, capsys, tmp_path):
    for name in ("jan.csv", "feb.csv"):
        (tmp_path / name).write_bytes(name.encode())
    assert run(["upload", "flights", "jan.csv", "feb.csv", "--no-wait", "--json"]) == 0
    sent = json.loads(capsys.readouterr().out)
    folder, _, name = sent["key"].rpartition("/")
    assert folder.startswith("incoming/flights/together-") and name == "_SUCCESS"
    found = boto3.client("s3").list_objects_v2(Bucket=sent["bucket"], Prefix=folder)["Contents"]
    names = [entry["Key"].rpartition("/")[2] for entry in found]
    assert names == ["_SUCCESS", "feb.csv", "jan.csv"]
    # The same files again are the same upload, in whatever order they are named.
    assert run(["upload", "flights", "feb.csv", "jan.csv", "--no-wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["key"] == sent["key"]


@pytest.mark.parametrize("name", ["_jan.csv", "jan.manifest", "other/feb.csv"])
def test_names_that_cannot_stand_together_are_refused(name, registry, capsys, tmp_path):
    (tmp_path / "other").mkdir()
    for file in ("feb.csv", name):
        (tmp_path / file).write_bytes(b"x")
    assert run(["upload", "flights", "feb.csv", name, "--no-wait"]) == 2


def test_a_missing_file_uploads_nothing(registry, capsys, tmp_path):
    (tmp_path / "there.csv").write_text("a\n")
    assert run(["upload", "flights", "there.csv", "away.csv", "--no-wait"]) == 2
    assert boto3.client("s3").list_objects_v2(Bucket="landing")["KeyCount"] == 0


def test_labels_land_under_theirs(registry, tmp_path):
    (tmp_path / "arrivals.csv").write_text("id,late\n")
    assert run(["labels", "flights", "arrivals.csv", "--no-wait"]) == 0
    listed = boto3.client("s3").list_objects_v2(Bucket="landing")
    assert [o["Key"] for o in listed["Contents"]] == ["labels/flights/arrivals.csv"]


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        ({"joined": {"labels": 4, "matched": 1, "unmatched": 1, "rejected": 1, "duplicates": 1},
          "gathered": [{"new": 0, "reasons": {"window_held_back|": 1}}]}, 0,
         "  4 labels; 1 found their prediction; 1 without one, tried again as windows close; "
         "1 rejected; 1 said twice\n  0 rows more to learn from\n"
         "  kept out: window_held_back ×1\n"),
        ({"error": {"name": "WrongColumns", "message": "a label file [names]"}}, 1,
         "refused WrongColumns: a label file [names]"),
    ],
)  # fmt: skip
def test_what_came_of_labels_is_said(report, code, said, registry, tmp_path, capsys):
    (tmp_path / "arrivals.csv").write_text("id,late\n")
    name = upload_name("landing", keys.label_file("flights", "arrivals.csv"), "")
    body = json.dumps({"error": None, **report})
    boto3.client("s3").put_object(
        Bucket="store", Key=keys.ingest_report("flights", name), Body=body
    )
    assert run(["labels", "flights", "arrivals.csv"]) == code
    assert said in capsys.readouterr().out


def test_labels_without_a_file_tell_what_is_learned_from_and_what_not(registry, capsys):
    assert run(["labels", "flights"]) == 0
    assert "no prediction of flights is labelled yet" in capsys.readouterr().out
    day = {"day": "2013-02-01", "labelled": 9, "accepted": 7, "rejected": 2, "new": 7,
           "reasons": {"window_held_back|": 2}}  # fmt: skip
    for key, body in {
        keys.ingest_report("flights", keys.joined("2013-02-01")): json.dumps(day).encode(),
        keys.unmatched_labels("flights", "2013-02-02", "f.jsonl.gz"): gzip.compress(b"{}\n{}\n"),
    }.items():
        boto3.client("s3").put_object(Bucket="store", Key=key, Body=body)
    registry.arrive("flights", Arrived("2013-02-02T03:00:00.000Z", 7))
    assert run(["labels", "flights"]) == 0
    told = capsys.readouterr().out
    assert "window_held_back ×2" in told and "2 labels wait for their prediction" in told
    assert run(["labels", "flights", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["days"], told["waiting"], told["arrived"]["rows"]) == ([day], 2, 7)
