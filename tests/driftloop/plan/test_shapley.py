"""Explanations are the Shapley values of the game they say they are, and add up to the answer."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import BadRequest, RequestTooLarge
from driftloop.plan import compile, load, schema, shapley
from driftloop.plan.quadrature import gauss_legendre

from . import random_plans

SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(max_examples=40, deadline=None)


def worth(tree, inputs, row, known):
    """The mean output of a tree given the inputs of ``known``, straight from the definition."""
    covers = iter(tree["cover"])
    cover = {n: next(covers) for n, i in enumerate(tree["input"]) if i < 0}

    def weight(n):
        return cover[n] if n in cover else weight(n + 1) + weight(tree["right"][n])

    def mean(n):
        i, at = tree["input"][n], tree["at"][n]
        if i < 0:
            return at
        if i not in known:
            left, right = weight(n + 1), weight(tree["right"][n])
            return (left * mean(n + 1) + right * mean(tree["right"][n])) / (left + right)
        if inputs[i]["type"] == "category":
            goes_left = int(at, 16) >> row[i] & 1
        elif math.isnan(row[i]):
            goes_left = tree["missing_left"][n]
        else:
            goes_left = at is None or row[i] <= at
        return mean(n + 1) if goes_left else mean(tree["right"][n])

    return mean(0)


def brute_force(game, players):
    """Shapley's formula over all coalitions."""
    found = []
    for i in range(players):
        others = [j for j in range(players) if j != i]
        total = 0.0
        for size in range(players):
            share = math.factorial(size) * math.factorial(players - 1 - size)
            for chosen in itertools.combinations(others, size):
                gain = game({*chosen, i}) - game(set(chosen))
                total += share / math.factorial(players) * gain
        found.append(total)
    return found


@QUICK
@given(SEEDS)
def test_trees_are_explained_as_by_brute_force(seed):
    plan = random_plans.trees(seed, inputs=4, count=2)
    scorer, draw = load(schema.dump(plan)), random.Random(seed)
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(3)]
    model, inputs = plan["model"], plan["inputs"]

    def game(known, row):
        total = sum(worth(tree, inputs, row, known) for tree in model["trees"])
        return (model["start"][0] + total) / model["divide"]

    found = scorer.explain(rows)
    assert found.scale == "value"
    for row, [of_output] in zip(rows, found.contributions, strict=True):
        expected = brute_force(lambda known, row=row: game(known, row), len(inputs))
        assert of_output == pytest.approx(expected, abs=1e-12)
    assert found.base == [pytest.approx(game(set(), rows[0]), abs=1e-12)]


@QUICK
@given(SEEDS, st.sampled_from([1, 3]), st.sampled_from([random_plans.trees, random_plans.linear]))
def test_contributions_add_up_to_the_output_before_its_link(seed, outputs, make):
    plan = make(seed, outputs=outputs)
    scorer, draw = load(schema.dump(plan)), random.Random(seed)
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(5)]
    if make is random_plans.linear:  # 1e30 would hide what the others add
        rows = [tuple(x if x != x or abs(x) < 1e6 else 1.0 for x in row) for row in rows]
    found = scorer.explain(rows)
    raw = zip(*compile.outputs(plan)(rows), strict=True)
    for outputs_of_row, contributions in zip(raw, found.contributions, strict=True):
        sums = [b + sum(c) for b, c in zip(found.base, contributions, strict=True)]
        assert sums == pytest.approx(list(outputs_of_row), abs=1e-9)


@QUICK
@given(SEEDS)
def test_rows_explained_together_are_explained_as_alone(seed):
    plan = random_plans.trees(seed)
    scorer, draw = load(schema.dump(plan)), random.Random(seed)
    rows = [scorer.row(random_plans.instance(plan, draw)) for _ in range(20)]
    together = scorer.explain(rows).contributions
    assert together == [scorer.explain([row]).contributions[0] for row in rows]


def test_a_linear_model_is_explained_against_the_mean_of_its_terms():
    plan = random_plans.linear(4, inputs=3)
    scorer = load(schema.dump(plan))
    model = plan["model"]
    [weights], [means], [intercept] = model["weights"], model["background"], model["intercept"]
    row = scorer.row({f"n{i}": None for i in range(3)})
    terms = [w * x if isinstance(w, float) else w[x] for w, x in zip(weights, row, strict=True)]
    found = scorer.explain([row])
    assert found.base == [pytest.approx(intercept + sum(means))]
    expected = [t - m for t, m in zip(terms, means, strict=True)]
    assert found.contributions == [[pytest.approx(expected)]]


def test_law_10_an_explanation_that_overflows_is_refused_not_served():
    plan = random_plans.linear(4, inputs=3)
    plan["model"]["weights"][0][0] = 1e3
    scorer = load(schema.dump(plan))
    rows = [scorer.row({f"n{i}": value for i in range(3)}) for value in (None, 1.7e308)]
    with pytest.raises(BadRequest, match="so extreme") as caught:
        scorer.explain(rows)
    assert caught.value.field == "instances[1]"


def test_very_deep_paths_over_many_inputs_stay_exact():
    """One leaf behind 60 inputs."""
    depth = 60
    at = [v for _ in range(depth) for v in (0.0, 0.0)] + [1.0]
    tree = {
        "input": [v for i in range(depth) for v in (i, -1)] + [-1],
        "at": at,
        "right": [v for i in range(depth) for v in (2 * i + 2, 0)] + [0],
        "missing_left": [0] * len(at),
        "output": 0,
        "cover": [1.0] * depth + [1e-3],
    }
    plan = random_plans.trees(0, inputs=depth, count=0)
    number = {"type": "number", "nullable": True, "min": None, "max": None} | dict.fromkeys(
        ("missing", "center", "scale")
    )
    plan["inputs"] = [number | {"name": f"n{i}"} for i in range(depth)]
    plan["model"] |= {"start": [0.0], "divide": 1, "trees": [tree]}
    scorer = load(schema.dump(plan))
    rows = [(1.0,) * depth, (1.0,) * 30 + (-1.0,) * 30]
    found = scorer.explain(rows)
    for row, [of_output] in zip(rows, found.contributions, strict=True):
        total = found.base[0] + math.fsum(of_output)
        assert total == pytest.approx(float(min(row) > 0), abs=1e-14)


def test_what_may_be_asked_at_once_is_bounded(monkeypatch):
    plan = random_plans.trees(1)
    scorer = load(schema.dump(plan))
    rows = [scorer.row({f"n{i}": None for i in range(5)})] * (scorer.explainable + 1)
    assert scorer.explainable == 100
    with pytest.raises(RequestTooLarge, match="101 rows to explain; at most 100"):
        scorer.explain(rows)
    assert scorer.explain([]).contributions == []
    leaves = sum(len(tree["cover"]) for tree in plan["model"]["trees"])
    for most, expected in ((3 * leaves, 3), (leaves - 1, 0)):
        monkeypatch.setattr(shapley, "MOST_LEAVES", most)
        assert scorer.explainable == expected
    with pytest.raises(BadRequest, match="its trees have more than"):
        scorer.explain([])


def test_loading_a_plan_does_not_prepare_explanations(monkeypatch):
    monkeypatch.setattr(shapley, "explain", lambda *_: pytest.fail("explained"))
    plan = random_plans.trees(1)
    scorer = load(schema.dump(plan))
    scorer.score([scorer.row({f"n{i}": None for i in range(5)})])


@pytest.mark.parametrize("points", [1, 2, 3, 8, 30])
def test_the_rule_of_integration_is_exact_for_polynomials(points):
    rule = gauss_legendre(points)
    for power in range(2 * points):
        exact = 1 / (power + 1)
        assert sum(w * x**power for x, w in rule) == pytest.approx(exact, rel=1e-13)
