"""What the document says of a model is what its endpoint does."""

import json
import math
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from driftloop import payload
from driftloop.errors import BadRequest
from driftloop.interface import Interface
from driftloop.openapi import Service, document
from driftloop.openapi.examples import answer_example, examples, labels_example
from driftloop.plan import load, shapley
from driftloop.scoring import score
from tests.driftloop.plan import random_plans
from tests.driftloop.plans import SPEC, Desk, number, plan

CARD = {"model": "flights", "version": 3, "description": "Late?", "target": "late",
        "key": "flight_id", "time": "sched_dep"}  # fmt: skip
SERVICES = [
    Service("dev", "https://api.example.com", "iam", "eu-west-1", ("health",)),
    Service("dev", "https://api.example.com", "https://id.example.com/", "", ("docs", "openapi")),
    Service("dev", "https://api.example.com", "none"),
]


def category(name, allowed=None, pattern=None, nullable=False):
    return {
        "type": "category", "name": name, "nullable": nullable, "allowed": allowed,
        "pattern": pattern, "codes": {"UA": 0, "N14228": 1}, "unknown": 2, "missing": 2, "size": 3,
    }  # fmt: skip


def wide() -> dict:
    """A plan with every kind of input."""
    found = json.loads(plan())
    found["inputs"] = [
        number("hour", low=0.0, high=23.0),
        number("any"),
        number("temp", nullable=True, low=-60.0),
        category("carrier"),
        category("origin", allowed=["EWR", "JFK"], nullable=True),
        category("tail", pattern="N[0-9A-Z]{1,5}"),
        number("a/b ~ü%", nullable=True),
    ]
    numbers = [0.1, 0.2, 0.3]
    found["model"]["weights"] = [[*numbers, *[[0.0, 0.25, 0.5]] * 3, 0.4]]
    return found


def face(found=None, **card) -> Interface:
    return Interface.of(json.dumps(found).encode() if found else plan(), CARD | card)


def test_reasons_are_offered_where_the_endpoint_gives_them(monkeypatch):
    assert face(random_plans.trees(1)).explains
    monkeypatch.setattr(shapley, "MOST_LEAVES", 1)
    assert not face(random_plans.trees(1)).explains
    assert not face(json.loads(plan(background=False))).explains


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.access)
def test_it_is_openapi_3_1(service):
    regression = json.loads(plan(classes=None)) | {
        "interval": {"confidence": 0.9, "low": -1.0, "high": 2.0}
    }
    models = [
        face(),
        face(wide(), model="wide", key=None, time=None),
        face(json.loads(plan(classes=("a", "b", "c"))), model="three"),
        face(regression, model="regression"),
    ]
    found = document(service, models)
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert found == document(service, models[::-1])
    assert {p for p in found["paths"] if p.startswith("/models/three")} == {
        f"/models/three{path}" for path in ("", "/predict", "/labels", "/versions",
        "/versions/{version}", "/versions/{version}/card", "/openapi.json")
    }  # fmt: skip


def test_only_what_is_public_needs_nobody():
    for service in SERVICES:
        for path, item in document(service, [face()])["paths"].items():
            (operation,) = item.values()
            open_ = {name for name in service.public if path.rpartition("/")[2].startswith(name)}
            public = service.access == "none" or bool(open_)
            assert operation["security"] == ([] if public else [{"caller": []}]), path
            assert ("403" in operation["responses"]) != public


@cache
def schemas(model: str):
    return document(SERVICES[0], [face(wide(), model=model)])


def validator(name: str) -> Draft202012Validator:
    found = schemas("flights")
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **found})


def endpoint():
    """A version in memory, as the endpoint has it."""
    data = json.dumps(wide()).encode()
    desk = Desk(data)
    desk.ask([{}])
    return desk.endpoint.live.champion()


VERSION = endpoint()
WORDS = st.sampled_from(["UA", "EWR", "LGA", "N1", "N123456", "nothing", "", "\u0663"])
VALUES = st.one_of(
    st.none(), st.booleans(), WORDS, st.integers(-70, 30), st.floats(-1e3, 1e3), st.just([]),
    st.sampled_from([2**70, -(2**70), 1e308, 10**400]),
)  # fmt: skip
NAMES = ["hour", "any", "temp", "carrier", "origin", "tail", "flight_id", "sched_dep", "oops",
         "a/b ~ü%"]  # fmt: skip
GOOD = {"hour": 1, "any": 2.5, "temp": None, "carrier": "UA", "origin": "EWR", "tail": "N1",
        "a/b ~ü%": 7}  # fmt: skip


@st.composite
def rows(draw):
    """A row that is nearly right."""
    row = dict(GOOD)
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        if draw(st.booleans()):
            row[name] = draw(VALUES)
        else:
            row.pop(name, None)
    return row


@st.composite
def bodies(draw):
    """A body in one of the shapes, nearly right."""
    found = draw(st.lists(rows(), min_size=1, max_size=3))
    names = list(found[0])
    lists = [[row.get(name) for name in names] for row in found]
    shape = draw(st.sampled_from(["instances", "dataframe_records", "inputs"]))
    body = draw(st.sampled_from([
        {shape: found},
        {shape: [list(row.values()) for row in found]},
        {"inputs": {name: [row.get(name) for row in found] for name in names}},
        {"dataframe_split": {"columns": names, "data": lists}},
    ]))  # fmt: skip
    beside = draw(st.sampled_from([
        {}, {"params": None}, {"parameters": {"explain": True}}, {"params": {"explain": 1}},
        {"parameters": {}, "params": {}}, {"oops": 1}, {"inputs": []}, {"params": []},
    ]))  # fmt: skip
    return body | beside


def answered(body) -> bool:
    try:
        asked = payload.read(json.dumps(body), VERSION.scorer.inputs, VERSION.known)
        score(VERSION, asked.rows, SPEC["key"], asked.place)
    except BadRequest:
        return False
    return True


@given(bodies())
def test_what_breaks_the_schema_is_not_answered_and_what_keeps_it_is(body):
    """But for a table by columns, of which JSON Schema cannot say that it fits together."""
    kept = validator("flights.request").is_valid(body)
    tabular = "dataframe_split" in body or isinstance(body.get("inputs"), dict)
    if answered(body):
        assert kept
    elif not tabular:
        assert not kept


@pytest.mark.parametrize("found", [wide(), json.loads(plan()), json.loads(plan(classes=None))])
def test_every_example_is_answered_and_keeps_the_schema(found):
    described = face(found)
    scorer = load(json.dumps(found).encode())
    whole = document(SERVICES[0], [described])

    def keeps(name, sent):
        Draft202012Validator({"$ref": f"#/components/schemas/{name}", **whole}).validate(sent)

    shown = examples(described)
    keeps("flights.answer", answer_example(described))
    keeps("flights.labels", labels_example(described))
    csv = shown.pop("csv")
    asked = payload.from_event(
        {"body": csv, "headers": {"content-type": "text/csv"}},
        scorer.inputs, [item.name for item in scorer.inputs],
    )  # fmt: skip
    (wanted,) = scorer.score([scorer.row(row) for row in asked.rows])
    assert math.isfinite(wanted)
    for sent in shown.values():
        keeps("flights.request", sent)
        asked = payload.read(json.dumps(sent), scorer.inputs, [item.name for item in scorer.inputs])
        assert scorer.score([scorer.row(row) for row in asked.rows]) == [wanted]


def test_what_the_endpoint_answers_keeps_the_schema():
    for classes in (("0", "1"), ("a", "b", "c"), None):
        data = plan(classes=classes)
        described = face(json.loads(data))
        whole = document(SERVICES[0], [described])
        for sent in (examples(described)["instances"], {"inputs": []}, {"instances": [{}]}):
            status, _, answer, _ = Desk(data).send(json.dumps(sent))
            name = "flights.answer" if status == 200 else "problem"
            Draft202012Validator({"$ref": f"#/components/schemas/{name}", **whole}).validate(answer)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("N[0-9]+", True),
        ("(?:AB|CD)++", False),
        (r"\d{2}", False),
        ("(?i)a", False),
        (r"a\.b", True),
    ],
)
def test_a_pattern_is_said_where_every_dialect_reads_it_alike(pattern, said):
    found = wide()
    found["inputs"][5]["pattern"] = pattern
    field = document(SERVICES[0], [face(found)])["components"]["schemas"]["flights.row"]
    assert ("pattern" in field["properties"]["tail"]) == said
    assert pattern in field["properties"]["tail"]["description"]


@given(
    st.none() | st.floats(-1e9, 1e9), st.none() | st.floats(-1e9, 1e9),
    st.none() | st.floats(-1e12, 1e12),
)  # fmt: skip
def test_a_typical_number_is_always_allowed(one, other, center):
    low, high = (one, other) if None in (one, other) else (min(one, other), max(one, other))
    found = json.loads(plan())
    scale = None if center is None else 1.0
    found["inputs"][0] |= {"min": low, "max": high, "center": center, "scale": scale}
    value = face(found).example()["hour"]
    assert (low is None or value >= low) and (high is None or value <= high)
    assert math.isfinite(value)
