"""Quarantine, as the command shows it, hands it out and takes it in again."""

import csv
import json

import boto3
import pytest

from driftloop import keys
from driftloop.aws.store import Store
from driftloop.data import dataset
from driftloop.rejects.quarantine import Rejected, lines
from infra.cli.app import run

SHAPE = {"format": "csv", "header": ["id", "hour", "carrier"], "delimiter": ","}


def hold(name, file, *rejected, **more):
    """What ingest leaves behind of an upload."""
    reasons = {}
    for r in rejected:
        reasons[f"{r.rule}|{r.field}"] = reasons.get(f"{r.rule}|{r.field}", 0) + 1
    report = {
        "upload": {"bucket": "landing", "key": f"incoming/flights/{file}", "version_id": "1"},
        "now": f"2013-02-0{name}T00:00:00.000Z", "total": len(rejected) + 10, "accepted": 10,
        "rejected": len(rejected), "reasons": reasons, "error": None, "shape": SHAPE,
        "refused_rows": 0, "originals": [], "files": [], **more,
    }  # fmt: skip
    store, upload = Store("store"), name * 16
    store.put(keys.ingest_report("flights", upload), dataset.dump(report))
    store.put(keys.quarantine("flights", upload), lines(rejected))


@pytest.fixture
def held(registry):
    hold("1", "jan.csv", Rejected(3, "hour", "not_a_number", "noon", "a,noon,AA"),
         Rejected(5, "hour", "not_a_number", "=1", "b,=1,AA"),
         Rejected(7, "carrier", "null", "", "c,1,"))  # fmt: skip
    hold("2", "feb.csv", Rejected(2, "", "unreadable_row", "2 fields", "d,1"))
    hold("3", "good.csv")


def landed():
    found = boto3.client("s3").list_objects_v2(Bucket="landing").get("Contents", [])
    return {o["Key"]: Store("landing").get(o["Key"]).decode() for o in found}


def test_what_is_held_and_why(held, capsys):
    assert run(["quarantine", "flights", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    held_now = [(u["key"].rsplit("/")[-1], u["held"]) for u in found["uploads"]]
    assert held_now == [("jan.csv", 3), ("feb.csv", 1)]
    first = found["reasons"][0]
    assert (first["rule"], first["field"], first["rows"]) == ("not_a_number", "hour", 2)
    assert [e["value"] for e in first["examples"]] == ["noon", "=1"]
    assert run(["quarantine", "flights", "--upload", "jan.csv", "--by", "rule"]) == 0
    said = capsys.readouterr().out
    assert "jan.csv line 3: 'noon'" in said and "feb.csv" not in said


def test_nothing_held_says_so_and_an_unknown_upload_is_named(registry, capsys):
    assert run(["quarantine", "flights"]) == 0
    assert "nothing of flights is in quarantine" in capsys.readouterr().out
    hold("1", "jan.csv")
    assert run(["quarantine", "flights", "--upload", "jna.csv"]) == 2
    assert "did you mean 'jan.csv'?" in capsys.readouterr().err


def test_out_mended_and_in_again(held, capsys, tmp_path):
    hold("4", "refused.csv", Rejected(2, "hour", "null", "", "z,,AA"),
         error={"name": "TooManyRejected", "message": ""})  # fmt: skip
    assert run(["quarantine", "export", "flights", "bad.csv"]) == 0
    assert "4 rejected rows" in capsys.readouterr().out
    with (tmp_path / "bad.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["hour"] for r in rows] == ["noon", "'=1", "1", ""]
    with (tmp_path / "mended.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows([{**rows[0], "hour": "12"}, {**rows[3], "id": "d", "hour": "1"}])
    arguments = ["quarantine", "readmit", "flights", "--file", "mended.csv", "--no-wait", "--json"]
    assert run(arguments) == 0
    assert [r["rows"] for r in json.loads(capsys.readouterr().out)] == [1, 1]
    assert sorted(landed().values()) == ["id,hour,carrier\na,12,AA\n", "id,hour,carrier\nd,1,\n"]
    assert run(arguments) == 1
    assert "line 2: line 3 of upload 1111" in capsys.readouterr().err
    assert len(landed()) == 2


def test_rows_of_a_rule_go_in_as_they_stood_once(held, capsys):
    arguments = ["quarantine", "readmit", "flights", "--rule", "not_a_number", "--no-wait"]
    assert run(arguments) == 0
    assert list(landed().values()) == ["id,hour,carrier\na,noon,AA\nb,=1,AA\n"]
    assert run(arguments) == 1
    assert "nothing rejected as not_a_number is in quarantine" in capsys.readouterr().err
    assert run(["quarantine", "readmit", "flights", "--upload", "feb.csv", "--no-wait"]) == 1
    assert "1 want mending" in capsys.readouterr().err


def test_a_half_done_readmission_is_finished_first(held, capsys):
    assert run(["quarantine", "readmit", "flights", "--no-wait"]) == 0
    before = landed()
    for key in before:
        boto3.client("s3").delete_object(Bucket="landing", Key=key)
    assert run(["quarantine", "readmit", "flights", "--no-wait"]) == 0
    assert landed() == before


def test_a_refused_upload_goes_in_whole_unless_it_could_not_even_be_read(registry, capsys):
    files = [keys.original("flights", name * 16) for name in "12"]
    for name, key in zip("12", files, strict=True):
        Store("store").put(key, f"file {name}".encode())
    hold("1", "jan.csv", refused_rows=7, error={"name": "TooManyRejected", "message": ""},
         originals=files[:1])  # fmt: skip
    hold("2", "x.png", error={"name": "UnreadableFile", "message": ""}, shape=None,
         originals=files[1:])  # fmt: skip
    assert run(["quarantine", "readmit", "flights", "--no-wait"]) == 0
    assert landed() == {f"incoming/flights/readmitted-{'1' * 16}.csv": "file 1"}
    assert run(["quarantine", "readmit", "flights", "--no-wait"]) == 1
    assert run(["quarantine", "readmit", "flights", "--upload", "x.png", "--no-wait"]) == 0
    assert len(landed()) == 2


def test_a_file_of_no_format_or_of_nobody_is_refused(held, capsys, tmp_path):
    assert run(["quarantine", "export", "flights", "bad.xlsx"]) == 2
    assert run(["quarantine", "export", "flights", "bad.jsonl", "--upload", "jan.csv"]) == 0
    assert "3 rejected rows" in capsys.readouterr().out
    (tmp_path / "other.csv").write_text("upload,line,id\nffff,3,a\n")
    assert run(["quarantine", "readmit", "flights", "--file", "other.csv"]) == 2
    assert "line 2: no upload 'ffff' is known" in capsys.readouterr().err
    (tmp_path / "other.csv").write_bytes("upload,line,id\nffff,3,é\n".encode("cp1252"))
    assert run(["quarantine", "readmit", "flights", "--file", "other.csv"]) == 2
    assert "not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere/bad.csv"], "there is no folder 'nowhere'"),
        (["bad.csv", "--rule", "not_a_nmber"], "did you mean 'not_a_number'"),
    ],
)
def test_an_export_that_cannot_be_is_refused_in_a_sentence(held, arguments, said, capsys):
    assert run(["quarantine", "export", "flights", *arguments]) == 2
    assert said in capsys.readouterr().err.replace("\n", " ")
