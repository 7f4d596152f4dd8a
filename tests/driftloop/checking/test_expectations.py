"""Expectations of an upload as a whole, against plain statistics of its rows."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.checking.expectations import broken
from driftloop.errors import SpecError
from driftloop.profiling.profile import Profile
from driftloop.spec import Spec

Values = list[float | None]


def made(expect: dict[str, Any]) -> Spec:
    return Spec.parse({
        "name": "toy", "task": "classification", "target": "y", "key": "id",
        "features": {"x": {"type": "number", "nullable": True},
                     "c": {"type": "category", "nullable": True}},
        "data": {"expect": expect},
    })  # fmt: skip


def said(expect: dict[str, Any], x: Values, c: list[str | None] | None = None) -> list[str]:
    spec = made(expect)
    profile = Profile.empty(spec)
    n = len(x)
    batch = {
        "x": np.array([np.nan if v is None else v for v in x]),
        "c": np.array(c or ["a"] * n, object),
        "y": np.array(["0"] * n, object),
    }
    profile.update(batch, np.arange(n, dtype=np.uint64))
    return broken(spec, n, profile)


@pytest.mark.parametrize(
    ("expect", "sentences"),
    [
        ({}, []),
        ({"rows": ">= 4", "mean": {"x": ["> 1", "<= 2"]}, "distinct": {"c": "<= 2"},
          "null_share": {"x": "<= 0.25"}, "min": {"x": ">= 1"}, "max": {"x": "<= 3"}}, []),
        ({"rows": ">= 1000"},
         ["data.expect.rows: there are 4 accepted rows, and >= 1000 is expected"]),
        ({"null_share": {"x": "< 0.2"}},
         ["data.expect.null_share.x: is 0.25, and < 0.2 is expected"]),
        ({"mean": {"x": [">= 5", "> 2"]}},
         ["data.expect.mean.x: is 2, and >= 5 is expected",
          "data.expect.mean.x: is 2, and > 2 is expected"]),
        ({"distinct": {"c": "<= 1"}, "max": {"x": "< 3"}},
         ["data.expect.max.x: is 3, and < 3 is expected",
          "data.expect.distinct.c: is 2, and <= 1 is expected"]),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_told(expect: dict[str, Any], sentences: list[str]) -> None:
    assert said(expect, [1.0, 2.0, 3.0, None], ["a", "b", "a", None]) == sentences


def test_nothing_has_no_mean_and_so_breaks_what_is_expected_of_it() -> None:
    wanted = {"mean": {"x": "> 0"}, "null_share": {"x": "< 1"}}
    assert said(wanted, [None, None]) == [
        "data.expect.null_share.x: is 1, and < 1 is expected",
        "data.expect.mean.x: no row has a value, and > 0 is expected",
    ]
    assert len(said(wanted, [])) == 2


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        ({"mean": {"xx": "> 1"}}, "mean.xx: 'xx' is no feature or target; did you mean 'x'?"),
        ({"distinct": {"id": "> 1"}}, "distinct.id: 'id' is no feature or target; one of x, c, y"),
        ({"max": {"c": "> 1"}}, "max.c: 'c' holds text, which has no max"),
        ({"null_share": {"x": "> 1"}},
         "null_share.x: '> 1' is out of reach; a share lies between 0 and 1"),
        ({"rows": "< 0"}, "rows: '< 0' is out of reach; a count lies between 0 and inf"),
        ({"rows": [">= 10", "< 10"]}, "rows: ['>= 10', '< 10'] is met by no number"),
        ({"rows": 10}, "rows: 10 is no rule; write a comparison and a number, like '>= 1000'"),
        ({"rows": "10"}, "rows.0: '10' is no rule; write a comparison and a number, like '>= 0.6'"),
        ({"row": "> 1"}, "row: unknown key; did you mean 'rows'?"),
    ],
)  # fmt: skip
def test_what_nothing_could_be_held_against_is_refused(expect: dict[str, Any], line: str) -> None:
    with pytest.raises(SpecError) as caught:
        made(expect)
    assert str(caught.value) == f"spec: data.expect.{line}"


SIGNS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@given(
    st.lists(st.none() | st.integers(-50, 50).map(float), min_size=1, max_size=60),
    st.sampled_from(["null_share", "mean", "min", "max", "distinct"]),
    st.sampled_from(sorted(SIGNS)),
    st.integers(1, 9).map(lambda n: n / 10),
)
def test_each_measure_is_the_plain_one(x: Values, measure: str, sign: str, number: float) -> None:
    present = [v for v in x if v is not None]
    plain = {
        "null_share": lambda: 1 - len(present) / len(x),
        "mean": lambda: float(np.mean(present)),
        "min": lambda: min(present),
        "max": lambda: max(present),
        "distinct": lambda: len(set(present)),
    }[measure]
    if not present and measure in ("mean", "min", "max"):
        fine = False
    elif abs(plain() - number) < 1e-9:
        return  # the last digit decides
    else:
        fine = SIGNS[sign](plain(), number)
    assert (said({measure: {"x": f"{sign} {number}"}}, x) == []) is fine
