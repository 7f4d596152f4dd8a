"""The page of a dataset or an upload, fetched by the command."""

import json

from driftloop.aws.store import Store
from driftloop.ingest import ingest
from driftloop.spec import Spec
from driftloop.uploads.upload import Upload
from infra.cli.app import run

SPEC = Spec.parse(
    {"name": "flights", "task": "regression", "target": "delay", "key": "id",
     "features": {"hour": {"type": "number"}, "still": {"type": "number"}}}
)  # fmt: skip
FILE = "id,hour,still,delay\n" + "".join(f"k{i},{i % 24},3,{i % 7}\n" for i in range(400))


def take_in(folder):
    landing, key = Store("landing"), "incoming/flights/a.csv"
    landing.put(key, FILE.encode())
    upload = Upload("landing", key, None, len(FILE))
    ingest(Store("store"), landing, SPEC, [upload], "2013-02-01T00:00:00Z", folder, "manual-1")


def test_the_page_of_an_upload_and_what_to_look_at(registry, tmp_path, capsys):
    take_in(tmp_path)
    assert run(["report", "flights", "--upload", "a.csv", "--out", "a.html"]) == 0
    assert "constant" in capsys.readouterr().out
    assert "<html" in (tmp_path / "a.html").read_text()
    assert run(["report", "flights", "--upload", "a.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 400


def test_a_page_that_is_not_there(registry, capsys):
    assert run(["report", "flights"]) == 2
    assert "no dataset yet" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_a_sentence(registry, tmp_path, capsys):
    take_in(tmp_path)
    for out, said in (("nowhere/a.html", "there is no folder"), (".", "is a folder")):
        assert run(["report", "flights", "--upload", "a.csv", "--out", out]) == 2
        assert said in capsys.readouterr().err
