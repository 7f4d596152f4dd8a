"""Intervals hold what they promise where rows are exchangeable, and say so where they are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftloop.plan import conformal

ERRORS = st.lists(st.floats(-1e9, 1e9), max_size=200)


@given(ERRORS, st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_an_interval_leaves_out_no_more_than_it_may(errors, confidence):
    found = conformal.interval(errors, confidence)
    if found is None:
        assert (len(errors) + 1) * (1 - confidence) / 2 < 1
        return
    beyond = sum(e < found["low"] for e in errors), sum(e > found["high"] for e in errors)
    assert max(beyond) <= (len(errors) + 1) * (1 - confidence) / 2 - 1 + 1e-6
    assert {found["low"], found["high"]} <= set(errors)


def test_nineteen_rows_are_the_fewest_for_nine_in_ten():
    assert conformal.interval(range(18)) is None
    assert conformal.interval(range(19)) == {"confidence": 0.9, "low": 0, "high": 18}


@pytest.mark.parametrize("rows", [19, 50, 333])
def test_new_rows_are_inside_as_often_as_promised(rows):
    draw = random.Random(rows)
    inside, trials = 0, 4000
    for _ in range(trials):
        *kept, new = (draw.expovariate(1.0) for _ in range(rows + 1))
        found = conformal.interval(kept)
        inside += found["low"] <= new <= found["high"]
    # at least 0.9, and no more than the rank's rounding adds; four standard errors of 4,000 draws
    assert 0.9 - 0.019 <= inside / trials <= 0.9 + 2 / (rows + 1) + 0.019


def test_coverage_is_measured_on_rows_the_interval_is_not_made_from():
    steady = list(range(40)) * 2
    assert conformal.coverage(steady) == (38 / 40, 40)
    assert conformal.coverage(list(range(40)) + [100.0] * 40) == (0.0, 40)
    assert conformal.coverage(list(range(30))) is None
