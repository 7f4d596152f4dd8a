"""Labels: joined to what was served, by id or key, once; and learned from."""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import json
import math
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import ids, keys
from driftloop.capture import capture
from driftloop.claims import from_file, from_request
from driftloop.data import dataset
from driftloop.errors import BadRequest, RequestTooLarge, WrongColumns
from driftloop.gathering import HELD_BACK, gather
from driftloop.labels import due, join, look_again
from driftloop.when import iso, parse
from driftloop.withheld import DAY
from tests.driftloop.intaking import read_parts
from tests.driftloop.memory import Crash, Memory
from tests.driftloop.test_capture import SPEC, START, enumerate_events, served

NOW = "2013-02-20T00:00:00.000Z"
DAYS = ["2013-02-01", "2013-02-02", "2013-02-03"]


def store_with(days: int = 3, rows: int = 20) -> tuple[Memory, list[str]]:
    """Captures of ``days`` requests, one a day; returns the ids too."""
    store, names = Memory(), []
    for day in range(days):
        ms = START + day * DAY
        sent = [[float(i), "ab"[i % 2], f"k{day}-{i}"] for i in range(rows)]
        lines = served(f"r{day}", ms, sent, version=1 + day % 2)
        capture(store, SPEC, enumerate_events(lines, day * 1000))
        names += ids.prediction_ids(f"r{day}", ms, rows)
    return store, names


def csv(column: str, names: list[str], label: str = "1") -> bytes:
    return "\n".join([f"{column},y", *(f"{n},{label}" for n in names)]).encode()


def put(store: Memory, data: bytes, name: str = "file", now: str = NOW) -> dict[str, Any]:
    """Hand a file in; returns the counts, with those of the gathered days added up."""
    joined, days = join(store, SPEC, from_file(SPEC, data, name, now), [2, 1], now)
    gathered = gather(store, SPEC, [2, 1], days, now)
    sums = {n: sum(day[n] for day in gathered) for n in ("labelled", "accepted", "new")}
    assert all(day["labelled"] == day["accepted"] + day["rejected"] for day in gathered)
    return {**joined, **sums}


def learned(store: Memory) -> dict[str, str]:
    """Key → label of every row there is to learn from; no key comes twice."""
    found = dataset.current(store, SPEC)
    rows = read_parts(store, SPEC, found.parts) if found else []
    pairs = [p for r in rows for p in zip(r.columns["id"], r.columns["y"], strict=True)]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def later(days: float) -> str:
    return iso(parse(NOW) + timedelta(days=days))


def labels_in(store: Memory) -> dict[str, str]:
    found = {}
    for key in store.list("toy/labels/dt="):
        for line in gzip.decompress(store.get(key)).splitlines():
            entry = json.loads(line)
            found[entry["id"]] = entry["label"]
    return found


def test_labels_by_prediction_id_become_labels_and_parts() -> None:
    store, names = store_with()
    answer = put(store, csv("id", names))
    assert (answer["matched"], answer["unmatched"], answer["accepted"]) == (60, 0, 60)
    assert labels_in(store) == dict.fromkeys(names, "1")
    assert [key.split("/")[2] for key in store.list("toy/labels/dt=")] == [f"dt={d}" for d in DAYS]
    found = dataset.current(store, SPEC)
    assert found is not None and [p.intake for p in found.parts] == [f"labels-{d}" for d in DAYS]
    assert {(p.rows, p.source, p.ingested) for p in found.parts} == {(20, "labels", NOW)}
    rows = read_parts(store, SPEC, found.parts)[0]
    assert rows.columns["id"].tolist()[:2] == ["k0-0", "k0-1"]
    assert rows.columns["y"].tolist() == ["1"] * 20


def test_each_row_of_a_part_tells_its_prediction_version_and_label_file() -> None:
    store, names = store_with()
    put(store, csv("id", names[:30]), "first")
    put(store, csv("id", names[30:40]), "second")
    found = dataset.current(store, SPEC)
    assert found is not None
    data = store.get(keys.joined_sources("toy", found.parts[1].sha256))
    told = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    assert [t["id"] for t in told] == names[20:40] and {t["version"] for t in told} == {2}
    assert [t["labels"].split("-")[0] for t in told] == ["first"] * 10 + ["second"] * 10


def test_a_shadow_shares_the_label_and_adds_no_row() -> None:
    """The answer and what a shadow made of its row have one id: one label, one row to learn."""
    alone, names = store_with()
    store, _ = store_with()
    sent = [[float(i), "ab"[i % 2], f"k0-{i}"] for i in range(20)]
    beside = served("r0", START, sent, version=2, role="shadow", predictions=[0.75] * 20)
    capture(store, SPEC, enumerate_events(beside, 9_000))
    assert put(store, csv("id", names)) == put(alone, csv("id", names))
    assert labels_in(store) == dict.fromkeys(names, "1")
    assert dataset.current(store, SPEC) == dataset.current(alone, SPEC)


def test_labels_by_key_find_the_prediction() -> None:
    store, names = store_with()
    keyed = [f"k{day}-{i}" for day in range(3) for i in range(20)]
    assert put(store, csv("id", keyed))["matched"] == 60
    assert set(labels_in(store)) == set(names)


def test_a_time_narrows_the_search_by_key() -> None:
    store, _ = store_with()
    body = b"id,time,y\nk2-1,2013-02-03T01:00:00Z,0\nk2-2,2013-01-20T01:00:00Z,0\n"
    answer = put(store, body)
    assert (answer["matched"], answer["unmatched"]) == (1, 1)


def test_the_same_file_again_changes_nothing_law_2() -> None:
    store, names = store_with()
    answer = put(store, csv("id", names))
    before = dict(store.objects)
    assert put(store, csv("id", names)) == answer
    assert store.objects == before


def test_doubled_claims_count_once_and_the_last_one_holds() -> None:
    store, names = store_with()
    data = csv("id", names) + b"\n" + f"{names[0]},0\n{names[0]},0\n".encode()
    answer = put(store, data)
    assert (answer["labels"], answer["duplicates"], answer["matched"]) == (62, 2, 60)
    assert labels_in(store)[names[0]] == "0"


def test_of_claims_by_id_and_by_key_the_last_one_holds_too() -> None:
    for second in ("k0-0", "k0-7"):  # whichever of the key's predictions is met first
        store, names = store_with(days=1)
        capture(store, SPEC, enumerate_events(served("r9", START + 999, [[7.0, "b", second]]), 900))
        last = ids.prediction_ids("r9", START + 999, 1)[0]
        body = f"id,y\n{last},1\n{second},1\n{last},0\n{names[0]},1\n".encode()
        put(store, body)
        assert labels_in(store)[last] == "0"
        put(store, f"id,y\n{last},0\n{second},1\n".encode(), "next", later(1))
        assert labels_in(store)[last] == "1"


def test_unknown_ids_are_counted_kept_and_joined_later() -> None:
    store, names = store_with(days=1)
    early = ids.prediction_ids("late", START + DAY, 2)
    answer = put(store, csv("id", [*names[:3], *early]))
    assert (answer["matched"], answer["unmatched"]) == (3, 2)
    assert list(store.list(keys.unmatched_labels("toy")))
    lines = served("late", START + DAY, [[1, "a", "z1"], [2, "b", "z2"]])
    capture(store, SPEC, enumerate_events(lines, 99))
    again = look_again(store, SPEC, [1], later(1), DAY)
    assert (again["tried"], again["matched"]) == (2, 2)
    assert sum(day["new"] for day in again["gathered"]) == 2
    assert set(early) < set(labels_in(store)) and {"z1", "z2"} < set(learned(store))
    assert look_again(store, SPEC, [1], later(2), DAY)["tried"] == 0
    assert look_again(store, SPEC, [1], later(2), DAY)["gathered"] == []


def test_bad_lines_are_quarantined_and_the_rest_is_joined_law_1() -> None:
    store, names = store_with()
    data = f"id,y\n{names[0]},1\n{names[1]},\n,1\n{names[2]},1,1\n".encode()
    answer = put(store, data)
    assert (answer["labels"], answer["matched"], answer["rejected"]) == (4, 1, 3)
    kept = gzip.decompress(store.get(keys.quarantine("toy", "file"))).splitlines()
    found = [(json.loads(k)["line"], json.loads(k)["rule"]) for k in kept]
    assert found == [(3, "null"), (4, "null"), (5, "unreadable_row")]


def test_a_file_without_ids_or_labels_is_refused() -> None:
    with pytest.raises(WrongColumns, match="in 'y'; this one has 'id', 'late'"):
        from_file(SPEC, b"id,late\n1,1\n", "f", NOW)
    with pytest.raises(WrongColumns, match=r"column 'id'"):
        from_file(SPEC, b"name,y\n1,1\n", "f", NOW)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (None, "labels"),
        ({"labels": []}, "labels"),
        ({"labels": [{"id": "x", "label": 1}]}, "labels[0].id"),
        ({"labels": [{"label": 1}]}, "labels[0]"),
        ({"labels": [{"id": None, "label": 1}]}, "labels[0].id"),
        ({"labels": [{"key": "k", "label": None}]}, "labels[0].label"),
        ({"labels": [{"key": "k", "label": 1, "oops": 1}]}, "labels[0].oops"),
        ({"labels": [{"key": "k", "label": 1, "time": "soon"}]}, "labels[0].time"),
        ({"labels": [{"key": "k", "label": 1, "time": 10**30}]}, "labels[0].time"),
        ({"labels": [{"key": ["k"], "label": 1}]}, "labels[0].key"),
        ({"labels": [{"key": "k", "label": math.inf}]}, "labels[0].label"),
        ({"labels": [{"key": math.nan, "label": 1}]}, "labels[0].key"),
        ({"labels": [{"key": "k", "label": 1}, 7]}, "labels[1]"),
        ({"labels": [{"key": "k", "label": 1}], "lables": []}, "lables"),
    ],
)
def test_a_bad_request_names_the_field(body: Any, field: str) -> None:
    with pytest.raises(BadRequest) as caught:
        from_request(SPEC, body, NOW)
    assert caught.value.field == field


def test_a_bad_request_names_several_mistakes_and_takes_nothing() -> None:
    good = {"key": "k", "label": 1}
    bad = [good | {"label": None}, good | {"key": ""}, good | {"x": 1}, {"label": 1}] * 3
    with pytest.raises(BadRequest) as caught:
        from_request(SPEC, {"labels": [good, *bad]}, NOW)
    mistakes = [caught.value, *caught.value.also]
    assert [m.field for m in mistakes[:5]] == [
        "labels[1].label", "labels[2].key", "labels[3].x", "labels[4]", "labels[5].label",
    ]  # fmt: skip
    assert len(mistakes) == 10
    assert str(mistakes[0]) == "labels[1].label: is required"


def test_more_labels_than_a_request_may_hold() -> None:
    with pytest.raises(RequestTooLarge, match="10,001 of them"):
        from_request(SPEC, {"labels": [{"key": "k", "label": 1}] * 10_001}, NOW)


def test_a_request_is_joined_at_once_and_learned_from_as_a_window_closes() -> None:
    store, names = store_with()
    asked = {"labels": [{"id": names[0], "label": 1}, {"key": "k1-3", "label": True}]}
    joined, days = join(store, SPEC, from_request(SPEC, asked, NOW), [1, 2], NOW)
    assert (joined["matched"], days) == (2, set(DAYS[:2]))
    assert set(labels_in(store).values()) == {"1"} and not learned(store)
    gathered = look_again(store, SPEC, [1, 2], later(1), DAY)["gathered"]
    assert [(day["day"], day["new"]) for day in gathered] == [(DAYS[0], 1), (DAYS[1], 1)]
    assert learned(store) == {"k0-0": "1", "k1-3": "1"}


def test_the_newest_label_is_learned_from_whatever_came_when() -> None:
    """By two files, restated, and back to what was said first: whatever order they are read in."""
    said = [("a", 0, "1"), ("b", 1, "0"), ("c", 2, "1")]
    for order in itertools.permutations(said):
        store, names = store_with(days=1)
        for name, day, label in order:
            put(store, csv("id", names[:5], label), name, later(day))
            put(store, csv("id", names[5 * day : 5 * day + 5], "0"), f"{name}x", later(day))
        truth = learned(store)
        assert truth == {f"k0-{i}": "1" if i < 5 else "0" for i in range(15)}


@given(
    files=st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from("01"), st.sets(st.integers(0, 39), min_size=1)
        ),
        min_size=1,
        max_size=4,
    ),
    data=st.data(),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_law_2_any_order_of_files_gives_the_same_dataset(files: Any, data: st.DataObject) -> None:
    """By hand and as windows close, however often; what holds is what was said last."""
    found = []
    named = [(f"f{i}", *file) for i, file in enumerate(files)]
    for order in (named, data.draw(st.permutations(named)), named[::-1] + named):
        store, names = store_with(days=2)
        for name, day, label, rows in order:
            body = csv("id", [names[i] for i in sorted(rows)], label)
            claims = from_file(SPEC, body, name, later(day))
            _, days = join(store, SPEC, claims, [1, 2], later(day))
            if day % 2:
                gather(store, SPEC, [1, 2], days, later(day))
        look_again(store, SPEC, [1, 2], later(3), DAY)
        found.append((dataset.current(store, SPEC), learned(store)))
    truth = {}
    for _, _, label, rows in sorted(named, key=lambda file: (file[1], file[0])):
        truth |= {f"k{i // 20}-{i % 20}": label for i in rows}
    for current, pairs in found:
        assert pairs == truth and (current and current.digest) == (
            found[0][0] and found[0][0].digest
        )


def test_what_came_again_is_nothing_new_and_what_is_restated_is() -> None:
    store, names = store_with(days=1)
    assert put(store, csv("id", names), "a")["new"] == 20
    assert put(store, csv("id", names[:9]), "b", later(1))["new"] == 0
    assert put(store, csv("id", names[:3], "0"), "c", later(2))["new"] == 3
    assert put(store, csv("id", names[:4]), "d", later(3))["new"] == 3
    assert learned(store) == {f"k0-{i}": "1" for i in range(20)}


def test_a_call_that_died_tells_of_what_is_new_when_it_is_made_again() -> None:
    """Or nobody would hear that there is something to learn."""
    for crash in range(1, 20):
        store, names = store_with(days=1)
        whole = len(store.writes)
        store.crash_at = whole + crash
        with contextlib.suppress(Crash):
            put(store, csv("id", names))
        store.crash_at = None
        assert put(store, csv("id", names))["new"] == 20
        assert len(learned(store)) == 20


def test_of_a_key_predicted_twice_a_day_the_last_row_is_learned_from() -> None:
    store, _ = store_with(days=1)
    capture(store, SPEC, enumerate_events(served("r9", START + 999, [[7.0, "b", "k0-3"]]), 900))
    answer = put(store, csv("id", ["k0-3", "k0-4"]))
    assert (answer["predictions"], answer["labelled"], answer["accepted"]) == (3, 3, 2)
    found = dataset.current(store, SPEC)
    assert found is not None
    (rows,) = read_parts(store, SPEC, found.parts)
    assert dict(zip(rows.columns["id"], rows.columns["x"], strict=True)) == {"k0-3": 7, "k0-4": 4}


def test_rows_of_a_window_that_is_held_back_are_not_learned_from_until_it_is_let_go() -> None:
    store, names = store_with()
    put(store, csv("id", names[:40]))
    midnight = START - START % DAY
    mark = [midnight, midnight + DAY, 1]  # the first day of the version that answered then
    store.put(keys.quarantined_windows("toy"), json.dumps([mark]).encode())
    (report,) = look_again(store, SPEC, [1, 2], later(1), DAY)["gathered"]
    assert (report["labelled"], report["accepted"], report["new"]) == (20, 0, 0)
    assert report["reasons"] == {f"{HELD_BACK}|": 20}
    held = gzip.decompress(store.get(keys.quarantine("toy", "labels-2013-02-01"))).splitlines()
    assert [json.loads(json.loads(line)["text"])["id"] for line in held] == names[:20]
    assert set(learned(store)) == {f"k1-{i}" for i in range(20)}
    assert set(labels_in(store)) == set(names[:40])  # the monitor goes on judging them
    store.put(keys.quarantined_windows("toy"), b"[]")
    (report,) = look_again(store, SPEC, [1, 2], later(2), DAY)["gathered"]
    assert (report["accepted"], report["new"]) == (20, 20)
    assert gzip.decompress(store.get(keys.quarantine("toy", "labels-2013-02-01"))) == b""


def test_made_up_ids_cost_no_search() -> None:
    store, _ = store_with(days=1)
    far = ids.prediction_ids("r", 2**46, 1)
    assert put(store, csv("id", far))["unmatched"] == 1


def test_half_a_character_in_a_served_row_costs_that_row_only() -> None:
    """JSON may hold one where UTF-8, and so Parquet, cannot."""
    store, sent = Memory(), [[1.0, "a\ud800", "k0"], [2.0, "b", "k1"]]
    capture(store, SPEC, enumerate_events(served("r", START, sent)))
    answer = put(store, csv("id", ids.prediction_ids("r", START, 2)))
    assert (answer["matched"], answer["accepted"]) == (2, 1)
    with pytest.raises(BadRequest, match="not a text"):
        from_request(SPEC, {"labels": [{"key": "k0", "label": "\udfff"}]}, NOW)


def test_a_long_wrong_value_is_not_said_back() -> None:
    body = {"labels": [{"id": "x" * 1_000_000, "label": 1}]}
    with pytest.raises(BadRequest) as caught:
        from_request(SPEC, body, NOW)
    assert len(str(caught.value)) < 200


@given(window=st.integers(1, 14 * 24), age=st.integers(0, 62 * 24))
def test_claims_are_tried_ever_less_often_and_never_missed_by_long(window: int, age: int) -> None:
    """Hours. Whatever the window, what comes late is found by twice its age and a window."""
    hour = DAY // 24
    ticks = range(0, 200 * 24, window)
    tried = [t for t in ticks if due(0, t * hour, window * hour)]
    assert any(age < t <= max(2 * age, 48) + window + 48 for t in tried)
    assert len([t for t in tried if t >= 48]) <= 8


def test_claims_kept_for_later_all_get_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many wait that never find anything."""
    monkeypatch.setattr("driftloop.labels.MOST_RETRIED", 10)
    store, names = store_with(days=1)
    for i in range(40):
        lost = {"label": "1", "said": START, "id": ids.prediction_ids(f"lost-{i}", START, 1)[0]}
        body = gzip.compress(json.dumps(lost | {"id": names[0]} if i == 17 else lost).encode())
        store.put(keys.unmatched_labels("toy", "2013-02-20", f"{i:02d}.jsonl.gz"), body)
    for hour in range(47):
        assert look_again(store, SPEC, [1], later(hour / 24), DAY // 24)["tried"] <= 10
    assert names[0] in labels_in(store)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["id", "key"])
def test_a_month_of_labels_is_joined_at_once(by: str) -> None:
    store, names = store_with(days=19, rows=1430)
    keyed = [f"k{day}-{i}" for day in range(19) for i in range(1430)]
    answer = put(store, csv("id", names if by == "id" else keyed))
    assert (answer["matched"], answer["accepted"]) == (27_170, 27_170)


def test_a_label_file_may_have_any_format() -> None:
    _, names = store_with()
    rows = [{"id": name, "y": 1} for name in names[:2]]
    lines = "\n".join(map(json.dumps, rows)).encode()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    found = [from_file(SPEC, data, "f", NOW).claims for data in (lines, sink.getvalue())]
    assert found == [from_file(SPEC, csv("id", names[:2]), "f", NOW).claims] * 2
