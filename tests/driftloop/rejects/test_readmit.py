"""Rejected rows go in again once each, whatever dies or hurries in between."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop import keys
from driftloop.errors import BadRequest, DriftloopError, RegistryConflict
from driftloop.rejects import mending, readmit
from driftloop.rejects.quarantine import LONGEST_TEXT
from driftloop.rejects.rejected import Held, Readmission, holdings, rows
from driftloop.uploads.upload import role
from tests.driftloop.held import CSV, JSON, NOW, again, buckets, hold, rejected
from tests.driftloop.memory import Crash, Memory


def send(store: Memory, landing: Memory, held: Held, rule: str | None = None) -> list[Readmission]:
    chosen = readmit.as_they_stood(held, rows(store, "toy", held), rule)
    return list(readmit.send(store, landing, "store", "toy", held, chosen, NOW))


def mend(store: Memory, landing: Memory, held: Held, text: str) -> list[Readmission]:
    given = list(mending.read_csv(io.StringIO(text, newline="")))
    chosen = readmit.mended(held, rows(store, "toy", held), given)
    return list(readmit.send(store, landing, "store", "toy", held, chosen, NOW))


def test_rows_go_in_as_they_stood_under_the_header_of_their_file() -> None:
    store, landing = buckets()
    shape = {"format": "csv", "header": ["id", "a;b"], "delimiter": ";"}
    held = hold(store, rejected(3, '1;"x\ny"'), rejected(5, "2;z"), shape=shape)
    (record,) = send(store, landing, held)
    assert landing.objects == {record.key: b'id;"a;b"\n1;"x\ny"\n2;z\n'}
    assert keys.readmitted_from(record.key) == held.upload
    assert record.lines == {"": [3, 5]} and record.reasons == {"not_a_number|hour": 2}


def test_rows_of_json_and_of_parquet_go_in_as_json_lines() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, '{"id": 1}'), rejected(5, '{"id": 2}'), shape=JSON)
    (record,) = send(store, landing, held)
    assert landing.objects == {record.key: b'{"id": 1}\n{"id": 2}\n'}


def test_files_of_one_upload_go_in_by_the_form_they_had() -> None:
    store, landing = buckets()
    shapes = {"a": CSV, "b": JSON, "c": {**CSV, "delimiter": "\t"}, "d": CSV}
    files = [{"key": key, "shape": shape} for key, shape in shapes.items()]
    texts = {"a": "1,2,3", "b": "{}", "c": "1\t2\t3", "d": "4,5,6"}
    held = hold(store, *(rejected(2, text, file=f) for f, text in texts.items()), files=files)
    sent = send(store, landing, held)
    assert [record.lines for record in sent] == [{"a": [2], "d": [2]}, {"b": [2]}, {"c": [2]}]
    assert [record.number for record in sent] == [1, 2, 3]
    assert again(store, held.upload).held == 0


def test_what_would_not_be_the_same_row_again_wants_mending_and_duplicates_a_word() -> None:
    store, landing = buckets()
    held = hold(store, rejected(2, 'k1,"x', "unreadable_row", ""),
                rejected(4, 'k2",1,A', "unreadable_row", ""),
                rejected(5, "k," + "A" * LONGEST_TEXT, "too_long", "carrier"),
                rejected(6, "k1,1,A", "duplicate", "id"))  # fmt: skip
    assert send(store, landing, held) == []
    assert send(store, landing, held, "unreadable_row") == []
    (record,) = send(store, landing, held, "duplicate")
    assert record.lines == {"": [6]}


def test_no_row_goes_in_twice() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"), rejected(5, "a,x,AA"))
    first = mend(store, landing, held, f"upload,line,id,hour,carrier\n{held.upload},3,a,1,AA\n")
    held = again(store, held.upload)
    with pytest.raises(BadRequest, match=r"line 2: line 3 of upload .* not in quarantine"):
        mend(store, landing, held, f"upload,line,id,hour,carrier\n{held.upload},3,a,1,AA\n")
    second = mend(store, landing, held, f"upload,line,id,hour,carrier\n{held.upload},5,a,1,AA\n")
    assert first[0].key != second[0].key  # the same text, but another row
    assert again(store, held.upload).held == 0
    assert send(store, landing, again(store, held.upload)) == []


def test_of_two_at_the_same_moment_one_is_told_to_repeat() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"), rejected(5, "b,,AA", "null"))
    send(store, landing, held, "null")
    with pytest.raises(RegistryConflict, match="repeat the command"):
        send(store, landing, held)  # from what it read before
    assert len(landing.objects) == 1


def test_mended_rows_go_in_as_they_are_now() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"), rejected(5, 'b,"1', "unreadable_row", ""))
    file = (
        "upload,file,line,rule,field,value,text,id,hour,carrier,elsewhere\n"
        f'{held.upload},{held.key},3,,,,,a,7,"A,A",\n{held.upload},,5,,,,,b,\'=1,,\n'
    )
    (record,) = mend(store, landing, held, file)
    lines = list(csv.reader(landing.objects[record.key].decode().splitlines()))
    assert lines == [["id", "hour", "carrier"], ["a", "7", "A,A"], ["b", "=1", ""]]


def test_mended_values_of_json_keep_their_type() -> None:
    store, landing = buckets()
    stood = {"id": 7, "hour": "x", "carrier": None, "temp": 1.5}
    held = hold(store, rejected(3, json.dumps(stood)), shape=JSON)
    mend(store, landing, held, f"upload,line,id,hour,carrier,temp\n{held.upload},3,7,12,AA,-2\n")
    (body,) = landing.objects.values()
    assert json.loads(body) == {"id": 7, "hour": "12", "carrier": "AA", "temp": -2}


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["3,a,1,AA", "3,a,1,AA"], "line 3: line 3 of .* given twice"),
        (["3,,,"], "line 2: nothing is filled in"),
        (["4,a,1,AA"], "line 2: line 4 of upload .* is not in quarantine"),
    ],
)
def test_a_mended_row_that_is_none_stops_all(lines: list[str], words: str) -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"))
    text = "".join(f"{held.upload},{line}\n" for line in lines)
    with pytest.raises(BadRequest, match=words):
        mend(store, landing, held, "upload,line,id,hour,carrier\n" + text)
    assert not landing.objects


def test_a_column_that_lost_its_name_in_mending_costs_no_row() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"))
    file = f"upload,line,id,hour,carier\n{held.upload},3,a,7,AA\n"
    with pytest.raises(BadRequest, match=r"line 2: .*'carier', and .*'carrier'"):
        mend(store, landing, held, file)
    assert not landing.objects
    assert holdings(store, "toy")[0].held == 1


def test_an_upload_that_was_refused_goes_in_whole_and_once_law_1() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"), refused_rows=1, refused=[b"as it was"])
    with pytest.raises(BadRequest, match="refused whole"):
        mend(store, landing, held, f"upload,line,id\n{held.upload},3,a\n")
    record = readmit.send_whole(store, landing, "store", "toy", held, NOW)
    assert landing.objects == {f"incoming/toy/readmitted-{held.upload}.csv": b"as it was"}
    later = again(store, held.upload)
    assert (later.held, later.readmitted, later.whole) == (0, 2, True)
    assert not later.reasons_now and not list(rows(store, "toy", later))
    with pytest.raises(RegistryConflict):
        readmit.send_whole(store, landing, "store", "toy", held, NOW)
    assert record.whole and keys.readmitted_from(record.key) is None


def test_files_that_were_refused_go_in_as_a_folder_whose_marker_is_last() -> None:
    store, landing = buckets()
    held = hold(store, key="incoming/toy/jan/_SUCCESS", refused=[b"1", b"2"])
    readmit.send_whole(store, landing, "store", "toy", held, NOW)
    folder = f"incoming/toy/readmitted-{held.upload}"
    assert landing.writes == [f"{folder}/00000", f"{folder}/00001", f"{folder}/_SUCCESS"]
    assert role("toy", landing.writes[-1]) == "marker"


def test_what_was_readmitted_and_refused_again_completes_the_same_upload() -> None:
    store, landing = buckets()
    root = "0123456789abcdef"
    key = keys.readmitted("toy", root, "f" * 64, "csv")
    held = hold(store, rejected(3, "a,x,AA"), key=key)
    (record,) = send(store, landing, held)
    assert keys.readmitted_from(record.key) == root
    other = keys.readmitted("toy", root, "e" * 64, "csv")
    refused = hold(store, rejected(3, "a,x,AA"), key=other, refused=[b"as it was"])
    whole = readmit.send_whole(store, landing, "store", "toy", refused, NOW)
    assert keys.readmitted_from(whole.key) == root


def everything(store: Memory, landing: Memory) -> None:
    """What the command does, as often as it is asked."""
    for record in readmit.unfinished(holdings(store, "toy"), landing):
        readmit.deliver(store, landing, record, "store")
    for held in holdings(store, "toy"):
        if not held.error:
            send(store, landing, held)
        elif not held.whole:
            readmit.send_whole(store, landing, "store", "toy", held, NOW)


def crashes() -> Iterator[tuple[Memory, Memory]]:
    """Stores of which the one or the other dies at its n-th write."""
    for point in range(20):
        for at in ("store", "landing"):
            store, landing = buckets()
            hold(store, rejected(3, "a,x,AA"), rejected(5, "b,y,AA"))
            hold(store, rejected(3, "{}"), key="incoming/toy/feb", shape=JSON)
            hold(store, rejected(2, "a,x,AA"), key="incoming/toy/march", refused=[b"as it was"])
            hold(store, rejected(2, "x"), key="incoming/toy/april/_SUCCESS", refused=[b"1", b"2"])
            dying = store if at == "store" else landing
            dying.crash_at = len(dying.writes) + point
            yield store, landing


def test_from_any_crash_point_repeating_comes_to_the_same_end_law_1() -> None:
    ends = []
    died = 0
    for store, landing in crashes():
        try:
            everything(store, landing)
        except Crash:
            died += 1
        store.crash_at = landing.crash_at = None
        everything(store, landing)
        ends.append((store.objects, landing.objects))
        assert len(landing.objects) == 6  # of the folder two files and what makes it an upload
    assert died == 12  # six writes of either
    assert all(end == ends[0] for end in ends)


def test_what_arrived_is_not_delivered_again_though_its_object_is_gone() -> None:
    store, landing = buckets()
    held = hold(store, rejected(3, "a,x,AA"))
    (record,) = send(store, landing, held)
    hold(store, key=record.key)  # ingest took it in
    landing.objects.clear()
    assert readmit.unfinished(holdings(store, "toy"), landing) == []


shapes = st.sampled_from([CSV, {**CSV, "delimiter": ";"}, JSON])
kinds = st.sampled_from(["not_a_number", "null", "duplicate", "unreadable_row"])
steps = st.lists(st.one_of(st.none(), kinds, st.sets(st.integers(2, 12))), max_size=5)


@settings(deadline=None)
@given(st.lists(kinds, max_size=10), shapes, steps)
def test_whatever_is_asked_in_whatever_order_every_row_is_in_one_place_law_1(
    found: list[str], shape: dict[str, Any], asked: list[str | set[int] | None]
) -> None:
    store, landing = buckets()
    row = {"id": "k", "hour": "x", "carrier": "A"}
    text = json.dumps(row) if shape is JSON else shape["delimiter"].join(row.values())
    held = hold(store, *(rejected(n, text, rule) for n, rule in enumerate(found, 2)), shape=shape)
    for ask in asked:
        held = again(store, held.upload)
        if isinstance(ask, set):
            lines = "".join(f"{held.upload},{n},k,{n},A\n" for n in ask)
            there = {r.line for r in rows(store, "toy", held)}
            try:
                mend(store, landing, held, "upload,line,id,hour,carrier\n" + lines)
            except DriftloopError:
                assert not ask <= there
        else:
            send(store, landing, held, ask)
    held = again(store, held.upload)
    left = [r.line for r in rows(store, "toy", held)]
    went = [n for record in held.readmissions for n in record.lines[""]]
    assert sorted(left + went) == list(range(2, len(found) + 2))
    assert held.held == len(left) == sum(held.reasons_now.values())
    arrived = [body.decode().count("\n") - (shape is not JSON or key.endswith("csv"))
               for key, body in landing.objects.items()]  # fmt: skip
    assert sum(arrived) == len(went) == held.readmitted
