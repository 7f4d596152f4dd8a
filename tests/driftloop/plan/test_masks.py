"""Masks, walks and the trees as written answer the same, bit for bit, for any plan and rows."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.plan import load, masks, schema, walk

from . import random_plans

SEEDS = st.integers(0, 2**32 - 1)


def as_written(plan, row):
    """The answer as the schema's docstring says it, one node after the other."""
    model, totals = plan["model"], list(plan["model"]["start"])
    for tree in model["trees"]:
        n = 0
        while (i := tree["input"][n]) >= 0:
            at, x = tree["at"][n], row[i]
            if plan["inputs"][i]["type"] == "category":
                left = int(at, 16) >> x & 1
            elif math.isnan(x):
                left = tree["missing_left"][n]
            else:
                left = at is None or x <= at
            n = n + 1 if left else tree["right"][n]
        for k in range(len(totals)):
            if tree["output"] == k:
                totals[k] += tree["at"][n]
            elif tree["output"] is None:
                totals[k] += tree["at"][n][k]
    return [total / model["divide"] for total in totals]


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.sampled_from([1, 3]), st.sampled_from([0, 1, 3, 12, 40]), st.integers(0, 30))
def test_every_way_gives_the_same_bits(seed, outputs, splits, count):
    plan = random_plans.trees(seed, outputs=outputs, most_splits=splits, count=count)
    scorer, draw = load(schema.dump(plan)), random.Random(seed)
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(draw.randrange(9))]
    expected = [[as_written(plan, row)[k] for row in rows] for k in range(outputs)]
    model, inputs = plan["model"], plan["inputs"]
    assert masks.fit(model, inputs)
    assert masks.outputs(model, inputs)(rows) == expected
    assert walk.outputs(model, inputs)(rows) == expected


@pytest.mark.parametrize("splits", [6, 7, 8, 254, 255])
def test_trees_fill_their_bytes_to_the_last_bit(splits):
    plan = random_plans.trees(3, most_splits=0, count=0)
    draw = random.Random(splits)
    plan["model"]["trees"] = [
        random_plans.tree(draw, plan["inputs"], n, 0, 1) for n in (splits, 0, splits, 5)
    ]
    scorer = load(schema.dump(plan))
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(50)]
    assert masks.fit(plan["model"], plan["inputs"])
    assert [[as_written(plan, row)[0] for row in rows]] == scorer._outputs(rows)


def test_rows_are_taken_in_chunks_and_alone_as_together(monkeypatch):
    plan = random_plans.trees(11, outputs=3, count=40)
    scorer, draw = load(schema.dump(plan)), random.Random(11)
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(100)]
    together = scorer.score(rows)
    assert together == [scorer.score([row])[0] for row in rows]
    monkeypatch.setattr(masks, "MANY", 7)
    assert scorer.score(rows) == together
    assert scorer.score([]) == []


def test_trees_for_one_output_and_for_all_may_be_mixed():
    plan, draw = random_plans.trees(5, outputs=3, count=0), random.Random(5)
    plan["model"]["trees"] = [
        random_plans.tree(draw, plan["inputs"], 5, output, 3) for output in (2, None, 0, None, 1)
    ]
    scorer = load(schema.dump(plan))
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(9)]
    raw = zip(*scorer._outputs(rows), strict=True)
    assert [list(outputs) for outputs in raw] == [as_written(plan, row) for row in rows]


def test_what_would_take_too_much_memory_is_walked(monkeypatch):
    plan = random_plans.trees(11, count=40)
    assert masks.fit(plan["model"], plan["inputs"])
    monkeypatch.setattr(masks, "MOST_BYTES", 1_000)
    assert not masks.fit(plan["model"], plan["inputs"])
    monkeypatch.undo()
    draw = random.Random(1)
    plan["model"]["trees"] = [random_plans.tree(draw, plan["inputs"], 256, 0, 1)]
    assert not masks.fit(plan["model"], plan["inputs"])
    scorer = load(schema.dump(plan))
    row = scorer.row(random_plans.instance(plan, draw))
    assert scorer.score([row]) == as_written(plan, row)
