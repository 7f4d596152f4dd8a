"""The state of an alarm, against the two tables of CloudWatch's page on missing data."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.alarm_evaluation import (
    COMPARISONS,
    MISSING,
    Condition,
    Point,
    State,
    evaluate,
    is_final,
)

START = datetime(2013, 2, 1, tzinfo=UTC)


def points(text: str) -> list[Point | None]:
    """``0`` does not breach, ``X`` does, ``-`` is missing; oldest first, one minute each."""
    values = {"0": 0.0, "X": 2.0, "-": None}
    return [
        None if values[mark] is None else Point(START + timedelta(minutes=n), values[mark] or 0.0)
        for n, mark in enumerate(text.split())
    ]


RETAIN = "retain"


@pytest.mark.parametrize(
    ("datapoints", "text", "missing", "ignore", "breaching", "not_breaching"),
    [
        # 3 out of 3
        (3, "0 - X - X", "OK", "OK", "OK", "OK"),
        (3, "- - - - 0", "OK", "OK", "OK", "OK"),
        (3, "- - - - -", "INSUFFICIENT_DATA", RETAIN, "ALARM", "OK"),
        (3, "0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (3, "- - X - -", "ALARM", RETAIN, "ALARM", "OK"),
        # 2 out of 3
        (2, "0 - X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0 0 X 0 X", "ALARM", "ALARM", "ALARM", "ALARM"),
        (2, "0 - X - -", "OK", "OK", "ALARM", "OK"),
        (2, "- - - - 0", "OK", "OK", "ALARM", "OK"),
        (2, "- - - X -", "ALARM", RETAIN, "ALARM", "OK"),
        # "avoiding premature transitions": a lone new breach is not believed yet
        (3, "- - - X -", RETAIN, RETAIN, "ALARM", "OK"),
        (3, "- - - - X", RETAIN, RETAIN, "ALARM", "OK"),
    ],
)
@pytest.mark.parametrize("state", ["OK", "ALARM", "INSUFFICIENT_DATA"])
def test_aws_tables(
    datapoints: int,
    text: str,
    missing: str,
    ignore: str,
    breaching: str,
    not_breaching: str,
    state: State,
) -> None:
    expected = dict(zip(MISSING, (missing, ignore, breaching, not_breaching), strict=True))
    for treatment, wanted in expected.items():
        condition = Condition("GreaterThanThreshold", 1.0, 3, datapoints, treatment)
        verdict = evaluate(condition, points(text), state)
        assert verdict.state == (state if wanted == RETAIN else wanted), treatment


@pytest.mark.parametrize("comparison", COMPARISONS)
@pytest.mark.parametrize("value", [0.5, 1.0, 1.5])
def test_comparisons(comparison: str, value: float) -> None:
    expected = {
        "GreaterThanThreshold": value > 1,
        "GreaterThanOrEqualToThreshold": value >= 1,
        "LessThanThreshold": value < 1,
        "LessThanOrEqualToThreshold": value <= 1,
    }[comparison]
    verdict = evaluate(Condition(comparison, 1.0), [None, None, Point(START, value)], "OK")
    assert (verdict.state == "ALARM") is expected


def test_reasons_read_as_aws_writes_them() -> None:
    one = Condition("GreaterThanThreshold", 1.0)
    assert evaluate(one, [None, None, Point(START, 1.73)], "OK").reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [1.73 (01/02/13 00:00:00)] was greater "
        "than the threshold (1.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    assert evaluate(one, [None, None, Point(START, 0.2)], "ALARM").reason == (
        "Threshold Crossed: 1 out of the last 1 datapoints [0.2 (01/02/13 00:00:00)] was not "
        "greater than the threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition)."
    )
    assert evaluate(one, [None] * 3, "OK").reason == "Insufficient Data: 1 datapoint was unknown."
    quiet = Condition("GreaterThanThreshold", 1.0, missing="notBreaching")
    assert evaluate(quiet, [None] * 3, "ALARM").reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was "
        "treated as [NonBreaching]."
    )


marks = st.lists(st.sampled_from("0X-"), min_size=5, max_size=5).map(" ".join)
states: st.SearchStrategy[State] = st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])


@given(marks, st.integers(1, 3), st.sampled_from(MISSING), states)
def test_evaluating_twice_changes_nothing(
    text: str, datapoints: int, missing: str, state: State
) -> None:
    condition = Condition("GreaterThanThreshold", 1.0, 3, datapoints, missing)
    first = evaluate(condition, points(text), state)
    assert evaluate(condition, points(text), first.state).state == first.state


@given(marks, st.integers(1, 3), states)
def test_treatments_are_ordered(text: str, datapoints: int, state: State) -> None:
    """What alarms although gaps count as good alarms however gaps count."""

    def verdict(missing: str) -> State:
        condition = Condition("GreaterThanThreshold", 1.0, 3, datapoints, missing)
        return evaluate(condition, points(text), state).state

    if verdict("notBreaching") == "ALARM":
        assert {verdict(missing) for missing in MISSING} == {"ALARM"}
    if verdict("breaching") == "OK":
        assert {verdict(missing) for missing in MISSING} == {"OK"}


@given(
    st.lists(st.floats(-9, 9), min_size=1),
    st.lists(st.floats(-9, 9)),
    st.sampled_from(["Maximum", "Minimum", "SampleCount", "Sum", "Average"]),
    st.sampled_from(sorted(COMPARISONS)),
)
def test_a_final_breach_survives_every_later_sample(
    early: list[float], late: list[float], statistic: str, comparison: str
) -> None:
    condition = Condition(comparison, 1.0)
    functions = {
        "Maximum": max,
        "Minimum": min,
        "SampleCount": len,
        "Sum": sum,
        "Average": lambda values: sum(values) / len(values),
    }
    of = functions[statistic]
    if is_final(condition, statistic) and condition.breaches(of(early)):
        assert condition.breaches(of(early + late))
