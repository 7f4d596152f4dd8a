"""A plan is data: malformed ones are refused with the place, and nothing in one is executed."""

import copy
import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.errors import BadRequest, IntegrityError
from driftloop.plan import generated, load, masks, schema


def tree_plan() -> dict:
    return {
        "format": schema.FORMAT,
        "task": "classification",
        "classes": ["no", "yes"],
        "precision": "float64",
        "interval": None,
        "inputs": [
            {
                "type": "number",
                "name": "hour",
                "nullable": True,
                "min": 0.0,
                "max": 23.0,
                "missing": None,
                "center": None,
                "scale": None,
            },
            {
                "type": "category",
                "name": "carrier",
                "nullable": False,
                "allowed": None,
                "pattern": None,
                "codes": {"AA": 0, "UA": 1},
                "unknown": 2,
                "missing": 2,
                "size": 3,
            },
        ],
        "model": {
            "kind": "trees",
            "link": "logistic",
            "start": [-1.5],
            "divide": 1,
            "trees": [
                {
                    "input": [0, -1, 1, -1, -1],
                    "at": [11.5, 0.25, "5", 1.5, -0.5],
                    "right": [2, 0, 4, 0, 0],
                    "missing_left": [1, 0, 0, 0, 0],
                    "output": 0,
                    "cover": [4.0, 2.0, 3.0],
                }
            ],
        },
    }


def linear_plan() -> dict:
    plan = tree_plan()
    plan["model"] = {
        "kind": "linear",
        "link": "logistic",
        "intercept": [0.5],
        "weights": [[2.0, [0.0, 1.0, -1.0]]],
        "background": [[0.25, -0.5]],
    }
    plan["inputs"][0] |= {"missing": 12.0, "center": 10.0, "scale": 4.0}
    return plan


def test_a_plan_reads_as_its_docstring_says():
    scorer = load(schema.dump(tree_plan()))
    rows = [
        scorer.row({"hour": hour, "carrier": carrier})
        for hour, carrier in ((11, "AA"), (None, "UA"), (12, "AA"), (12.0, "UA"), (13, "??"))
    ]
    sums = [-1.25, -1.25, 0.0, -2.0, 0.0]
    assert scorer.score(rows) == [pytest.approx(1 / (1 + 2.718281828459045**-s)) for s in sums]
    line = load(schema.dump(linear_plan()))
    [p] = line.score([line.row({"hour": None, "carrier": "UA"})])
    assert p == pytest.approx(1 / (1 + 2.718281828459045 ** -(2.0 * 0.5 + 1.0 + 0.5)))


def test_bytes_are_canonical_and_floats_come_back_exactly():
    plan = tree_plan()
    plan["model"]["start"] = [0.1 + 0.2]
    data = schema.dump(plan)
    assert data == schema.dump(dict(reversed(plan.items())))
    assert schema.read(data) == plan


def older(plan: dict, number: int) -> dict:
    """The plan as it was written then."""
    plan |= {"format": f"driftloop.plan/{number}"}
    del plan["interval"]
    for lost, places in (
        ("background", [plan["model"]]),
        ("cover", plan["model"].get("trees", [])),
    ):
        for place in places:
            place.pop(lost, None)
    if number == 1:
        del plan["inputs"][1]["pattern"]
    return plan


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("make", [tree_plan, linear_plan])
def test_a_plan_of_a_format_before_is_still_read_under_its_own_name(make, number):
    data = schema.dump(older(make(), number))
    scorer, today = load(data, schema.digest(data)), load(schema.dump(make()))
    row = scorer.row({"hour": 1, "carrier": "any"})
    assert scorer.score([row]) == today.score([row])
    assert scorer.inputs[1].pattern is None
    assert scorer.interval(3.0) is None and scorer.confidence is None
    assert (scorer.explainable, today.explainable) == (0, 100)
    with pytest.raises(BadRequest, match="trained before"):
        scorer.explain([row])
    for broken in ([], {"format": f"driftloop.plan/{number}", "inputs": 3, "model": {"trees": 1}}):
        with pytest.raises(IntegrityError):
            load(json.dumps(broken).encode())


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (["format"], "driftloop.plan/4", "format"),
        (["inputs", 1, "pattern"], 7, "pattern must be text"),
        (["inputs", 1, "pattern"], "(a+)+b", "too many ways"),
        (["task"], "clustering", "task"),
        (["classes"], ["only"], "two or more"),
        (["classes"], None, "classes must be a list"),
        (["inputs"], [], "inputs must not be empty"),
        (["inputs", 1, "name"], "hour", "name twice"),
        (["inputs", 0, "scale"], 2.0, "goes with center"),
        (["inputs", 1, "unknown"], 3, r"codes is '3'"),
        (["inputs", 1, "codes", "AA"], True, r"codes is 'True'"),
        (["model", "kind"], "python", "model.kind"),
        (["model", "start"], ["0"], r"start\[0\]"),
        (["model", "trees", 0, "input", 0], 2, r"input\[0\]"),
        (["model", "trees", 0, "at", 0], "__import__('os')", r"at\[0\]"),
        (["model", "trees", 0, "at", 2], "8", "mask of 3 bits"),
        (["model", "trees", 0, "at", 2], 11.5, "mask"),
        (["model", "trees", 0, "right", 0], 0, r"right\[0\]"),
        (["model", "trees", 0, "right", 0], 3, "pre-order"),
        (["model", "trees", 0, "right"], [2], "has 1 entries, not 5"),
        (["model", "trees", 0, "output"], 1, "output"),
        (["model", "trees", 0, "cover"], [1.0], "has 1 entries, not 3"),
        (["model", "trees", 0, "cover", 1], 0.0, "above 0"),
        (["model", "trees", 0, "cover", 1], 2, "floats"),
        (["interval"], {"confidence": 0.9, "low": -1.0, "high": 1.0}, "null for classes"),
        (["model", "extra"], 1, "exactly the keys"),
    ],
)
def test_malformed_plans_are_refused_with_the_place(path, value, words):
    plan = tree_plan()
    parent = plan
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    with pytest.raises(IntegrityError, match=words):
        load(json.dumps(plan).encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"NaN", b"[" * 100_000, b"3"])
def test_bytes_that_are_no_plan_are_refused(data):
    with pytest.raises(IntegrityError):
        load(data)


def test_numbers_that_are_not_finite_are_refused():
    for word in ("NaN", "Infinity", "1e999"):
        data = schema.dump(tree_plan()).replace(b"-1.5", word.encode())
        with pytest.raises(IntegrityError):
            load(data)
    plan = tree_plan()
    plan["model"]["start"] = [float("nan")]
    with pytest.raises(ValueError):
        schema.dump(plan)


def test_law_7_a_swapped_plan_is_refused_at_load():
    data = schema.dump(tree_plan())
    assert load(data, schema.digest(data)).sha256 == schema.digest(data)
    with pytest.raises(IntegrityError, match="registry names"):
        load(data.replace(b"11.5", b"11.6"), schema.digest(data))


def _places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _places(value[key], (*path, key))


JSON = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**30),
    st.floats(),
    st.sampled_from(["", "5", "ff", "__import__('os').abort()", "x0", "number", "\n import os"]),
    st.just([]),
    st.just({}),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([tree_plan, linear_plan]), st.integers(0, 10**6), JSON)
def test_law_8_any_value_anywhere_is_refused_or_harmless(make, seed, value):
    plan = copy.deepcopy(make())
    *above, last = random.Random(seed).choice(list(_places(plan))[1:])
    parent = plan
    for step in above:
        parent = parent[step]
    parent[last] = value
    try:
        scorer = load(json.dumps(plan).encode())
        scorer.score([scorer.row({"hour": 3, "carrier": "AA"})])
    except (IntegrityError, BadRequest):
        pass


EVIL = [
    '"); import os; os.abort()#',
    "x0",
    "\n import os",
    "'''",
    "{x1}",
    "\\",
    "é\ud7ff\u2028",
    "raw",
]


def test_law_8_names_and_categories_never_become_code():
    plan = tree_plan()
    plan["classes"] = EVIL[:2]
    plan["inputs"][0]["name"] = EVIL[0]
    plan["inputs"][1] |= {"name": EVIL[2], "codes": dict.fromkeys(EVIL, 1)}
    plan["inputs"][1]["allowed"] = EVIL
    sources = []
    generated.compile = lambda text, *more: sources.append(text) or compile(text, *more)
    masks._adder.cache_clear()
    try:
        scorer = load(schema.dump(plan))
        scorer.score([scorer.row({EVIL[0]: 3.0, EVIL[2]: EVIL[4]})] * masks.FEW)
    finally:
        del generated.compile
    assert len(sources) == 3
    words = set(re.findall(r"[A-Za-z_]+", re.sub(r"\d+", "", "".join(sources))))
    assert words <= {
        *(
            "def",
            "return",
            "if",
            "else",
            "elif",
            "is",
            "not",
            "or",
            "and",
            "in",
            "None",
            "__class__",
        ),
        *("encode", "instance", "path", "get", "refuse", "dict", "number", "whole", "text"),
        *("excluding", "rows", "for", "padding", "find", "to_bytes", "little"),
        *("add", "totals", "values", "columns", "zip", "x", "y", "n", "c", "m", "s", "v", "e"),
    }
    for word in EVIL:
        expected = scorer.row({EVIL[0]: 3.0, EVIL[2]: word})
        assert expected == (3.0, 1)
