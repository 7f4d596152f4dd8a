"""Profiles: the same however the rows are cut, and in whatever order they come."""

from __future__ import annotations

import doctest
import json
from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftloop.pages import readable
from driftloop.profiling.profile import Profile, merge
from driftloop.sketches import coverage, sample
from driftloop.sketches.coverage import DAY, HOUR, Coverage
from driftloop.sketches.sample import Sample
from driftloop.spec import Spec

SPEC = Spec.parse({
    "name": "m", "task": "classification", "target": "y", "time": "at", "key": "id",
    "features": {"x": {"type": "number", "nullable": True},
                 "c": {"type": "category", "nullable": True}},
})  # fmt: skip
BASE = 1_360_000_000_000


def columns(n: int, seed: int = 0) -> dict[str, Any]:
    """Whole numbers, so that not even the last digits of moments differ."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 9, n).astype(np.float64)
    x[rng.random(n) < 0.1] = np.nan
    return {
        "x": x,
        "c": rng.choice(np.array(["a", "b", "ü", None], object), n),
        "y": rng.choice(np.array(["0", "1"], object), n),
        "at": BASE + rng.integers(0, 5 * DAY, n),
        "id": np.array([f"k{i}" for i in range(n)], object),
    }


def hashes(n: int, seed: int = 1) -> Any:
    return np.random.default_rng(seed).integers(0, 2**64, n, dtype=np.uint64)


def profile(batch: Mapping[str, Any], some: Any) -> Profile:
    made = Profile.empty(SPEC)
    made.update(batch, some)
    return made


def rows(batch: Mapping[str, Any], at: Any) -> dict[str, Any]:
    return {name: values[at] for name, values in batch.items()}


def content(made: Profile) -> Any:
    return json.loads(json.dumps(made.to_json(), allow_nan=False))


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), max_size=4), st.permutations(range(5)), st.integers(0, 9))
def test_any_cut_in_any_order_gives_the_same_profile(
    cuts: list[int], order: list[int], seed: int
) -> None:
    n = 300
    batch, some = columns(n, seed), hashes(n)
    whole = content(profile(batch, some))
    bounds = [0, *sorted(cuts), n]
    slices = [slice(a, b) for a, b in pairwise(bounds)]
    parts = [profile(rows(batch, at), some[at]) for at in slices]
    shuffled = [parts[i] for i in order if i < len(parts)]
    merged = content(reduce(merge, shuffled))
    for document in (whole, merged):
        for sketch in document["sketches"].values():
            sketch.pop("moments", None)
    assert merged == whole


def test_merging_is_as_good_as_one_pass_when_the_sample_is_full() -> None:
    n = 25_000
    batch, some = columns(n), hashes(n)
    parts = [
        profile(rows(batch, slice(i, i + 7000)), some[i : i + 7000]) for i in range(0, n, 7000)
    ]
    merged, whole = reduce(merge, reversed(parts)), profile(batch, some)
    assert len(whole.sample) == whole.sample.size == 10_000
    assert merged.sample.to_json() == whole.sample.to_json()
    assert list(whole.sample.hashes) == sorted(some)[:10_000]


def test_arrow_and_numpy_columns_say_the_same() -> None:
    batch, some = columns(500), hashes(500)
    arrow = {
        "x": pa.array(batch["x"], from_pandas=True),
        "c": pa.array(batch["c"]).dictionary_encode(),
        "y": pa.array(batch["y"]),
        "at": pa.array(batch["at"], pa.timestamp("ms", "UTC")).cast(pa.timestamp("us", "UTC")),
    }
    assert content(profile(arrow, some)) == content(profile(batch, some))


def test_json_brings_back_the_profile() -> None:
    made = profile(columns(400), hashes(400))
    made.reject({"null|x": 3})
    made.reject({"null|x": 1, "not_a_time|at": 2})
    again = Profile.from_json(content(made))
    assert content(again) == content(made)
    assert again.rejected == {"null|x": 4, "not_a_time|at": 2}
    assert content(merge(again, again))["rows"] == 800


def test_the_key_is_in_no_profile() -> None:
    assert "k17" not in json.dumps(profile(columns(50), hashes(50)).to_json())


def test_profiles_of_other_columns_are_not_added() -> None:
    with pytest.raises(ValueError, match="different columns"):
        merge(Profile({"x": "number"}), Profile({"x": "text"}))


def test_rows_that_repeat_are_sampled_once_and_counted() -> None:
    some = np.array([5, 3, 5, 5, 9], np.uint64)
    values = np.array([1.0, 2.0, 1.0, 1.0, 4.0])
    kept = Sample(2)
    kept.update(some, lambda at: {"x": values[at]})
    assert kept.hashes.tolist() == [3, 5]
    assert kept.counts.tolist() == [1, 3]
    assert kept.columns["x"].tolist() == [2.0, 1.0]


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 12), st.integers(0, 60))
def test_a_sample_counts_every_occurrence_of_what_it_holds(
    found: list[int], size: int, at: int
) -> None:
    def of(some: list[int]) -> Sample:
        made = Sample(size)
        made.update(np.array(some, np.uint64), lambda at: {"x": np.array(some, np.float64)[at]})
        return made

    merged = sample.merge(of(found[:at]), of(found[at:]))
    smallest = sorted({*found})[:size]
    assert merged.hashes.tolist() == smallest
    assert merged.counts.tolist() == [found.count(h) for h in smallest]
    assert len(merged) == 0 or merged.columns["x"].tolist() == [float(h) for h in smallest]


def test_the_sample_estimates_how_many_distinct_rows_there_are() -> None:
    some = hashes(200_000)
    kept = Sample(10_000)
    kept.update(np.tile(some, 3), lambda at: {"x": np.zeros(len(at))})
    assert kept.distinct(600_000) == pytest.approx(200_000, rel=0.04)


def test_cells_of_a_sample_are_bounded() -> None:
    assert sample.rows_for(15) == 10_000
    assert sample.rows_for(400) * 400 <= sample.MOST_CELLS


@settings(deadline=None)
@given(st.lists(st.integers(-(10**14), 10**14), min_size=1, max_size=50), st.integers(0, 50))
def test_coverage_is_the_same_in_any_cut(times: list[int], at: int) -> None:
    whole, first, second = Coverage(), Coverage(), Coverage()
    whole.update(np.array(times))
    first.update(np.array(times[:at], np.int64))
    second.update(np.array(times[at:], np.int64))
    assert coverage.merge(first, second) == coverage.merge(second, first) == whole
    assert Coverage.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def test_coverage_widens_its_buckets_rather_than_grow() -> None:
    times = np.arange(9000) * HOUR
    whole, first, second = Coverage(), Coverage(), Coverage()
    whole.update(times)
    for place in range(0, 9000, 1000):
        (first if place % 2000 else second).update(times[place : place + 1000])
    assert whole.width == DAY
    assert whole.counts == dict.fromkeys(range(375), 24)
    assert coverage.merge(first, second) == whole


def of_hours(hours: list[int]) -> Coverage:
    made = Coverage()
    made.update(np.array(hours) * HOUR)
    return made


def test_a_hole_in_round_the_clock_rows_is_a_gap() -> None:
    found = of_hours([h for h in range(720) if not 300 <= h < 348]).gaps()
    assert found == [(300 * HOUR, 348 * HOUR)]


def test_nights_and_weekends_are_no_gaps_but_a_lost_week_is() -> None:
    office = [h for h in range(24 * 7 * 12) if h % 24 in range(8, 18) and h // 24 % 7 < 5]
    assert of_hours(office).gaps() == []
    lost = [h for h in office if h // (24 * 7) not in (5, 6)]
    assert len(of_hours(lost).gaps()) == 1


def test_one_day_with_its_night_has_no_gap() -> None:
    assert of_hours([0, 1, 2, 9, 10, 11, 12, 13, 14, 20, 23]).gaps() == []


def test_numbers_read_as_their_examples_say() -> None:
    failed, tried = doctest.testmod(readable)
    assert tried >= 3
    assert not failed


@settings(deadline=None)
@given(st.floats(-1e308, 1e308))
def test_a_number_is_written_within_three_digits_of_itself(value: float) -> None:
    text = readable.number(value).replace(",", "").replace("−", "-")
    assert float(text) == pytest.approx(value, rel=0.006, abs=1e-300)
    assert len(text) < 26
