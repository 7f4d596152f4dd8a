"""Datasets are derived from intakes: what counts, in which order, and what replaces what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop import keys
from driftloop.data import dataset
from driftloop.data.dataset import resolve
from driftloop.data.rows import Rows, kinds
from driftloop.errors import IntegrityError
from driftloop.spec import Spec
from driftloop.uploads.intake import Intake, Kept, enter, intakes, known
from tests.driftloop.memory import Memory

DAY = 24 * 3600 * 1000


def make_spec(extra: dict[str, Any] | None = None, **data: Any) -> Spec:
    features = {"hour": {"type": "number"}, "carrier": {"type": "category"}, **(extra or {})}
    return Spec.parse(
        {"name": "toy", "task": "classification", "target": "late", "time": "at", "key": "id",
         "features": features, "data": data}
    )  # fmt: skip


def now(hour: int) -> str:
    return f"2013-02-01T{hour:02d}:00:00.000Z"


def upload(store: Memory, spec: Spec, hour: int, *parts: str, name: str = "", key: str = "",
           source: str = "upload", position: int = 0) -> str:  # fmt: skip
    """An upload of one-row parts at an hour; its name."""
    name = name or f"{hour:016x}"
    origin = {"key": key or f"incoming/toy/{name}.csv"} if source == "upload" else {}
    enter(store, spec, name, [Kept(p, 1, 0, DAY) for p in parts], now(hour), source, origin,
          position)  # fmt: skip
    return name


def names(store: Memory, spec: Spec) -> list[str]:
    found = dataset.current(store, spec)
    return [part.sha256 for part in found.parts] if found else []


def test_parts_of_an_upload_count_all_at_once_or_not_at_all() -> None:
    store, spec = Memory(), make_spec()
    store.put(keys.part("toy", "a"), b"")
    store.put(keys.part("toy", "b"), b"")
    assert dataset.current(store, spec) is None
    upload(store, spec, 1, "a", "b")
    assert names(store, spec) == ["a", "b"]


def test_the_same_rows_again_are_one_part_that_stays_where_it_was_and_are_told_as_known() -> None:
    store, spec = Memory(), make_spec()
    first = upload(store, spec, 1, "a")
    upload(store, spec, 2, "b")
    third = upload(store, spec, 3, "a", "c", "c")
    assert names(store, spec) == ["a", "b", "c"]
    assert known(intakes(store, "toy"), third, now(3))["a"] == first
    assert "c" not in known(intakes(store, "toy"), third, now(3))
    assert known(intakes(store, "toy"), first, now(1)) == {}  # as when it came in


def test_a_repeated_intake_changes_nothing_unless_another_spec_made_other_parts() -> None:
    store, spec = Memory(), make_spec()
    upload(store, spec, 1, "a")
    upload(store, spec, 2, "b")
    before = dict(store.objects)
    upload(store, spec, 9, "a", name=f"{1:016x}")
    assert store.objects == before
    wider = make_spec({"temp": {"type": "number"}})
    upload(store, wider, 9, "a2", name=f"{1:016x}")
    upload(store, wider, 9, "b2", name=f"{2:016x}")
    assert names(store, wider) == ["a2", "b2"]
    assert names(store, spec) == []


def test_parts_of_another_shape_are_skipped_and_named() -> None:
    store, spec = Memory(), make_spec()
    upload(store, make_spec({"temp": {"type": "number"}}), 1, "old")
    upload(store, spec, 2, "new")
    found = dataset.current(store, spec)
    assert found is not None and found.skipped == ("old",)
    assert dataset.load(store, "toy", found.digest) == found


def test_in_replace_mode_the_newest_upload_stands_for_all_before_it() -> None:
    store, spec = Memory(), make_spec(mode="replace")
    upload(store, spec, 1, "a", "b")
    upload(store, spec, 2, "labelled-early", source="labels", name="l1")
    upload(store, spec, 3, "c")
    assert names(store, spec) == ["c"]
    upload(store, spec, 4, "labelled-late", source="labels", name="l2")
    assert names(store, spec) == ["c", "labelled-late"]
    upload(store, spec, 5, "a", "b", name="again")
    assert names(store, spec) == ["a", "b"]  # what was replaced may come back


def test_in_replace_mode_an_upload_without_a_good_row_replaces_nothing() -> None:
    store, spec = Memory(), make_spec(mode="replace")
    upload(store, spec, 1, "a")
    upload(store, spec, 2)
    assert names(store, spec) == ["a"]


def test_in_replace_mode_readmitted_rows_complete_the_upload_they_were_cut_from() -> None:
    store, spec = Memory(), make_spec(mode="replace")
    first = upload(store, spec, 1, "a")
    upload(store, spec, 2, "mended", key=keys.readmitted("toy", first, "0" * 64, "csv"))
    assert names(store, spec) == ["a", "mended"]
    second = upload(store, spec, 3, "b")
    upload(store, spec, 4, "too-late", key=keys.readmitted("toy", first, "1" * 64, "csv"))
    assert names(store, spec) == ["b"]
    upload(store, spec, 5, "in-time", key=keys.readmitted("toy", second, "1" * 64, "csv"))
    assert names(store, spec) == ["b", "in-time"]


def test_uploads_of_one_event_are_in_their_given_order() -> None:
    store, spec = Memory(), make_spec()
    upload(store, spec, 1, "b", name="y", position=0)
    upload(store, spec, 1, "a", name="x", position=1)
    assert names(store, spec) == ["b", "a"]


spans = st.tuples(st.integers(0, 40), st.integers(0, 5)).map(lambda s: (s[0], s[0] + s[1]))
brought = st.lists(st.tuples(st.integers(0, 6), spans), max_size=3)
histories = st.lists(st.tuples(st.integers(0, 23), brought), max_size=8)


@given(histories, st.sampled_from(["append", "replace"]), st.randoms())
def test_a_dataset_depends_on_what_came_in_when_not_on_the_order_of_writing(
    history: list[tuple[int, list[tuple[int, tuple[int, int]]]]], mode: str, random: Any
) -> None:
    spec = make_spec(mode=mode, window="10d")
    made = [
        Intake(f"{i:016x}", now(hour), i, "upload", {}, dict(kinds(spec)),
               tuple(Kept(f"p{n}", 1, a * DAY, b * DAY) for n, (a, b) in parts))
        for i, (hour, parts) in enumerate(history)
    ]  # fmt: skip
    whole = resolve(sorted(made, key=lambda i: i.order), spec)
    store = Memory()
    random.shuffle(made)
    for intake in made:
        enter(store, spec, intake.name, intake.parts, intake.ingested, "upload", {},
              intake.position)  # fmt: skip
    found = dataset.current(store, spec)
    assert (found and found.parts) == (whole and whole.parts)
    if found:
        assert len({p.sha256 for p in found.parts}) == len(found.parts)
        newest = max(p.last or 0 for p in found.parts)
        assert all((p.last or 0) >= newest - 10 * DAY for p in found.parts)


def rows(spec: Spec, *hours: float) -> Rows:
    n = len(hours)
    return Rows(
        kinds(spec),
        {
            "hour": np.array(hours),
            "carrier": np.array(["AA"] * n, dtype=object),
            "late": np.array(["0"] * n, dtype=object),
            "at": np.arange(n, dtype=np.int64) * 1000,
            "id": np.array([f"k{i}" for i in range(n)], dtype=object),
        },
    )


def test_a_dataset_is_read_against_the_names_of_its_parts() -> None:
    store, spec = Memory(), make_spec()
    names = [dataset.add_part(store, spec, rows(spec, *h), now(1), "upload", {})
             for h in ((1.0, 2.0), (3.0,))]  # fmt: skip
    found = dataset.current(store, spec)
    assert found is not None
    batches = list(dataset.scan(store, "toy", found))
    assert sorted(v for b in batches for v in b.column("hour").to_pylist()) == [1.0, 2.0, 3.0]
    one, other = (keys.part("toy", name) for name in names)
    store.objects[one] = store.objects[other]
    with pytest.raises(IntegrityError, match=names[0]):
        list(dataset.scan(store, "toy", found))


def test_the_folder_of_parts_holds_parquet_alone() -> None:
    store, spec = Memory(), make_spec()
    dataset.add_part(store, spec, rows(spec, 1.0), now(1), "upload", {"key": "x"})
    dataset.current(store, spec)
    assert [k for k in store.objects if "/parts/" in k and not k.endswith(".parquet")] == []
    (manifest,) = [json.loads(v) for k, v in store.objects.items() if "/datasets/" in k]
    assert manifest["key"] == "id" and manifest["parts"][0]["origin"] == {"key": "x"}


def test_the_parts_are_a_table_to_other_tools(tmp_path: Path) -> None:
    store, spec = Memory(), make_spec()
    for hours in ((1.0, float("nan")), (3.0,)):
        dataset.add_part(store, spec, rows(spec, *hours), now(1), "upload", {})
    for key, data in store.objects.items():
        if "/parts/" in key:
            (tmp_path / key.rsplit("/", 1)[-1]).write_bytes(data)
    table = pd.read_parquet(tmp_path)
    assert (len(table), table["hour"].sum(), table["hour"].isna().sum()) == (3, 4.0, 1)
    assert str(table["at"].dtype) == "datetime64[ms, UTC]"
    query = f"SELECT count(*), sum(hour), count(hour), min(id) FROM '{tmp_path}/*.parquet'"
    assert duckdb.sql(query).fetchall() == [(3, 4.0, 2, "k0")]
