"""Captures and labels → what two versions answered."""

import numpy as np
import pytest

from driftloop import keys
from driftloop.captured import pack
from driftloop.ids import prediction_ids
from driftloop.releasing.observed import Look, observed
from driftloop.when import from_ms
from tests.driftloop.memory import Memory

START = 1_359_676_800_000  # 2013-02-01
HOUR = 3_600_000


def record(identity, version, role, prediction):
    return {"id": identity, "time": 0, "version": version, "role": role, "request": identity[:13],
            "features": {}, "prediction": prediction}  # fmt: skip


def keep(store, version, records, hour=0, name="0a"):
    at = from_ms(START + hour * HOUR)
    key = keys.captures("m", version, f"{at:%Y-%m-%d}", f"{at:%H}", f"{name}.jsonl.gz")
    store.put(key, pack(records))


def label(store, ids, truth):
    day = f"{from_ms(START):%Y-%m-%d}"
    entries = [{"id": i, "label": truth, "time": 5} for i in ids]
    store.put(keys.labels("m", day, "x.jsonl.gz"), pack(entries))


def looks(classes=("0", "1"), end=2):
    return [Look(v, from_ms(START), from_ms(START + end * HOUR), classes) for v in (1, 2)]


@pytest.fixture
def store():
    return Memory()


def test_a_shadow_and_its_champion_are_put_side_by_side(store):
    ids = [i for n in range(4) for i in prediction_ids(f"q{n}", START + n, 2)]
    keep(store, 1, [record(i, 1, "champion", 0.2) for i in ids])
    keep(store, 2, [record(i, 2, "shadow", 0.9) for i in ids[2:]] * 2)  # delivered twice
    label(store, ids[:4], "0")
    champion, challenger = observed(store, "m", "log_loss", *looks(), paired=True)
    assert champion.requests == challenger.requests and len(champion.scores) == 6
    assert set(champion.scores) == {0.2} and set(challenger.scores) == {0.9}
    ours, names = challenger.labelled()
    np.testing.assert_allclose(ours, -np.log(0.1))
    np.testing.assert_allclose(champion.labelled()[0], -np.log(0.8))
    assert len(names) == 2


def test_only_what_was_answered_since_counts(store):
    inside, late = prediction_ids("q", START + HOUR, 1), prediction_ids("z", START + 3 * HOUR, 1)
    before = prediction_ids("b", START - 1, 1)
    keep(store, 1, [record(inside[0], 1, "champion", 0.1), record(late[0], 1, "champion", 0.7)], 1)
    keep(store, 1, [record(before[0], 1, "champion", 0.9)], -1)
    batch = prediction_ids("file", START + HOUR, 3)
    keep(store, 2, [record(i, 2, "batch", 0.5) for i in batch], 1)
    champion, challenger = observed(store, "m", "log_loss", *looks(), paired=False)
    assert list(champion.scores) == [0.1]
    assert len(challenger.scores) == 0 and challenger.labelled() == (pytest.approx([]), [])


def test_a_class_a_version_never_learned_tells_nothing_of_it(store):
    ids = prediction_ids("q", START, 3)
    keep(store, 1, [record(i, 1, "champion", [0.2, 0.3, 0.5]) for i in ids])
    keep(store, 2, [record(i, 2, "challenger", [0.2, 0.8]) for i in ids])
    label(store, ids, "c")
    old, new = looks()
    champion, challenger = observed(
        store, "m", "log_loss", Look(1, old.since, old.until, ["a", "b", "c"]),
        Look(2, new.since, new.until, ["a", "b"]), paired=False,
    )  # fmt: skip
    assert len(champion.labelled()[0]) == 3 and not len(challenger.labelled()[0])


def test_of_very_many_objects_the_same_are_read_for_both(store, monkeypatch):
    monkeypatch.setattr("driftloop.releasing.observed.MOST_OBJECTS", 5)
    for n in range(40):
        ids = prediction_ids(f"q{n}", START + n, 1)
        for version, role in ((1, "champion"), (2, "shadow")):
            keep(
                store, version, [record(ids[0], version, role, n / 40)], name=f"{n * 7919 % 97:02x}"
            )
    champion, challenger = observed(store, "m", "log_loss", *looks(), paired=True)
    assert len(champion.scores) == 5 and list(champion.scores) == list(challenger.scores)
