"""`driftloop init`: any file gives a spec that takes that very file in, or a sentence why not."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import DriftloopError
from driftloop.infer import Wishes
from driftloop.infer.seen import MOST_COUNTED, Seen
from driftloop.reading import Block
from driftloop.spec import Spec
from infra.cli.app import run
from infra.cli.fault import Fault
from infra.cli.init import deployable, init, named_after
from infra.cli.init.observe import observe
from infra.cli.init.rehearse import rehearse

NONE = Wishes()
LATEST = 4_000_000_000_000


def spec_of(path: Path, wishes: Wishes = NONE) -> Spec:
    out = path.with_suffix(".yaml")
    init(str(path), name=None, wishes=wishes, out=out, only_print=False, force=True,
         project=path.parent)  # fmt: skip
    return Spec.load(out)


def as_csv(path: Path, rows: list[list[Any]], delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def shop(rows: int = 400) -> pd.DataFrame:
    """A table as people have them: an id, a time, numbers, words, holes."""
    draw = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "order id": [f"A{i:06d}" for i in range(rows)],
            "placed at": pd.date_range("2023-01-01", periods=rows, freq="h"),
            "basket value": draw.normal(50, 9, rows).round(2),
            "items": draw.integers(1, 40, rows),
            "city": draw.choice(["Rome", "Oslo", "Bern"], rows),
            "age": np.where(draw.random(rows) < 0.1, np.nan, draw.normal(40, 8, rows).round(1)),
            "returned": draw.choice(["no", "yes"], rows),
        }
    )


# --- any file ------------------------------------------------------------------------------------

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1,
    max_size=12,
).map(str.strip).filter(bool)  # fmt: skip
CELLS = {
    "whole": st.integers(-50, 50).map(str),
    "decimal": st.floats(-1e6, 1e6).map(repr),
    "few": st.sampled_from(["a", "b", "A", "c c", "d,e"]),
    "truth": st.sampled_from(["yes", "no"]),
    "time": st.datetimes().map(lambda t: t.isoformat()),
    "word": st.text("abcdé' \"", max_size=6),
    "prose": st.text("abc de", min_size=40, max_size=60),
    "commas": st.sampled_from(["1,5", "2.000,7", "1,000"]),
    "code": st.sampled_from(["007", "010"]),
    "constant": st.just("x"),
    "nothing": st.just(""),
}
STRAYS = st.sampled_from(["", "", "NA", "?", "-999", "1e999", "null", " 7 "])


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header and rows of columns of some kind each, with strays here and there."""
    header = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    kinds = [draw(st.sampled_from(sorted(CELLS))) for _ in header]
    messy = [draw(st.booleans()) for _ in header]
    random_ = draw(st.randoms(use_true_random=False))
    pools = [
        draw(st.lists(CELLS[kind], min_size=3, max_size=12)) + (draw(st.lists(STRAYS, max_size=2))
        if mess else []) for kind, mess in zip(kinds, messy, strict=True)
    ]  # fmt: skip
    size = draw(st.sampled_from([1, 5, 60, 200]))
    return [header, *([random_.choice(pool) for pool in pools] for _ in range(size))]


@settings(max_examples=60, deadline=None)
@given(table=tables(), delimiter=st.sampled_from(",;\t|"))
def test_any_table_gives_a_spec_that_takes_it_in_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]], delimiter: str
) -> None:
    path = as_csv(tmp_path_factory.mktemp("init") / "some.csv", table, delimiter)
    try:
        spec = spec_of(path)
    except (DriftloopError, Fault) as refused:
        assert len(str(refused)) > 20 and "\n" not in str(refused), refused
        return
    assert spec.target in table[0] and set(spec.features) < set(table[0])
    found = rehearse(path, spec, LATEST, 10**6)
    assert found.bad <= spec.data.reject_above * found.total, found.reasons


# --- what is seen --------------------------------------------------------------------------------


def block(table: list[list[str]], first: int, rows: list[list[str]]) -> Block:
    columns = {
        name: pa.array([row[i] for row in rows], pa.string()) for i, name in enumerate(table[0])
    }
    return Block(columns, np.arange(first, first + len(rows)), [], str)


@settings(max_examples=60, deadline=None)
@given(table=tables(), data=st.data())
def test_the_same_is_seen_however_the_file_is_cut(table: list[list[str]], data: Any) -> None:
    rows = table[1:]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    bounds = [0, *cuts, len(rows)]
    pieces = [block(table, a + 2, rows[a:b]) for a, b in pairwise(bounds)]
    assert observe(pieces, 10**6) == observe([block(table, 2, rows)], 10**6)


def seen(values: list[Any], lines: int = 2) -> Seen:
    whole = Block({"a": values}, np.arange(lines, lines + len(values)), [], str)
    (column,) = observe([whole], 10**6).columns
    return column


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("7", "whole"), ("-7.0", "whole"), ("+7", "whole"), ("1e3", "whole"), (" 7 ", "whole"),
        ("7.5", "decimal"), (".5", "decimal"), ("1e-3", "decimal"), ("0.5", "decimal"),
        ("007", "code"), ("00", "code"), ("1.234,5", "commas"), ("1,234.5", "commas"),
        ("12,5", "commas"), ("1'000", "commas"), ("1.234.567", "commas"), ("5 %", "unit"),
        ("$5.20", "unit"), ("2013-01-31", "time"), ("2013-01-31T17:05", "time"),
        ("2013-01-31 17:05:01.5+01:00", "time"), ("2013-02-30", "date"), ("31/01/2013", "date"),
        ("1.2.13", "date"), ("31 Jan 2013", "date"), ("January 31, 2013", "date"),
        ("2013/01/31", "date"), ("2013-01", "date"), ("1e999", "text"), ("March hare", "text"),
        ("inf", "text"), ("1-2", "text"), ("10.0.0.1", "text"),
    ],
)  # fmt: skip
def test_how_a_value_is_written(text: str, form: str) -> None:
    found = seen([text], 7)
    assert (dict(found.forms), found.examples[form]) == ({form: 1}, (7, text))  # type: ignore[index]


def test_values_of_json_are_seen_as_the_contract_takes_them() -> None:
    found = seen([True, False, None, 5, 2.5, "x", "", "NA", [1], {"a": 1}, "\ud800"])
    assert found.booleans == 2 and found.blank == 2 and found.nulls == {"NA": 1}
    assert found.forms == {"whole": 3, "decimal": 1, "text": 2, "nested": 2}
    assert found.examples["nested"] == (10, "[1]")


def test_order_uniqueness_and_what_stands_for_unknown() -> None:
    running = seen([str(i) for i in range(100)])
    assert running.running and running.rising and running.unique
    assert seen([str(i // 2) for i in range(100)]).rising
    assert not seen([str(i) for i in (*range(50), 3)]).rising
    far = seen(["-999"] * 3 + [str(i) for i in range(100)])
    assert (far.low, far.high, far.placeholders) == (0, 98, {-999.0: 3, 99.0: 1})
    many = seen([f"w{i}" for i in range(MOST_COUNTED + 1)])
    assert many.counts is None and many.unique


# --- formats -------------------------------------------------------------------------------------


def written_as(path: Path, kind: str) -> Path:
    frame = shop()
    text = frame.assign(**{"placed at": frame["placed at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")})
    target = path / f"shop.{kind}"
    match kind:
        case "csv":
            text.to_csv(target, index=False)
        case "tsv":
            text.to_csv(target, index=False, sep="\t")
        case "csv.gz":
            target.write_bytes(gzip.compress(text.to_csv(index=False, sep=";").encode()))
        case "jsonl":
            text.to_json(target, orient="records", lines=True)
        case "parquet":
            frame.to_parquet(target)
    return target


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "jsonl", "parquet"])
def test_the_spec_does_not_depend_on_the_format(tmp_path: Path, kind: str) -> None:
    spec = spec_of(written_as(tmp_path, kind))
    assert (spec.name, spec.target, spec.task) == ("shop", "returned", "classification")
    assert (spec.time, spec.key) == ("placed at", "order id")
    assert {name: f.type for name, f in spec.features.items()} == {
        "basket value": "number", "items": "number", "city": "category", "age": "number",
    }  # fmt: skip
    assert [name for name, f in spec.features.items() if f.nullable] == ["age"]


def test_a_copy_of_the_target_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = shop().assign(refunded=lambda f: f["returned"].map({"yes": 1, "no": 0}))
    frame = frame[["refunded", *(c for c in frame if c != "refunded")]]
    frame.to_csv(tmp_path / "shop.csv", index=False)
    spec = spec_of(tmp_path / "shop.csv")
    assert "refunded" not in spec.features and spec.data.other_columns == "ignore"
    assert "gives 'returned' away" in (tmp_path / "shop.yaml").read_text()
    assert "gives 'returned' away" in capsys.readouterr().out


def test_newest_rows_of_one_class_are_no_holdout(tmp_path: Path) -> None:
    frame = shop().assign(returned=["no"] * 300 + ["yes"] * 100)
    frame.to_csv(tmp_path / "shop.csv", index=False)
    split = spec_of(tmp_path / "shop.csv").data.split
    assert (split.by, split.stratify) == ("hash", True)


def test_honest_repeats_are_kept(tmp_path: Path) -> None:
    draw = random.Random(1)
    rows = [[draw.choice("abc"), draw.choice("xyz"), draw.choice("01")] for _ in range(300)]
    path = as_csv(tmp_path / "dice.csv", [["first", "second", "won"], *rows])
    assert spec_of(path).data.duplicates == "keep"


# --- wrong on purpose ----------------------------------------------------------------------------

WRONG = {
    "no file": (None, "there is no such file", 2),
    "empty": (b"", "is empty", 1),
    "header alone": (b"a,b,c\n", "no rows", 1),
    "Latin-1 in every row": ("ort;ja\nKöln;1\nBrühl;0\n".encode("latin-1"),
                             "line 2: not UTF-8: byte 0xf6", 1),
    "binary": (random.Random(5).randbytes(5000), "is no text", 1),
    "one column": (b"y\n" + b"1\n2\n" * 50, "no column is left to learn 'y' from", 1),
    "10,000 columns": (b",".join(b"c%d" % i for i in range(10_000)) + b"\n1" + b",1" * 9_999,
                       "10,000 columns; at most 2,000", 1),
    "doubled names": (b"a,a,y\n" + b"1,2,3\n" * 50, "doubled 'a'", 1),
    "nothing but ids": (b"id,name\n" + b"".join(b"u%d,n%d\n" % (i, i) for i in range(50)),
                        "no column could be a target", 1),
    "zip": (b"PK\x03\x04" + bytes(50), "zip", 1),
}  # fmt: skip


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    yield tmp_path


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """``command("init", …)``: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(arguments))
        return code, *capsys.readouterr()

    return call


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG.keys())
def test_a_file_nothing_can_be_made_of_gives_a_sentence(
    at: Path, command: Command, case: tuple[bytes | None, str, int]
) -> None:
    data, why, code = case
    if data is not None:
        (at / "some.csv").write_bytes(data)
    ended, out, err = command("init", "some.csv", "--out", "some.yaml")
    assert (ended, why in err, out) == (code, True, ""), err
    assert "Traceback" not in err and not (at / "some.yaml").exists()


def test_wishes_are_checked_against_the_file(at: Path, command: Command) -> None:
    shop().to_csv("shop.csv", index=False)
    for wish, why in (
        (("--target", "retruned"), "did you mean 'returned'?"),
        (("--time", "city"), "holds no ISO 8601 times"),
        (("--name", "My Shop"), "'My Shop' is no name"),
        (("--task", "clustering"), "classification"),
    ):
        code, _, err = command("init", "shop.csv", "--print", *wish)
        assert (code, why in err) == (2, True), err
    code, out, _ = command("init", "shop.csv", "--print", "--target", "age", "--key", "order id")
    assert (code, yaml.safe_load(out)["task"]) == (0, "regression")


def test_print_writes_the_spec_on_stdout_and_no_file(at: Path, command: Command) -> None:
    shop().to_csv("shop.csv", index=False)
    code, out, err = command("init", "shop.csv", "--print")
    assert code == 0 and yaml.safe_load(out)["target"] == "returned"
    assert "Tried out: 400 of 400 rows would be accepted" in err
    assert [path.name for path in at.iterdir()] == ["shop.csv"]


def test_a_spec_that_is_there_stays_unless_forced(at: Path, command: Command) -> None:
    shop().to_csv("shop.csv", index=False)
    assert command("init", "shop.csv", "--out", "s.yaml")[0] == 0
    Path("s.yaml").write_text("mine")
    code, _, err = command("init", "shop.csv", "--out", "s.yaml")
    assert (code, "--force replaces it" in err) == (2, True)
    assert Path("s.yaml").read_text() == "mine"
    assert command("init", "shop.csv", "--out", "s.yaml", "--force")[0] == 0
    assert Spec.load(Path("s.yaml")).name == "shop"


# --- where it goes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("My Data (1).csv.gz", "my-data-1"), ("2013-01.csv", "model-2013-01"), ("ü.csv", "model"),
        ("platform.csv", "platform-model"), ("a" * 50 + ".csv", "a" * 31), (".csv", "csv"),
    ],
)  # fmt: skip
def test_a_model_is_named_after_its_file(file: str, name: str) -> None:
    assert named_after(Path(file)) == name


def test_a_spec_of_the_project_is_listed_for_deployment_once(at: Path) -> None:
    layout = '{\n  "context": {\n    "models": ["infra/models/flights.yaml"],\n    "env": "dev"\n'
    (at / "cdk.json").write_text(layout + "  }\n}\n")
    shop().to_csv("shop.csv", index=False)
    for force in (False, True):
        init(
            "shop.csv", name=None, wishes=NONE, out=None, only_print=False, force=force, project=at
        )
    spec = at / "infra" / "models" / "shop.yaml"
    assert Spec.load(spec).name == "shop"
    text = (at / "cdk.json").read_text()
    listed = '"models": ["infra/models/flights.yaml", "infra/models/shop.yaml"],\n    "env"'
    assert listed in text and json.loads(text)["context"]["env"] == "dev"
    with pytest.raises(Fault, match=r"is the spec of 'shop' already; choose another --name"):
        init("shop.csv", name="shop", wishes=NONE, out=at / "b.yaml", only_print=False, force=False,
             project=at)  # fmt: skip
    assert not deployable.add(at, at.parent / "elsewhere.yaml")
