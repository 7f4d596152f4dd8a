"""Labels: joined to what was served, by id or key, once; and learned from."""

from __future__ import annotations

import gzip
import io
import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftloop import ids, keys
from driftloop.capture import capture
from driftloop.claims import from_file, from_request
from driftloop.data import dataset
from driftloop.errors import BadRequest, RequestTooLarge, WrongColumns
from driftloop.labels import join
from tests.driftloop.intaking import read_parts
from tests.driftloop.memory import Memory
from tests.driftloop.test_capture import SPEC, START, enumerate_events, served

NOW = "2013-02-20T00:00:00.000Z"
DAY = 86_400_000


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
    return join(store, SPEC, from_file(SPEC, data, name, now), [2, 1], now)


def labels_in(store: Memory) -> dict[str, str]:
    found = {}
    for key in store.list("toy/labels/dt="):
        for line in gzip.decompress(store.get(key)).splitlines():
            entry = json.loads(line)
            found[entry["id"]] = entry["label"]
    return found


def test_labels_by_prediction_id_become_labels_and_a_part() -> None:
    store, names = store_with()
    answer = put(store, csv("id", names))
    assert (answer["matched"], answer["unmatched"], answer["rows"]) == (60, 0, 60)
    assert labels_in(store) == dict.fromkeys(names, "1")
    days = {key.split("/")[2] for key in store.list("toy/labels/dt=")}
    assert days == {"dt=2013-02-01", "dt=2013-02-02", "dt=2013-02-03"}
    found = dataset.current(store, SPEC)
    assert found is not None
    (part,) = found.parts
    assert (part.rows, part.source, part.ingested) == (60, "labels", NOW)
    (rows,) = read_parts(store, SPEC, found.parts)
    assert rows.columns["id"].tolist()[:2] == ["k0-0", "k0-1"]
    assert rows.columns["y"].tolist() == ["1"] * 60


def test_a_shadow_shares_the_label_and_adds_no_row() -> None:
    """The answer and what a shadow made of its row have one id: one label, one row to learn."""
    store, names = store_with()
    sent = [[float(i), "ab"[i % 2], f"k0-{i}"] for i in range(20)]
    beside = served("r0", START, sent, version=2, role="shadow", predictions=[0.75] * 20)
    capture(store, SPEC, enumerate_events(beside, 9_000))
    for column in (names, [f"k{day}-{i}" for day in range(3) for i in range(20)]):
        answer = put(store, csv("id", column), name=f"f{column[0]}")
        assert (answer["matched"], answer["predictions"], answer["rows"]) == (60, 60, 60)
    assert labels_in(store) == dict.fromkeys(names, "1")
    alone = put(store_with()[0], csv("id", names))
    again = put(store, csv("id", names))
    assert again["part"] == alone["part"]


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


def test_unknown_ids_are_counted_kept_and_joined_later() -> None:
    store, names = store_with(days=1)
    early = ids.prediction_ids("late", START + DAY, 2)
    answer = put(store, csv("id", [*names[:3], *early]))
    assert (answer["matched"], answer["unmatched"]) == (3, 2)
    assert list(store.list(keys.unmatched_labels("toy")))
    lines = served("late", START + DAY, [[1, "a", "z1"], [2, "b", "z2"]])
    capture(store, SPEC, enumerate_events(lines, 99))
    put(store, csv("id", [names[5]]), "another", "2013-02-21T00:00:00.000Z")
    assert set(early) < set(labels_in(store))
    (kept,) = [gzip.decompress(store.get(k)) for k in store.list(keys.unmatched_labels("toy"))]
    assert kept == b""


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


def test_a_request_is_joined() -> None:
    store, names = store_with()
    asked = {"labels": [{"id": names[0], "label": 1}, {"key": "k1-3", "label": True}]}
    claims = from_request(SPEC, asked, NOW)
    answer = join(store, SPEC, claims, [1, 2], NOW)
    assert answer["matched"] == 2
    assert set(labels_in(store).values()) == {"1"}


def test_made_up_ids_cost_no_search() -> None:
    store, _ = store_with(days=1)
    far = ids.prediction_ids("r", 2**46, 1)
    assert put(store, csv("id", far))["unmatched"] == 1


def test_half_a_character_in_a_served_row_costs_that_row_only() -> None:
    """JSON may hold one where UTF-8, and so Parquet, cannot."""
    store, sent = Memory(), [[1.0, "a\ud800", "k0"], [2.0, "b", "k1"]]
    capture(store, SPEC, enumerate_events(served("r", START, sent)))
    answer = put(store, csv("id", ids.prediction_ids("r", START, 2)))
    assert (answer["matched"], answer["rows"]) == (2, 1)
    with pytest.raises(BadRequest, match="not a text"):
        from_request(SPEC, {"labels": [{"key": "k0", "label": "\udfff"}]}, NOW)


def test_a_long_wrong_value_is_not_said_back() -> None:
    body = {"labels": [{"id": "x" * 1_000_000, "label": 1}]}
    with pytest.raises(BadRequest) as caught:
        from_request(SPEC, body, NOW)
    assert len(str(caught.value)) < 200


def test_claims_kept_for_later_all_get_their_turn() -> None:
    """However many files wait that never find anything."""
    store, names = store_with(days=1)
    stuck = [f"{i:016x}" for i in range(0, 256 << 56, 1 << 56)]  # spread as hashes are
    for name in stuck:
        lost = {"label": "1", "said": START, "id": ids.prediction_ids(name, START, 1)[0]}
        key = keys.unmatched_labels("toy", f"{name}.jsonl.gz")
        store.put(key, gzip.compress(json.dumps(lost).encode()))
    late = {"label": "1", "said": START, "id": names[0]}
    last = keys.unmatched_labels("toy", "ff00.jsonl.gz")
    store.put(last, gzip.compress(json.dumps(late).encode()))
    for i in range(16):
        put(store, csv("id", [names[1]]), f"{i:x}8")
    assert names[0] in labels_in(store)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["id", "key"])
def test_a_month_of_labels_is_joined_at_once(by: str) -> None:
    store, names = store_with(days=19, rows=1430)
    keyed = [f"k{day}-{i}" for day in range(19) for i in range(1430)]
    answer = put(store, csv("id", names if by == "id" else keyed))
    assert (answer["matched"], answer["rows"]) == (27_170, 27_170)


def test_a_label_file_may_have_any_format() -> None:
    _, names = store_with()
    rows = [{"id": name, "y": 1} for name in names[:2]]
    lines = "\n".join(map(json.dumps, rows)).encode()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    found = [from_file(SPEC, data, "f", NOW).claims for data in (lines, sink.getvalue())]
    assert found == [from_file(SPEC, csv("id", names[:2]), "f", NOW).claims] * 2
