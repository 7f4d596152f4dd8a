"""Versions of the rows, as the command shows, compares and exports them."""

import gzip
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from driftloop.aws.store import Store
from driftloop.data import dataset
from driftloop.data.rows import Rows, kinds
from driftloop.spec import Spec
from infra.cli.app import run
from tests.infra.cli.test_deployed import put

SPEC = Spec.parse(
    {"name": "flights", "task": "regression", "target": "delay", "key": "id", "time": "at",
     "features": {"hour": {"type": "number"}, "carrier": {"type": "category"}}}
)  # fmt: skip


def upload(hour, ids, carrier="AA", shift=0.0):
    """A part of these ids; the digest of the dataset that it makes."""
    n = len(ids)
    rows = Rows(kinds(SPEC), {
        "hour": np.array(ids, float) + shift, "carrier": np.array([carrier] * n, object),
        "delay": np.zeros(n), "at": np.array(ids, np.int64) * 3_600_000,
        "id": np.array([f"k{i}" for i in ids], object),
    })  # fmt: skip
    origin = {"bucket": "landing", "key": f"incoming/flights/{hour}.csv", "version_id": f"v{hour}"}
    store = Store("store")
    dataset.add_part(store, SPEC, rows, f"2013-02-01T{hour:02d}:00:00Z", "upload", origin)
    return dataset.current(store, SPEC).digest


@pytest.fixture
def two(registry):
    first = upload(1, range(20))
    return first, upload(2, range(18, 30), carrier="=UA", shift=0.5)


def told(capsys, *arguments, code=0):
    assert run(list(arguments)) == code
    return json.loads(capsys.readouterr().out)


def test_datasets_are_listed_with_what_made_them_and_who_learned_from_them(registry, two, capsys):
    registry.table.write(put(7))  # a version that learned from dataset "d"
    newest, oldest = told(capsys, "datasets", "flights", "--json")
    assert (newest["dataset"], oldest["dataset"]) == (two[1], two[0])
    assert (newest["rows"], newest["parts"], newest["by"]) == (32, 2, "2.csv")
    assert (newest["first"], newest["last"]) == (
        "1970-01-01T00:00:00.000Z", "1970-01-02T05:00:00.000Z")  # fmt: skip
    assert run(["datasets", "flights"]) == 0
    assert two[1][:12] in capsys.readouterr().out


def test_the_parts_of_one_are_objects_that_other_tools_read(two, capsys):
    found = told(capsys, "datasets", "flights", two[1][:8], "--json")
    assert [p["rows"] for p in found["parts"]] == [20, 12]
    assert found["parts"][0]["object"].startswith("s3://store/flights/parts/")
    assert run(["datasets", "flights", "latest"]) == 0


@pytest.mark.parametrize(
    ("name", "said"), [("ffff", "no dataset 'ffff'"), ("v9", "no version 9"), ("x", "beginning")]
)
def test_a_dataset_that_is_none(two, capsys, name, said):
    assert run(["datasets", "flights", name]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_no_dataset_yet(registry, capsys):
    assert run(["datasets", "flights"]) == 0
    assert "no dataset yet" in capsys.readouterr().out
    assert run(["export", "flights", "latest", "x.csv"]) == 2


def test_diff_tells_rows_columns_and_shifts(two, capsys):
    found = told(capsys, "diff", "flights", two[0][:8], "--json")
    # two keys came again with other values: the dataset keeps both statements, the later counts
    assert [found[n] for n in ("added", "removed", "changed", "same")] == [10, 0, 2, 20]
    assert (len(found["parts_added"]), found["parts_same"]) == (1, 1)
    carrier = next(s for s in found["shifts"] if s["name"] == "carrier")
    assert carrier["new"] == ["=UA"] and carrier["psi"] > 0.25
    assert run(["diff", "flights", two[0][:8], two[1][:8]]) == 0
    said = capsys.readouterr().out
    assert "10 added" in said and "carrier" in said


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl", "all.csv.gz", "all.parquet"])
def test_an_export_is_the_same_file_every_time(two, tmp_path, name, capsys):
    made = []
    for _ in range(2):
        assert run(["export", "flights", "latest", name]) == 0
        made.append((tmp_path / name).read_bytes())
        (tmp_path / name).unlink()
    assert made[0] == made[1]
    assert "32 rows" in capsys.readouterr().out.splitlines()[0]
    assert not list(tmp_path.glob(".*"))
    if name.endswith("parquet"):
        (tmp_path / name).write_bytes(made[0])
        assert pq.read_table(tmp_path / name).num_rows == 32
    else:
        text = gzip.decompress(made[0]) if name.endswith("gz") else made[0]
        assert text.count(b"\n") == 32 + ("csv" in name)


def test_formula_cells_are_told_and_on_demand_defused(two, tmp_path, capsys):
    assert run(["export", "flights", "latest", "all.csv"]) == 0
    assert "12 cells may run" in capsys.readouterr().err
    assert run(["export", "flights", "latest", "safe.csv", "--defuse"]) == 0
    assert "may run" not in capsys.readouterr().err
    assert ",'=UA," in (tmp_path / "safe.csv").read_text()


def test_an_export_of_no_format_writes_nothing(two, tmp_path, capsys):
    assert run(["export", "flights", "latest", "all.xlsx"]) == 2
    assert "name it .csv" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
